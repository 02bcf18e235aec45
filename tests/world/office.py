"""The toy service at work in a cell of its own: workers that are started again when they end,
numbered messages for each person, and what came of every one of them.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from deploy import topics
from shared.lanes import partition_of
from shared.messages.catalogue import read
from shared.messages.transfer import Withdraw, WithdrawalRefused
from shared.outbox import Sent
from shared.settings import Settings
from tests.integration.conftest import SECRETS
from tests.integration.toy import TABLE, envelope

HERE = Path(__file__).parents[2]
PARTITIONS = 4
SECONDS = 240
_TICK = 0.05


async def until(what: str, seen: Callable[[], Awaitable[bool]], seconds: float = SECONDS) -> None:
    """Waits until it is seen, or says what was waited for."""
    try:
        async with asyncio.timeout(seconds):
            while not await seen():  # noqa: ASYNC110 - it is seen from outside only
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"waited {seconds} s for: {what}")


class Office:
    """The workers, and the sender who writes to them."""

    def __init__(self, dsn: str, kafka: str, folder: Path) -> None:
        self.cell = f"w{uuid4().hex[:8]}"
        self.sent: Counter[str] = Counter()
        self.restarts = 0
        self._dsn = dsn
        self._kafka = kafka
        self._folder = folder
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._producer = Producer(
            {
                "bootstrap.servers": kafka,
                "enable.idempotence": True,
                "message.timeout.ms": 0,
                "log_level": 0,
            }
        )

    async def prepare(self, replication: int = 1) -> None:
        """Its table, topics and keys."""
        (self._folder / "secrets.json").write_text(SECRETS)
        (self._folder / "tokens.json").write_text("{}")
        db = await asyncpg.connect(self._dsn)
        await db.execute(TABLE + "; GRANT ALL ON transfer.counts TO jiexu_transfer")
        await db.close()
        asked = Settings(
            kafka=self._kafka,
            cells=f"{self.cell},cn",
            partitions=PARTITIONS,
            replication=replication,
        )
        await asyncio.to_thread(topics.create, asked)

    # --- the workers

    def start(self, worker: int = 0, *, dsn: str = "", ahead_hours: int = 0) -> None:
        """A worker by this way to the database, with its clock so far ahead."""
        environment = {
            **os.environ,
            "JIEXU_DATABASE": dsn or self._dsn,
            "JIEXU_KAFKA": self._kafka,
            "JIEXU_CELLS": self.cell,
            "JIEXU_PARTITIONS": str(PARTITIONS),
            "JIEXU_SECRETS": str(self._folder / "secrets.json"),
            "JIEXU_TOKENS": str(self._folder / "tokens.json"),
            "JIEXU_WORKER": str(worker),
            "TOY_AHEAD_HOURS": str(ahead_hours),
        }
        self._workers[worker] = asyncio.create_task(self._keep(worker, environment))

    async def stop(self, worker: int) -> None:
        """It is told to end, and ends."""
        task = self._workers.pop(worker)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        for worker in list(self._workers):
            await self.stop(worker)

    async def _keep(self, worker: int, environment: dict[str, str]) -> None:
        while True:
            with (self._folder / f"worker-{worker}.log").open("ab") as log:
                child = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "tests.integration.toy",
                    cwd=HERE, stdout=log, stderr=log, env=environment,
                )  # fmt: skip
            try:
                await child.wait()
            except asyncio.CancelledError:
                child.terminate()
                try:
                    await asyncio.wait_for(child.wait(), 40)
                except TimeoutError:
                    child.kill()
                raise
            self.restarts += 1
            await asyncio.sleep(0.2)

    # --- the sender

    def person(self, n: int) -> str:
        return f"{self.cell}-{n}"

    def next_to(self, person: str, sent_after: timedelta = timedelta()) -> Sent:
        """The person's next message; it carries its number, and may be dated otherwise."""
        number = self.sent[person]
        self.sent[person] += 1
        row = envelope(Withdraw(to="450100", person=person, transfer=UUID(int=number)))
        return row._replace(sent_at=row.sent_at + sent_after)

    def send(self, rows: Sequence[Sent]) -> None:
        """Onto the topic, in this order."""
        for row in rows:
            self._producer.produce(
                f"{self.cell}.transfer.commands", row.body, row.key.encode(),
                partition_of(row.key, PARTITIONS), headers=row.headers("test"),
            )  # fmt: skip
        self._producer.poll(0)

    @asynccontextmanager
    async def pouring(self, a_second: int = 200, people: int = 20) -> AsyncIterator[None]:
        """Messages to people by turns, while something happens."""

        async def pour() -> None:
            begun, done = time.monotonic(), 0
            while True:
                due = int((time.monotonic() - begun) * a_second)
                self.send([self.next_to(self.person(n % people)) for n in range(done, due)])
                done = due
                await asyncio.sleep(_TICK)

        task = asyncio.create_task(pour())
        try:
            yield
        finally:
            # One that ended by itself failed: who waits for its messages would wait for ever.
            ended = task.done()
            task.cancel()
            failures = await asyncio.gather(task, return_exceptions=True)
        if ended:
            raise AssertionError(f"the pouring stopped: {failures[0]!r}")

    # --- what came of it

    async def counts(self) -> Counter[str]:
        try:
            db = await asyncpg.connect(self._dsn, timeout=10)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return Counter()
        try:
            rows = await db.fetch(
                "SELECT person, n FROM transfer.counts WHERE person LIKE $1", f"{self.cell}-%"
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return Counter()
        finally:
            db.terminate()
        return Counter({row["person"]: row["n"] for row in rows})

    async def some_more(self, more: int = 1) -> None:
        """Waits until so many more are handled."""
        before = (await self.counts()).total()

        async def handled() -> bool:
            return (await self.counts()).total() >= before + more

        await until(f"{more} more messages to be handled", handled)

    async def settled(self) -> float:
        """Waits until everything is handled and published; how long it took."""
        begun = time.monotonic()
        left = await asyncio.to_thread(self._producer.flush, SECONDS)
        assert left == 0, f"{left} messages never reached Kafka"

        async def handled() -> bool:
            return (await self.counts()).total() >= self.sent.total()

        await until("every message to be handled", handled)

        async def published() -> bool:
            db = await asyncpg.connect(self._dsn)
            left = await db.fetchval(
                "SELECT sum(seq - published) FROM transfer.lanes WHERE name LIKE $1",
                f"{self.cell}.%",
            )
            await db.close()
            return int(left or 0) == 0

        await until("every answer to be published", published)
        return time.monotonic() - begun

    async def assert_all_once_in_order(self) -> None:
        """Every message was counted once and in its turn, and its answer is on the bus."""
        assert await self.counts() == self.sent
        told = await asyncio.to_thread(self._answers)
        assert {person: len(answers) for person, answers in told.items()} == dict(self.sent)
        for person, answers in told.items():
            turns = [(number, number) for number in range(self.sent[person])]
            assert answers == turns, f"{person}: (message, its turn) {answers}"

    def _answers(self) -> dict[str, list[tuple[int, int]]]:
        """Of each person, the message and the turn that each answer tells, as first published."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._kafka,
                "group.id": f"answers-{uuid4()}",
                "enable.auto.commit": False,
                "enable.partition.eof": False,
            }
        )
        ends = {}
        for n in range(PARTITIONS):
            first, end = consumer.get_watermark_offsets(TopicPartition("cn.transfer.events", n), 30)
            if end > first:
                ends[n] = end
        consumer.assign([TopicPartition("cn.transfer.events", n, 0) for n in ends])
        seen: set[UUID] = set()
        told: dict[str, list[tuple[int, int]]] = defaultdict(list)
        while ends:
            record = consumer.poll(30)
            assert record is not None, "Kafka does not give what it holds"
            assert record.error() is None, record.error()
            if record.offset() + 1 >= ends[record.partition()]:
                del ends[record.partition()]
                consumer.pause([TopicPartition("cn.transfer.events", record.partition())])
            headers = dict(record.headers())
            id_ = UUID(headers["ce_id"].decode())
            if not headers["lane"].decode().startswith(f"{self.cell}.") or id_ in seen:
                continue
            seen.add(id_)
            message = read(headers["ce_type"].decode(), record.value())
            assert isinstance(message, WithdrawalRefused)
            told[message.person].append((message.transfer.int, int(message.code)))
        consumer.close()
        return told


def shuffled_between_keys(rows: Sequence[Sent], chance: random.Random) -> list[Sent]:
    """Another order of all, with the order of each key as it was."""
    keys = [row.key for row in rows]
    chance.shuffle(keys)
    queues: dict[str, list[Sent]] = defaultdict(list)
    for row in reversed(rows):
        queues[row.key].append(row)
    return [queues[key].pop() for key in keys]


@asynccontextmanager
async def office_of(
    dsn: str, kafka: str, folder: Path, replication: int = 1
) -> AsyncIterator[Office]:
    """An office that is closed at the end, its workers with it."""
    office = Office(dsn, kafka, folder)
    await office.prepare(replication)
    try:
        yield office
    finally:
        await office.close()
