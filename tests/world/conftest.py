"""One PostgreSQL and one Kafka for this folder alone: they are killed and stopped."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy import topics
from deploy.embedded import stack as embedded
from tests.world.machine import Machine
from tests.world.office import Office, office_of


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    home = Path(tempfile.mkdtemp(prefix="jiexu-world-"))
    try:
        running = embedded.up(home, services=(), report=lambda _: None)
        yield Machine(home, running.database, running.kafka)
    finally:
        embedded.down(home, lambda _: None)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
async def office(machine: Machine, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_of(machine.dsn, machine.kafka, tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True)
def only_this_cells_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    """The upstream topics are the network's; these tests read none of them."""
    monkeypatch.setattr(topics, "UPSTREAM", ())
