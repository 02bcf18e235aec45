"""A reader between Kafka and PostgreSQL: what comes while it takes over its lanes is not lost."""

from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial

import asyncpg
import pytest

from shared.dead_letters import Record
from shared.deliver import Place, deliver
from shared.outbox import Sent
from shared.reader import Position, Reader
from shared.relay import Relay
from shared.upkeep import keep_partitions
from tests.integration.toy import TABLE, Toy, envelope, withdraw

TOPIC = "cn.transfer.commands"
Where = tuple[str, int]


class Hasty:
    """Kafka that hands out a later record while the reader still asks where to begin."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.reader: Reader | None = None

    async def bounds(self, partitions: Iterable[Where]) -> dict[Where, tuple[int, int]]:
        assert self.reader
        await self.reader.take(self.records[-1:])
        return {where: (0, len(self.records)) for where in partitions}

    async def commit(self, offsets: dict[Where, int]) -> None: ...
    def pause(self, back_to: dict[Where, int]) -> None: ...
    def resume(self) -> None: ...
    async def seek(self, offsets: dict[Where, int]) -> None: ...


class Nowhere:
    """A publisher that is not asked: nothing is relayed here."""

    def hear(self) -> None: ...

    async def publish(self, rows: Sequence[Sent]) -> Sequence[bool]:
        return [False] * len(rows)


def record(offset: int, partition: int = 0) -> Record:
    sent = envelope(withdraw("somebody"))
    headers = dict(sent.headers("test"))
    now_ms = int(sent.sent_at.timestamp() * 1000)
    return Record(TOPIC, partition, offset, now_ms, sent.key, headers, sent.body)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """The toy's tables."""
    pool = await asyncpg.create_pool(
        database, min_size=1, max_size=2, server_settings={"search_path": "transfer"}
    )
    async with pool.acquire() as db:
        await db.execute(TABLE)
        await keep_partitions(db, 14, 14)
    yield pool
    await pool.close()


def reading(pool: asyncpg.Pool, kafka: Position) -> Reader:
    """A reader of the toy, at this Kafka."""
    handle = partial(deliver, Toy(), Place(lambda _: "cn", 4))
    reader = Reader("transfer", pool, Relay(pool, Nowhere(), 0.5), handle, "me")
    reader.position = kafka
    return reader


async def test_a_batch_that_comes_during_an_assignment_does_not_pass_over_what_came_before(
    pool: asyncpg.Pool,
) -> None:
    records = [record(offset) for offset in range(3)]
    kafka = Hasty(records)
    reader = kafka.reader = reading(pool, kafka)

    await reader.assign([(TOPIC, 0)], [])
    await reader.take(records)

    assert await pool.fetchval("SELECT n FROM counts") == 3


class Holed:
    """Kafka that has nothing at the first offsets: a transaction's marks are never handed out."""

    def __init__(self) -> None:
        self.sought: list[dict[Where, int]] = []

    async def bounds(self, partitions: Iterable[Where]) -> dict[Where, tuple[int, int]]:
        return dict.fromkeys(partitions, (0, 9))

    async def commit(self, offsets: dict[Where, int]) -> None: ...
    def pause(self, back_to: dict[Where, int]) -> None: ...
    def resume(self) -> None: ...
    async def seek(self, offsets: dict[Where, int]) -> None:
        self.sought.append(offsets)


async def test_offsets_that_kafka_does_not_hand_out_are_asked_for_once_and_passed(
    pool: asyncpg.Pool,
) -> None:
    kafka = Holed()
    reader = reading(pool, kafka)
    await reader.assign([(TOPIC, 0)], [])

    await reader.take([record(4)])
    before = await pool.fetchval("SELECT n FROM counts")
    await reader.take([record(4)])

    assert (before, kafka.sought) == (None, [{(TOPIC, 0): 0}])
    assert await pool.fetchval("SELECT n FROM counts") == 1


async def test_what_came_in_its_turn_beside_a_gap_is_read_again_with_it(
    pool: asyncpg.Pool,
) -> None:
    kafka = Holed()
    reader = reading(pool, kafka)
    await reader.assign([(TOPIC, 0), (TOPIC, 1)], [])

    await reader.take([record(4), record(0, 1)])

    assert kafka.sought == [{(TOPIC, 0): 0, (TOPIC, 1): 0}]


async def test_gaps_of_partitions_that_come_by_turns_are_passed_all_the_same(
    pool: asyncpg.Pool,
) -> None:
    kafka = Holed()
    reader = reading(pool, kafka)
    await reader.assign([(TOPIC, 0), (TOPIC, 1)], [])

    for batch in ([record(4)], [record(5, 1)], [record(4), record(5, 1)]):
        await reader.take(batch)

    assert await pool.fetchval("SELECT n FROM counts") == 2
    assert reader.offsets == {(TOPIC, 0): 5, (TOPIC, 1): 6}
