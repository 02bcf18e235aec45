"""One real PostgreSQL and one real Kafka for all integration tests, a database for each module.

On a machine with a Docker engine and the images they run in containers, else as the embedded
stack; JIEXU_TEST_STACK=containers|embedded decides otherwise.
"""

import asyncio
import os
import shutil
import socket
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
from shared.upkeep import keep_partitions
from tests.integration.driver import Driver
from tests.integration.toy import TABLE

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
    return subprocess.run(images, capture_output=True, check=False).returncode == 0


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
    from testcontainers.community.postgres import PostgresContainer
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.waiting_utils import wait_for_logs

    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
    postgres = ends.enter_context(PostgresContainer("postgres:18", driver=None))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kafka = DockerContainer("apache/kafka:4.3.1").with_bind_ports(port, port)
    for name, value in _kafka_settings(port).items():
        kafka.with_env(name, value)
    ends.enter_context(kafka)
    wait_for_logs(kafka, "Kafka Server started", timeout=60)
    url = postgres.get_connection_url()
    return Engines(url.rsplit("/", 1)[0] + "/%s", f"127.0.0.1:{port}")


def _kafka_settings(port: int) -> dict[str, str]:
    """One node, reached at the same port from outside and inside, nothing created by use."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:29093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:29093",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }


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


@pytest.fixture
async def driver(database: str) -> AsyncIterator[Driver]:
    """The toy service, its lane taken over."""
    db = await asyncpg.connect(database)
    await db.execute(TABLE)
    await db.execute("SET search_path = transfer")
    await keep_partitions(db, 14, 14)
    driver = Driver(db)
    await driver.own()
    yield driver
    await db.close()
