"""The days of inbox and outbox come and go beside whoever reads and writes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from shared import lanes, outbox, upkeep
from shared.settings import Settings
from tests.integration.process_desk import until
from tests.integration.toy import envelope, withdraw

TODAY = datetime.now(UTC).date()


async def connect(database: str) -> asyncpg.Connection:
    own = {"role": "jiexu_transfer", "search_path": "transfer"}
    return await asyncpg.connect(database, server_settings=own)


async def days(db: asyncpg.Connection, table: str) -> list[date]:
    rows = await db.fetch(
        "SELECT right(relname, 8) AS day FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
        " WHERE inhparent = $1::text::regclass ORDER BY 1",
        table,
    )
    return [datetime.strptime(row["day"], "%Y%m%d").replace(tzinfo=UTC).date() for row in rows]


def let_days_pass(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(outbox, "real_now", lambda: datetime.now(UTC) + timedelta(days=count))


@asynccontextmanager
async def long_reader(database: str) -> AsyncIterator[None]:
    """Somebody has read the outbox and has not ended his transaction, as `pg_dump` does."""
    db = await connect(database)
    async with db.transaction():
        await db.fetch("SELECT FROM outbox")
        yield
    await db.close()


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    """The service's, as its role, with the days of today."""
    db = await connect(database)
    await upkeep.keep_partitions(db, 14, 14)
    yield db
    await db.close()


async def write(db: asyncpg.Connection, lane: str, day: int = 0) -> None:
    """A message of that day on the lane."""
    seq = await lanes.reserve(db, lane, 1)
    sent_at = datetime.now(UTC) + timedelta(days=day)
    await outbox.add(db, [envelope(withdraw("p"), seq=seq)._replace(lane=lane, sent_at=sent_at)])


async def test_days_are_made_while_somebody_reads_for_long(
    database: str, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_days_pass(monkeypatch, 3)

    async with long_reader(database), asyncio.timeout(10):
        await upkeep.keep_partitions(db, 14, 14)

    assert (await days(db, "outbox"))[-1] == TODAY + timedelta(days=5)
    assert (await days(db, "inbox"))[-1] == TODAY + timedelta(days=5)


async def test_days_are_made_while_a_batch_has_not_committed_and_the_next_does_not_wait(
    database: str, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_days_pass(monkeypatch, 3)
    batch, other = [await connect(database) for _ in range(2)]

    async with asyncio.timeout(10):
        async with batch.transaction():
            await write(batch, "a/0")
            async with db.transaction():
                await upkeep.keep_partitions(db, 14, 14)
                await write(other, "b/0")
        await write(other, "b/0", day=5)

    assert await db.fetchval("SELECT count(*) FROM outbox") == 3
    for one in (batch, other):
        await one.close()


async def test_a_day_that_somebody_reads_is_not_dropped_and_nobody_waits_long(
    database: str, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await days(db, "outbox")
    batch = await connect(database)
    let_days_pass(monkeypatch, 15)

    async with long_reader(database), asyncio.timeout(10):
        dropping = asyncio.create_task(upkeep.drop_partitions(db, 14, 14))

        async def it_waits() -> bool:
            waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
            return bool(await batch.fetchval(waiting))

        await until("it waits for the reader", it_waits, 10)
        await write(batch, "a/0")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await dropping

    assert await days(db, "outbox") == before
    await upkeep.drop_partitions(db, 14, 14)
    assert await days(db, "outbox") == before[1:]
    await batch.close()


async def test_a_day_of_which_something_is_not_published_stays_however_old(
    db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (-1, 0, 1):
        await write(db, "a/0", day)
        await write(db, "b/0", day)
    await db.execute("UPDATE lanes SET published = CASE name WHEN 'a/0' THEN 3 ELSE 1 END")
    let_days_pass(monkeypatch, 20)

    await upkeep.drop_partitions(db, 14, 14)

    assert await days(db, "outbox") == [TODAY + timedelta(days=n) for n in (0, 1)]


async def test_a_day_is_as_its_table(db: asyncpg.Connection) -> None:
    """With the same indexes, each of them a part of the table's own."""
    rows = await db.fetch(
        "SELECT t.relname, count(*) AS indexes, count(h.inhparent) AS parts FROM pg_class t"
        " JOIN pg_index i ON i.indrelid = t.oid"
        " LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid"
        " WHERE t.relispartition AND t.relnamespace = 'transfer'::regnamespace GROUP BY 1"
    )

    assert len(rows) == 17 + 4
    assert {(row["indexes"], row["parts"]) for row in rows} == {(1, 1)}


async def test_who_wakes_up_days_later_makes_the_days_within_a_minute(
    database: str, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_MINUTE", 0.01)
    own = {"role": "jiexu_transfer", "search_path": "transfer"}
    async with asyncpg.create_pool(database, min_size=1, max_size=1, server_settings=own) as pool:
        process: Any = SimpleNamespace(pool=pool, settings=Settings())
        keeping = asyncio.create_task(upkeep.partitions_loop(process))
        await asyncio.sleep(0.1)

        let_days_pass(monkeypatch, 3)

        async def made() -> bool:
            return (await days(db, "outbox"))[-1] == TODAY + timedelta(days=5)

        await until("the days are made", made, 10)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
