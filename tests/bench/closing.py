"""`python -m tests.bench.closing`: a million postings in a PostgreSQL of its own, and how long the
balances, the closing of days and the views of a month take over them.

The books are loaded as sets, as three months of whole transfers: opened, released, instructed,
debited, advanced, received, applied, and a contribution.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import asyncpg

from deploy.embedded import stack
from deploy.migrations.__main__ import upgrade
from services.settlement import snapshots
from services.settlement.closing import queries, store
from services.settlement.closing.report import cash_basis, movements, on_a_day
from services.settlement.trial_balance import trial_balance

REGIONS = ("130100", "130600", "340100", "410100", "450100", "450300")
FIRST, DAYS = date(2026, 1, 1), 90
PER_TRANSFER = 8

_CASES = """
CREATE TEMP TABLE cases AS
SELECT lpad(to_hex(i), 32, '0') AS person, md5('t' || i)::uuid AS transfer, i,
       ($2::text[])[1 + i % 6] AS o, ($2::text[])[1 + (i + 1 + i / 6 % 5) % 6] AS d,
       100000 + i % 1000000 AS fen, $3::date + (i::bigint * $4 / $1)::int AS day
  FROM generate_series(0, $1 - 1) AS i
"""
# One posting each; `account` instead of the person where the bank says it.
_EVENTS = """
CREATE TEMP TABLE events AS
SELECT c.i, v.n, CASE WHEN v.bank THEN v.region || ':' || split_part(v.bank_account, ':', 2)
       ELSE c.person END AS person, md5(v.kind || c.i)::uuid AS id, v.region, v.kind,
       CASE WHEN v.transfer THEN c.transfer END AS transfer, v.debit, v.credit, c.fen, c.day
  FROM cases c CROSS JOIN LATERAL (VALUES
    (0, o, 'open', false, false, '', 'opening', 'personal'),
    (1, o, 'release', true, false, '', 'personal', 'payable:' || d),
    (2, d, 'advance', true, false, '', 'advance:' || o, 'personal'),
    (3, o, 'instruct', true, false, '', 'payable:' || d, 'remitting'),
    (4, o, 'debit', true, false, '', 'remitting', 'bank:expense'),
    (5, d, 'receipt', false, true, 'x:income', 'bank:income', 'suspense'),
    (6, d, 'apply', true, false, '', 'suspense', 'advance:' || o),
    (7, d, 'contribute', false, false, '', 'contributions', 'personal')
  ) AS v (n, region, kind, transfer, bank, bank_account, debit, credit)
 ORDER BY c.day, c.i, v.n
"""
_BOOKS = (
    "INSERT INTO entries (person, id, region, kind, subject, version, transfer, business_date,"
    " cause) SELECT person, id, region, kind, i::text, 1, transfer, day, id FROM events"
    " ORDER BY day, i, n",
    "INSERT INTO postings SELECT person, id, 0, region, debit, credit, fen, day FROM events"
    " ORDER BY day, i, n",
    "INSERT INTO balances SELECT region, account, sum(debit), sum(credit) FROM ("
    " SELECT region, debit AS account, fen AS debit, 0 AS credit FROM events"
    " UNION ALL SELECT region, credit, 0, fen FROM events) l WHERE account <> 'personal'"
    " GROUP BY 1, 2",
    "INSERT INTO holders (person, region, account, personal_debit_fen, personal_credit_fen)"
    " SELECT person, o, true, fen, fen FROM cases"
    " UNION ALL SELECT person, d, true, 0, 2 * fen FROM cases",
    "INSERT INTO releases (person, transfer, region, destination, opened_at, version,"
    " principal_fen, released_fen, debited_fen, released_on)"
    " SELECT person, transfer, o, d, day, 1, fen, fen, fen, day FROM cases",
    "INSERT INTO claims (person, transfer, region, origin, opened_at, announced_on, released_on,"
    " versions, announced_fen, credited_fen, matched_fen, advance)"
    " SELECT person, transfer, d, o, day, day, day, '{1}', fen, fen, fen, true FROM cases",
    "INSERT INTO corridors SELECT DISTINCT o, d, 0, 0 FROM cases",
    "INSERT INTO days SELECT region, NULL, max(day) FROM events GROUP BY region",
)


async def load(db: asyncpg.Connection, postings: int) -> None:
    """The books of so many postings."""
    await db.execute("SET search_path = settlement")
    await db.execute(
        _CASES.replace("$1", str(postings // PER_TRANSFER))
        .replace("$2", f"'{{{','.join(REGIONS)}}}'")
        .replace("$3", f"'{FIRST}'")
        .replace("$4", str(DAYS))
    )
    for statement in (_EVENTS, *_BOOKS, "DROP TABLE cases, events", "VACUUM ANALYZE"):
        await db.execute(statement)


async def close(db: asyncpg.Connection, last: date) -> None:
    """Every region's day was closed; the balances of all days since the last are written."""
    await db.execute("INSERT INTO closings SELECT region, $1, closed_on, now(), '' FROM days", last)
    await db.execute("UPDATE days SET closed_on = $1", last)
    async with db.transaction():
        await store.balance_closed(db, ())


class Clock:
    """Seconds of each question, the best of a few where it can be asked again."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}

    async def time(self, name: str, asked: Callable[[], Awaitable[object]], times: int = 3) -> None:
        best = float("inf")
        for _ in range(times):
            began = time.perf_counter()
            await asked()
            best = min(best, time.perf_counter() - began)
        self.found[name] = round(best, 3)


async def now(pool: asyncpg.Pool) -> None:
    assert trial_balance(await snapshots.snapshot(pool), lambda _: True)["balanced"]


async def explained(db: asyncpg.Connection) -> None:
    id_ = await db.fetchval("SELECT entry FROM postings OFFSET 4711 LIMIT 1")
    assert await queries.entry(db, id_)


async def dated(db: asyncpg.Connection, day: date, regions: list[str] | None = None) -> None:
    rows = await queries.balances(db, day, regions)
    assert on_a_day(day, rows, lambda _: True)["balanced"]


async def month(db: asyncpg.Connection) -> None:
    first, end = date(2026, 3, 1), date(2026, 3, 31)
    moved = (await queries.turnover(db, REGIONS[:1], first, end))[REGIONS[0]]
    before = await queries.balances(db, first - timedelta(days=1), REGIONS[:1])
    after = await queries.balances(db, end, REGIONS[:1])
    assert cash_basis("", "", moved, movements(before, after))["balanced"]


async def measure(dsn: str, postings: int) -> dict[str, float]:
    """Seconds of each question."""
    clock, last = Clock(), FIRST + timedelta(days=DAYS - 1)
    own = {"search_path": "settlement", "role": "jiexu_settlement"}
    owner = await asyncpg.connect(dsn)
    await clock.time("load", lambda: load(owner, postings), 1)
    await owner.close()
    async with (
        asyncpg.create_pool(dsn, min_size=1, server_settings=own) as pool,
        pool.acquire() as db,
    ):
        await clock.time("trial_balance_now", lambda: now(pool))
        await clock.time("entry_by_its_id", lambda: explained(db))
        await clock.time("trial_balance_of_a_date_nothing_closed", lambda: dated(db, last))
        await clock.time("closing_89_days", lambda: close(db, last - timedelta(days=1)), 1)
        await clock.time("trial_balance_of_a_date", lambda: dated(db, date(2026, 2, 14)))
        await clock.time("trial_balance_of_the_open_day", lambda: dated(db, last))
        await clock.time("closing_one_day", lambda: close(db, last), 1)
        await clock.time("statutory_of_a_month", lambda: month(db))
    return clock.found


def main() -> None:
    """Prints the seconds as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--postings", type=int, default=1_000_000)
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="jiexu-closing-"))
    try:
        running = stack.up(home, services=(), report=lambda _: None)
        upgrade(running.database)
        print(json.dumps(asyncio.run(measure(running.database, asked.postings)), indent=1))  # noqa: T201
    finally:
        stack.down(home, lambda _: None)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
