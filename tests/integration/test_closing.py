"""Closing on a real database: it waits for whoever posts, and whoever comes after sees it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from services.settlement.app import Settlement
from services.settlement.closing import queries, store
from shared.messages import Message
from shared.messages.settlement import OpenAccount, Spend
from shared.messages.settlement_closing import CloseDay, DayClosed
from shared.regions import load
from shared.sealing import Keyring
from shared.settings import read_secrets, settings
from tests.integration.drive import START, connect, drive
from tests.unit.settlement_world import (
    A,
    B,
    open_account,
    some_id,
)

TODAY = START.date()
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def books(secrets: Path) -> Settlement:
    return Settlement(load(settings().regions), Keyring(read_secrets(secrets)))


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


def opening(number: int, region: str = B) -> OpenAccount:
    person = f"{number:032x}"
    return open_account(region, 100, person=person, record=some_id(f"opening {number}"))


async def waits_for_a_day(db: asyncpg.Connection) -> None:
    """Until somebody waits for the lock of a day."""
    async with asyncio.timeout(20):
        while not await db.fetchval(  # noqa: ASYNC110 - another session's lock
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 9"
            " AND NOT granted)"
        ):
            await asyncio.sleep(0.005)


async def dates(db: asyncpg.Connection) -> list[tuple[date, str | None]]:
    rows = await db.fetch("SELECT business_date, late FROM entries ORDER BY n")
    return [(row["business_date"], row["late"]) for row in rows]


async def test_closing_waits_for_open_transactions_and_later_ones_bear_the_next_day(
    db: asyncpg.Connection, books: Settlement, database: str
) -> None:
    closer, poster = await connect(database), await connect(database)
    posting = db.transaction()
    await posting.start()
    await drive(db, books, [opening(1)])
    closing = asyncio.create_task(drive(closer, books, [CloseDay(to=B, day=TODAY)]))
    await waits_for_a_day(poster)
    # Whoever comes behind the closing waits as well, and sees what it did.
    behind = asyncio.create_task(drive(poster, books, [opening(2)]))
    unharmed = await connect(database)
    await drive(unharmed, books, [opening(3, A)])
    assert not closing.done()

    await posting.commit()
    said = await closing
    await behind

    assert said == [DayClosed(to=B, day=TODAY)]
    assert sorted(await dates(db)) == [
        (TODAY, None),
        (TODAY, None),
        (TOMORROW, "day-closed"),
    ]
    for connection in (closer, poster, unharmed):
        await connection.close()


async def test_entries_are_numbered_and_their_postings_bear_their_day(
    db: asyncpg.Connection, books: Settlement
) -> None:
    await drive(db, books, [opening(1), CloseDay(to=B, day=TODAY), opening(2)])

    rows = await db.fetch(
        "SELECT e.n, e.business_date = p.business_date AS same FROM entries e"
        " JOIN postings p ON p.person = e.person AND p.entry = e.id ORDER BY e.n"
    )

    assert [tuple(row) for row in rows] == [(1, True), (2, True)]
    assert await dates(db) == [(TODAY, None), (TOMORROW, "day-closed")]


def at(day: int, hour: int = 12) -> datetime:
    return START + timedelta(days=day, hours=hour - START.hour)


def spending(number: int, region: str = B) -> Spend:
    record = some_id(f"spend {number}")
    return Spend(to=region, person=f"{number:032x}", record=record, amount_fen=number + 1)


async def balance_days(db: asyncpg.Connection) -> list[Message] | None:
    async with db.transaction():
        told = await store.balance_closed(db, ())
    return None if told is None else [message for _, message in told]


async def summed(db: asyncpg.Connection, day: date) -> dict[tuple[str, str], tuple[int, int]]:
    """Debits and credits by region and account, from the postings alone."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for row in await db.fetch("SELECT * FROM postings WHERE business_date <= $1", day):
        for account, debit, credit in (
            (row["debit"], row["amount_fen"], 0),
            (row["credit"], 0, row["amount_fen"]),
        ):
            known = found.get((row["region"], account), (0, 0))
            found[row["region"], account] = known[0] + debit, known[1] + credit
    return found


async def balances(db: asyncpg.Connection, day: date) -> dict[tuple[str, str], tuple[int, int]]:
    rows = await queries.balances(db, day)
    return {(r.region, r.account): (r.debit_fen, r.credit_fen) for r in rows}


async def test_any_dates_balances_are_the_sum_of_their_postings_whatever_was_closed(
    db: asyncpg.Connection, books: Settlement
) -> None:
    """Two regions, one of which is closed seldom; days without movement; an early end of a day."""
    for day in (0, 1, 4, 5, 6):
        when = at(day)
        await drive(db, books, [opening(2 * day), opening(2 * day + 1, A)], when)
        await drive(db, books, [spending(2 * day), spending(2 * day + 1, A)], when)
        if day != 5:
            await drive(db, books, [CloseDay(to=B, day=when.date())], when)
        if day == 4:
            await drive(db, books, [CloseDay(to=A, day=when.date())], when)
        await drive(db, books, [opening(100 + day)], at(day, 20))
        for _ in range(day % 3):
            await balance_days(db)

    dates_asked = [TODAY + timedelta(days=n) for n in range(-1, 9)]
    before = [await balances(db, day) for day in dates_asked]
    await balance_days(db)
    after = [await balances(db, day) for day in dates_asked]

    expected = [await summed(db, day) for day in dates_asked]
    assert before == expected
    assert after == expected
    assert expected[-1][B, "personal"][1] > 0
    assert await store.unbalanced(db) == 0
    assert await balance_days(db) is None


async def test_the_daily_rows_are_days_with_movement_and_add_up(
    db: asyncpg.Connection, books: Settlement
) -> None:
    for day in (0, 3):
        await drive(db, books, [opening(day), spending(day)], at(day))
        await drive(db, books, [CloseDay(to=B, day=at(day + 1).date())], at(day + 1))
        await balance_days(db)

    rows = await db.fetch("SELECT * FROM daily WHERE account = 'personal' ORDER BY day")

    assert [row["day"] for row in rows] == [TODAY, TODAY + timedelta(days=3)]
    assert [(row["debit_fen"], row["debit_total_fen"]) for row in rows] == [(1, 1), (4, 5)]
    assert [(row["credit_fen"], row["credit_total_fen"]) for row in rows] == [
        (100, 100),
        (100, 200),
    ]


async def test_posting_and_closing_at_the_same_time_leave_no_entry_in_a_closed_day(
    db: asyncpg.Connection, books: Settlement, database: str
) -> None:
    """Four writers, each with its own clock around midnight, and a closer beside them."""
    posters = [await connect(database) for _ in range(4)]
    closed_after: list[tuple[date, int]] = []

    async def post(lane: int, connection: asyncpg.Connection) -> None:
        for n in range(30):
            when = at(0, 23) + timedelta(hours=n // 4, minutes=lane)
            number = 1000 * lane + n
            await drive(connection, books, [opening(number), opening(number + 500, A)], when)

    async def close() -> None:
        for day in range(4):
            while await db.fetchval("SELECT count(*) FROM entries") < 40 * (day + 1):  # noqa: ASYNC110 - others write
                await asyncio.sleep(0.002)
            on = TODAY + timedelta(days=day)
            await drive(db, books, [CloseDay(to=B, day=on), CloseDay(to=A, day=on)], at(day, 23))
            closed_after.append((on, await db.fetchval("SELECT max(n) FROM entries")))
            await balance_days(db)

    await asyncio.gather(close(), *(post(n, one) for n, one in enumerate(posters)))

    for on, number in closed_after:
        query = "SELECT count(*) FROM entries WHERE n > $1 AND business_date <= $2"
        assert await db.fetchval(query, number, on) == 0
    assert await db.fetchval("SELECT count(*) FROM entries") == 240
    assert await db.fetchval("SELECT count(*) FROM entries WHERE late IS NOT NULL") > 0
    last = TODAY + timedelta(days=9)
    assert await balances(db, last) == await summed(db, last)
    for connection in posters:
        await connection.close()
