"""Limits, ages and suspension in a real PostgreSQL, with many advances at the edge at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.settlement.app import Settlement
from services.settlement.exposure import MOST_OFFERED, Limits
from shared.messages import Message
from shared.messages.settlement import AdvanceCredited, AdvanceDeclined
from shared.messages.settlement_limits import (
    ChangeLimit,
    CorridorResumed,
    CorridorSuspended,
    ReviewCorridor,
)
from shared.regions import load
from shared.sealing import Keyring
from shared.settings import read_secrets, settings
from tests.integration.desk import desk_at
from tests.integration.drive import START, connect, drive, settle
from tests.unit.settlement_world import A, B, only
from tests.unit.test_limits import WORKED
from tests.unit.test_limits_story import TWO, asked, paid, transfer

AT_ONCE = 6
EACH = 15


class Narrow(Settlement):
    """Ten yuan in each corridor; overdue after twenty days."""

    def _limits(self, origin: str, destination: str, day: date) -> Limits:
        assert day >= START.date(), (origin, destination)
        return Limits(1000, 300, (80, 95), 60, 20, 30, calendar=WORKED)


@pytest.fixture
def books(secrets: Path) -> Settlement:
    return Narrow(load(settings().regions), Keyring(read_secrets(secrets)))


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


async def corridor(db: asyncpg.Connection) -> dict[str, Any]:
    found = await db.fetchrow(
        "SELECT * FROM corridors WHERE origin = $1 AND destination = $2", A, B
    )
    return dict(found)


async def ages(db: asyncpg.Connection) -> list[tuple[date, int, int]]:
    rows = await db.fetch("SELECT announced_on, open_fen, claims FROM ages ORDER BY 1")
    return [tuple(row) for row in rows]


async def test_many_at_once_never_go_above_the_limit_and_the_room_is_used_up(
    database: str, books: Settlement, db: asyncpg.Connection
) -> None:
    connections = [await connect(database) for _ in range(AT_ONCE)]

    async def arrive(worker: int) -> list[Message]:
        said: list[Message] = []
        for number in range(worker * EACH, (worker + 1) * EACH):
            said += await settle(connections[worker], books, asked(number, 70))
            if number % 3 == 0:
                said += await settle(connections[worker], books, [paid(number, 70)])
            found = await corridor(connections[worker])
            assert found["open_fen"] <= 1000
        return said

    said = [m for part in await asyncio.gather(*map(arrive, range(AT_ONCE))) for m in part]
    for connection in connections:
        await connection.close()

    found = await corridor(db)
    claims = await db.fetchrow("SELECT sum(open_fen) AS fen, max(announced_on) AS on FROM claims")
    assert 1000 - 70 < found["open_fen"] <= 1000
    assert found["open_fen"] == claims["fen"] == sum(fen for _, fen, _ in await ages(db))
    assert {m.code for m in said if isinstance(m, AdvanceDeclined)} == {"limit_reached"}


async def test_a_corridor_is_suspended_and_resumed_with_its_grounds_written_down(
    db: asyncpg.Connection, books: Settlement
) -> None:
    review = ReviewCorridor(to=B, origin=A)
    await settle(db, books, [*asked(1), *asked(2)])
    later = START + timedelta(days=25)

    suspended = only(CorridorSuspended, await settle(db, books, [review], later))
    declined = only(AdvanceDeclined, await settle(db, books, asked(3), later))
    resumed = await settle(db, books, [paid(1), paid(2)], later + timedelta(days=1))

    assert (suspended.code, suspended.overdue_fen) == ("overdue_share", 200)
    assert declined.code == "corridor_suspended"
    assert only(CorridorResumed, resumed).code == "paid"
    assert only(AdvanceCredited, resumed).transfer == transfer(3)
    acts = await db.fetch("SELECT what, code FROM corridor_acts ORDER BY at, what")
    assert [tuple(act) for act in acts] == [("suspended", "overdue_share"), ("resumed", "paid")]
    assert await db.fetchval("SELECT count(*) FROM declined") == 0
    assert [row for row in await ages(db) if row[1]] == [(later.date(), 100, 1)]


async def test_all_who_waited_are_offered_again_however_many_they_are(
    db: asyncpg.Connection, books: Settlement
) -> None:
    await settle(db, books, asked(1))
    later = START + timedelta(days=25)
    await settle(db, books, [ReviewCorridor(to=B, origin=A)], later)
    many = range(2, 2 * MOST_OFFERED + 5)
    await settle(db, books, [m for number in many for m in asked(number, 5)], later)

    said = await settle(db, books, [paid(1)], later + timedelta(days=1))

    credited = {m.transfer for m in said if isinstance(m, AdvanceCredited)}
    assert credited == {transfer(number) for number in many}


async def test_whose_advance_was_too_large_is_advanced_when_two_people_raise_that_limit(
    db: asyncpg.Connection, books: Settlement
) -> None:
    await settle(db, books, [*asked(1, 400), *asked(2, 600), *asked(3, 350)])

    said = await settle(db, books, [ChangeLimit(**TWO, single_fen=500)])

    credited = [m.transfer for m in said if isinstance(m, AdvanceCredited)]
    assert credited == [transfer(1), transfer(3)]
    assert await db.fetchval("SELECT count(*) FROM declined") == 0


async def test_a_batch_that_advances_and_reviews_sees_its_own_advances(
    db: asyncpg.Connection, books: Settlement
) -> None:
    await settle(db, books, asked(1))
    review = ReviewCorridor(to=B, origin=A)

    await drive(db, books, [*asked(2), review], START + timedelta(days=10))

    found = await corridor(db)
    assert found["oldest_on"] == START.date()
    assert found["review_on"] == START.date() + timedelta(days=21)


async def test_a_changed_limit_is_kept_with_who_changed_it(
    db: asyncpg.Connection, books: Settlement
) -> None:
    await settle(db, books, [*asked(1, 300), ChangeLimit(**TWO, open_fen=300)])

    declined = only(AdvanceDeclined, await settle(db, books, asked(2, 1)))

    assert declined.code == "limit_reached"
    facts = await db.fetchval("SELECT facts FROM corridor_acts WHERE what = 'limit-changed'")
    told = json.loads(facts)
    assert (told["open_fen"], told["proposed_by"], told["approved_by"]) == (300, "x", "y")


async def test_what_was_decided_about_a_corridor_stays_as_it_is(
    db: asyncpg.Connection, books: Settlement
) -> None:
    await settle(db, books, [ChangeLimit(**TWO, open_fen=300)])

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute("UPDATE corridor_acts SET code = 'other'")


HISTORY = """
WITH people AS (
  SELECT md5(n::text) AS person, md5('t' || n)::uuid AS transfer, md5('e' || n)::uuid AS entry,
         (SELECT cell.business_now()::date) - 20 - n % 200 AS on, n % 40 = 0 AS open
    FROM generate_series(1, 400) n),
claimed AS (
  INSERT INTO settlement.claims (person, transfer, region, origin, opened_at, announced_on,
         released_on, versions, announced_fen, credited_fen, matched_fen, open_fen, advance)
  SELECT person, transfer, '450100', '410100', now(), "on", "on", '{1}', 10000, 10000,
         CASE WHEN open THEN 0 ELSE 10000 END, CASE WHEN open THEN 10000 ELSE 0 END, true
    FROM people),
entered AS (
  INSERT INTO settlement.entries (person, id, region, kind, subject, version, transfer,
         business_date, cause)
  SELECT person, entry, '450100', 'apply', entry::text, 0, transfer, "on" + 10, entry
    FROM people WHERE NOT open)
INSERT INTO settlement.postings (person, entry, line, region, debit, credit, amount_fen,
       business_date)
SELECT person, entry, 0, '450100', 'suspense', 'advance:410100', 10000, "on" + 10
  FROM people WHERE NOT open
"""


async def test_a_forecast_is_made_of_what_the_books_know(database: str, tmp_path: Path) -> None:
    async with desk_at(database, tmp_path) as desk:
        await desk.owner.execute(HISTORY)

        asked = {"corridor": "410100>450100", "stops_paying_days": "30"}
        found = (await desk.ask("GET", "/v1/risk", params=asked)).json()
        again = (await desk.ask("GET", "/v1/risk", params=asked)).json()
        little = (await desk.ask("GET", "/v1/risk", params={"corridor": "340100>450100"})).json()
        other = await desk.ask("GET", "/v1/risk", params={"corridor": "410100>999999"})

    assert (found["enough"], found["history"]["claims"]) == (True, 400)
    assert 1 < found["delays"]["never_percent"]["median"] < 5
    assert float(found["base"]["expected_loss"]["median"]) > 500
    assert found["what_if"]["weeks"][0]["money_in"]["95"] == ["0.00", "0.00"]
    assert found == again
    assert (little["enough"], other.status_code) == (False, 422)
