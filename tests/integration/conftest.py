"""One real PostgreSQL and one real Kafka for all integration tests, a database for each module.

On a machine with a Docker engine and the images they run in containers, else as the embedded
stack; JIEXU_TEST_STACK=containers|embedded decides otherwise.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy.embedded import stack as embedded
from deploy.migrations.__main__ import upgrade

SECRETS = (
    '{"person_key_secret": "' + "11" * 32 + '", "blind_key_secret": "' + "22" * 32 + '",'
    ' "master_key": "' + "33" * 32 + '", "content_key": "' + "44" * 32 + '"}'
)


@dataclass(frozen=True)
class Engines:
    """Where PostgreSQL (a DSN with %s for the database) and Kafka answer."""

    dsn: str
    kafka: str


def _containers() -> bool:
    wanted = os.environ.get("JIEXU_TEST_STACK")
    if wanted:
        return wanted == "containers"
    if not shutil.which("docker"):
        return False
    images = ["docker", "image", "inspect", "postgres:18", "apache/kafka:4.3.1"]
    return subprocess.run(images, capture_output=True, check=False).returncode == 0  # noqa: S603


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """Real PostgreSQL 18 and Kafka 4.3.1."""
    with ExitStack() as ends:
        yield _in_containers(ends) if _containers() else _embedded(ends)


def _embedded(ends: ExitStack) -> Engines:
    home = Path(tempfile.mkdtemp(prefix="jiexu-it-"))
    ends.callback(shutil.rmtree, home, ignore_errors=True)
    running = embedded.up(home, services=(), report=lambda _: None)
    ends.callback(embedded.down, home, lambda _: None)
    return Engines(running.database.replace("/jiexu?", "/%s?"), running.kafka)


def _in_containers(ends: ExitStack) -> Engines:
    from testcontainers.kafka import KafkaContainer  # noqa: PLC0415
    from testcontainers.postgres import PostgresContainer  # noqa: PLC0415

    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
    postgres = ends.enter_context(PostgresContainer("postgres:18", driver=None))
    kafka = ends.enter_context(KafkaContainer("apache/kafka:4.3.1").with_kraft())
    url = postgres.get_connection_url()
    return Engines(url.rsplit("/", 1)[0] + "/%s", kafka.get_bootstrap_server())


@pytest.fixture(scope="session")
def template(engines: Engines) -> str:
    """The name of a database with the newest schema, to be copied."""

    async def create() -> None:
        admin = await asyncpg.connect(engines.dsn % "postgres")
        await admin.execute("CREATE DATABASE jiexu_template")
        await admin.close()

    asyncio.run(create())
    upgrade(engines.dsn % "jiexu_template")
    return "jiexu_template"


@pytest.fixture
async def database(engines: Engines, template: str) -> AsyncIterator[str]:
    """The DSN of a new database with the newest schema."""
    name = f"t_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(engines.dsn % "postgres")
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield engines.dsn % name
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A file of keys."""
    path = tmp_path / "secrets.json"
    path.write_text(SECRETS)
    return path
