"""Closing on a real database: it waits for whoever posts, and whoever comes after sees it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from services.settlement.app import Settlement
from shared.messages.settlement import OpenAccount
from shared.messages.settlement_closing import CloseDay, DayClosed
from shared.regions import load
from shared.sealing import Keyring
from shared.settings import read_secrets, settings
from tests.integration.drive import START, connect, drive
from tests.unit.settlement_world import A, B, open_account, some_id

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
