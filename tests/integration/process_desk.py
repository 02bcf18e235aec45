"""The toy service as a process of its own, on real Kafka and PostgreSQL."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from deploy import topics
from shared.messages.transfer import Withdraw
from shared.settings import Settings
from tests.integration.conftest import Engines
from tests.integration.toy import TABLE, envelope

HERE = Path(__file__).parents[2]


class Desk:
    """One toy service in a cell of its own, and what can be seen of it from outside."""

    def __init__(self, engines: Engines, dsn: str, folder: Path) -> None:
        self.cell = f"c{uuid4().hex[:8]}"
        self.head = self.cell
        self.kafka = engines.kafka
        self.dsn = dsn
        self.folder = folder
        self.children: list[asyncio.subprocess.Process] = []

    def environment(self, worker: int) -> dict[str, str]:
        return {
            **os.environ,
            "JIEXU_DATABASE": self.dsn,
            "JIEXU_KAFKA": self.kafka,
            "JIEXU_CELLS": self.cell,
            "JIEXU_PARTITIONS": "1",
            "JIEXU_SECRETS": str(self.folder / "secrets.json"),
            "JIEXU_TOKENS": str(self.folder / "tokens.json"),
            "JIEXU_WORKER": str(worker),
        }

    async def start(self, worker: int = 0) -> asyncio.subprocess.Process:
        log = (self.folder / f"log-{len(self.children)}").open("wb")
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.toy", cwd=HERE, stderr=log,
            env=self.environment(worker),
        )  # fmt: skip
        self.children.append(child)
        return child

    def log(self, n: int = -1) -> str:
        return (self.folder / f"log-{range(len(self.children))[n]}").read_text()

    async def publish(self, *messages: Withdraw) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka)
        await producer.start()
        for message in messages:
            sent = envelope(message)
            await producer.send_and_wait(
                f"{self.head}.transfer.commands", sent.body, key=sent.key.encode(), partition=0,
                headers=sent.headers("test"),
            )  # fmt: skip
        await producer.stop()

    async def committed(self) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(f"{self.cell}.transfer")
        except GroupCoordinatorNotAvailableError:
            return 0  # Kafka makes its own topic of offsets with the first group
        finally:
            await admin.close()
        found = offsets.get(TopicPartition(f"{self.cell}.transfer.commands", 0))
        return found.offset if found else 0

    async def counts(self) -> dict[str, int]:
        db = await asyncpg.connect(self.dsn)
        rows = await db.fetch("SELECT person, n FROM transfer.counts")
        await db.close()
        return {row["person"]: row["n"] for row in rows}


async def until(what: str, seen: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Waits until it is seen, or says what was waited for."""
    try:
        async with asyncio.timeout(seconds):
            while not await seen():  # noqa: ASYNC110 - it is seen from outside only
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"waited {seconds} s for: {what}")


@pytest.fixture
async def desk(
    engines: Engines, database: str, secrets: Path, tmp_path: Path
) -> AsyncIterator[Desk]:
    (tmp_path / "tokens.json").write_text("{}")
    desk = Desk(engines, database, secrets.parent)
    db = await asyncpg.connect(database)
    await db.execute(TABLE + "; GRANT ALL ON transfer.counts TO jiexu_transfer")
    await db.close()
    for cell, partitions in ((desk.cell, 1), ("cn", 4)):
        topics.create(Settings(kafka=desk.kafka, cells=cell, partitions=partitions))
    yield desk
    for child in desk.children:
        if child.returncode is None:
            child.kill()
            await child.wait()


@pytest.fixture(autouse=True)
def only_this_cells_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    """The upstream topics are the network's; these tests read none of them."""
    monkeypatch.setattr(topics, "UPSTREAM", ())
