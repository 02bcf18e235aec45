"""A process on real Kafka and PostgreSQL: whatever happens in the handler, nothing is lost."""

import asyncio
import os
import signal
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
from shared.publisher import Publisher
from shared.settings import Settings
from tests.integration.conftest import Engines
from tests.integration.toy import TABLE, envelope, withdraw

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


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ("exception", "reader.fault"),
        ("validation", "reader.fault"),
        ("cancelled", "reader.died"),
        ("exit", "reader.died"),
        ("kill", None),
    ],
)
async def test_what_fails_in_the_handler_leaves_the_offset_where_it_was(
    desk: Desk, how: str, seen: str | None
) -> None:
    child = await desk.start()
    await desk.publish(withdraw("a"))

    async def first_committed() -> bool:
        return await desk.committed() == 1

    await until("the good message to be committed", first_committed)
    await desk.publish(withdraw("p", how))

    async def failed() -> bool:
        return child.returncode is not None if seen is None else seen in desk.log()

    await until(f"the handler to fail by {how}", failed)

    assert await desk.committed() == 1
    assert await desk.counts() == {"a": 1}


async def test_a_fault_is_set_aside_after_some_attempts_and_only_its_key_waits(desk: Desk) -> None:
    await desk.start()
    await desk.publish(withdraw("p", "exception"), withdraw("a"), withdraw("p"))

    async def through() -> bool:
        return await desk.committed() == 3

    await until("the batch to be handled apart", through)

    assert await desk.counts() == {"a": 1}


async def test_killed_at_any_time_every_message_is_handled_once(desk: Desk) -> None:
    child = await desk.start()
    for round_ in range(3):
        await desk.publish(*(withdraw(f"k{n}") for n in range(20)))

        async def some(rounds: int = round_) -> bool:
            return sum((await desk.counts()).values()) > rounds * 20

        await until("some to be handled", some)
        child.send_signal(signal.SIGKILL)
        await child.wait()
        child = await desk.start()

    async def all_handled() -> bool:
        return sum((await desk.counts()).values()) >= 60

    await until("all to be handled", all_handled)

    assert set((await desk.counts()).values()) == {3}


async def test_a_process_told_to_end_leaves_nothing_unpublished(desk: Desk) -> None:
    child = await desk.start()
    await desk.publish(*(withdraw(f"k{n}") for n in range(50)))

    async def all_handled() -> bool:
        return sum((await desk.counts()).values()) == 50

    await until("all to be handled", all_handled)
    child.terminate()
    await asyncio.wait_for(child.wait(), 30)

    db = await asyncpg.connect(desk.dsn)
    left = await db.fetchval("SELECT sum(seq - published) FROM transfer.lanes")
    await db.close()
    assert (child.returncode, left) == (0, 0)


async def test_a_process_of_a_former_generation_ends_and_the_next_begins_when_it_may(
    desk: Desk,
) -> None:
    child = await desk.start()
    await desk.publish(withdraw("a"))

    async def first_committed() -> bool:
        return await desk.committed() == 1

    await until("the process to work", first_committed)
    db = await asyncpg.connect(desk.dsn)
    await db.execute("INSERT INTO cell.generations (cell, generation) VALUES ($1, 2)", desk.cell)
    await db.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'jiexu-%'"
    )
    await desk.publish(withdraw("of-the-past"))
    successor = await desk.start(worker=1)

    async def both_wait() -> bool:
        return all("not out yet" in desk.log(n) for n in (0, 1))

    await until("both to see that nothing is ready", both_wait)
    assert successor.returncode is None
    settings = Settings(kafka=desk.kafka, database=desk.dsn, cells=desk.cell, partitions=1)
    topics.create(settings, await topics.generations_of(desk.dsn))
    await db.execute("UPDATE cell.generations SET ready = true")
    await db.close()
    assert await asyncio.wait_for(child.wait(), 60) == 1
    assert "generation.changed" in desk.log(0)
    desk.head = f"{desk.cell}.g2"
    await desk.publish(withdraw("b"))

    async def handled() -> bool:
        return "b" in await desk.counts()

    await until("the successor to work on the new topics", handled)
    assert await desk.counts() == {"a": 1, "b": 1}
    assert topics.newest(settings) == 2


async def test_what_kafka_refuses_is_told_and_all_else_counts_as_acknowledged(desk: Desk) -> None:
    publisher = Publisher(Settings(kafka=desk.kafka), "transfer")
    topic = f"{desk.head}.transfer.commands"
    good = [envelope(withdraw(key))._replace(lane="a", topic=topic) for key in ("p", "q")]
    nowhere = good[0]._replace(lane="b", partition=7)

    first = await publisher.publish([good[0], nowhere, good[1]])
    again = await publisher.publish([nowhere, good[1], good[0]])

    assert first == [True, False, True]
    assert again == [False, True, True]
