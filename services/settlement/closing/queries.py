"""What is asked of closed and open days: balances on any date, a month's postings, what was found.

A closed day is read from `daily`; of the days since, the postings themselves are summed.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.settlement import interest
from services.settlement.closing import selects
from services.settlement.closing.statutory import Turnover
from services.settlement.rows import columns
from services.settlement.trial_balance import AccountRow
from shared.regions import Regions

# Only regions that have moved since their last balanced day have anything to sum.
_OPEN = """
closed AS MATERIALIZED (
  SELECT region, max(day) AS day FROM closings WHERE balanced_at IS NOT NULL GROUP BY region),
open AS MATERIALIZED (
  SELECT d.region, coalesce(c.day, '-infinity') AS since
    FROM days d LEFT JOIN closed c USING (region)
   WHERE d.moved_on > coalesce(c.day, '-infinity') AND coalesce(c.day, '-infinity') < $1
     AND ($2::text[] IS NULL OR d.region = ANY($2)))
"""

DERIVED = f"""
WITH {_OPEN},
accounts AS (
  SELECT region, account FROM balances WHERE $2::text[] IS NULL OR region = ANY($2)
  UNION ALL
  SELECT region, account FROM days CROSS JOIN (VALUES ('personal'), ('awaiting')) AS v (account)
   WHERE $2::text[] IS NULL OR region = ANY($2)),
turnover AS (
  SELECT p.region, p.debit, p.credit, sum(p.amount_fen) AS fen
    FROM postings p JOIN open o ON o.region = p.region AND p.business_date > o.since
   WHERE p.business_date <= $1 AND p.business_date > (SELECT min(since) FROM open)
   GROUP BY 1, 2, 3),
legs AS (
  SELECT a.region, a.account, d.debit_total_fen AS debit, d.credit_total_fen AS credit
    FROM accounts a CROSS JOIN LATERAL (
      SELECT debit_total_fen, credit_total_fen FROM daily d
       WHERE d.region = a.region AND d.account = a.account AND d.day <= $1
       ORDER BY d.day DESC LIMIT 1) d
  UNION ALL SELECT region, debit, fen, 0 FROM turnover
  UNION ALL SELECT region, credit, 0, fen FROM turnover),
derived AS (
  SELECT region, account, sum(debit)::bigint AS debit_fen, sum(credit)::bigint AS credit_fen
    FROM legs GROUP BY 1, 2)
"""  # noqa: S608 - our own text
"""All accounts at the end of the day $1, of the regions $2 or of all: to be selected from."""

_BALANCES = DERIVED + "SELECT * FROM derived ORDER BY region, account"  # noqa: S608


async def balances(
    db: asyncpg.Connection, day: date, regions: Sequence[str] | None = None
) -> list[AccountRow]:
    """All accounts at the end of a day, of some regions or of all."""
    rows = await db.fetch(_BALANCES, day, regions)
    return [AccountRow(*row) for row in rows]


_TURNOVER = """
SELECT region, debit, credit, sum(amount_fen)::bigint AS fen FROM postings
 WHERE region = ANY($1) AND business_date BETWEEN $2 AND $3 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


async def turnover(
    db: asyncpg.Connection, regions: Sequence[str], first: date, last: date
) -> dict[str, list[Turnover]]:
    """What regions posted from one day to another, by debit and credit account."""
    found: dict[str, list[Turnover]] = {region: [] for region in regions}
    for region, debit, credit, amount_fen in await db.fetch(_TURNOVER, regions, first, last):
        found[region].append((debit, credit, amount_fen))
    return found


_DAYS = """
SELECT d.region, d.closed_on, d.moved_on,
       (SELECT max(day) FROM closings c WHERE c.region = d.region AND c.balanced_at IS NOT NULL)
         AS balanced_on
  FROM days d WHERE d.region = ANY($1) ORDER BY d.region
"""


async def days(db: asyncpg.Connection, regions: Sequence[str]) -> list[asyncpg.Record]:
    """Where each region stands: closed, balanced, and moved on which day."""
    return list(await db.fetch(_DAYS, regions))


async def open_advances(
    db: asyncpg.Connection, regions: Sequence[str], day: date
) -> list[asyncpg.Record]:
    """Advances open at the end of a day, by corridor and the day they were announced."""
    return list(await db.fetch(selects.OPEN_ADVANCES, regions, day))


_UNMATCHED = """
SELECT p.region, count(*) AS count,
       sum(p.suspended_fen - p.applied_fen - p.returned_fen)::bigint AS fen
  FROM receipt_parts p JOIN receipts r USING (receipt)
 WHERE p.region = ANY($1) AND r.booked_on <= $2
   AND p.suspended_fen > p.reserved_fen + p.applied_fen + p.returned_fen GROUP BY 1
"""


async def unmatched(
    db: asyncpg.Connection, regions: Sequence[str], day: date
) -> dict[str, tuple[int, int]]:
    """How many payments that arrived by a day are unmatched until now, and how much they are."""
    rows = await db.fetch(_UNMATCHED, regions, day)
    return {row["region"]: (row["count"], row["fen"]) for row in rows}


_LATE_RECEIPTS = """
SELECT p.region, count(*) AS count, sum(p.applied_fen)::bigint AS fen
  FROM receipt_parts p JOIN receipts r USING (receipt)
 WHERE p.region = ANY($1) AND r.booked_on BETWEEN $2 AND $3 AND p.evidence ? 'late' GROUP BY 1
"""


async def late_receipts(
    db: asyncpg.Connection, regions: Sequence[str], first: date, last: date
) -> dict[str, tuple[int, int]]:
    """How many payments came after their transfer's deadline, and how much they paid."""
    rows = await db.fetch(_LATE_RECEIPTS, regions, first, last)
    return {row["region"]: (row["count"], row["fen"]) for row in rows}


async def daily_misfits(db: asyncpg.Connection) -> int:
    """How many balances of closed days are not the sum of their postings."""
    return int(await db.fetchval(selects.DAILY_MISFITS))


async def reasons_of_interest(
    db: asyncpg.Connection, persons: Sequence[str], entries: Sequence[UUID]
) -> list[asyncpg.Record]:
    """What accounts were, day by day, until some entries credited interest to them."""
    return list(await db.fetch(selects.REASONS_OF_INTEREST, persons, entries))


async def interest_misfits(db: asyncpg.Connection, regions: Regions) -> int:
    """How many accounts have accrued something else than their postings have earned."""
    rates = [rate for region in regions.all for rate in interest.rates(region)]
    return int(await db.fetchval(selects.INTEREST_MISFITS, *columns(rates, 4)))


_LATE = """
SELECT region, count(*) AS count FROM entries
 WHERE business_date BETWEEN $2 AND $3 AND region = ANY($1) AND late IS NOT NULL GROUP BY 1
"""


async def late(
    db: asyncpg.Connection, regions: Sequence[str], first: date, last: date
) -> dict[str, int]:
    """How many entries of these days were made on an earlier one, which was closed."""
    return dict(await db.fetch(_LATE, regions, first, last))


async def mirrors(
    db: asyncpg.Connection, regions: Sequence[str], day: date
) -> list[asyncpg.Record]:
    """Both sides of the corridors of regions, as they were last compared by a day."""
    return list(await db.fetch(selects.MIRRORS, regions, day))


async def story_of(
    pool: asyncpg.Pool, transfer: UUID
) -> tuple[list[asyncpg.Record], list[asyncpg.Record], list[asyncpg.Record]]:
    """Postings, receipts and sides (release, claim) of a transfer."""
    async with pool.acquire() as db:
        sides = await db.fetch(
            "SELECT person, region, 'origin' AS side, to_jsonb(r) AS row FROM releases r"
            " WHERE transfer = $1 UNION ALL SELECT person, region, 'destination', to_jsonb(c)"
            " FROM claims c WHERE transfer = $1",
            transfer,
        )
        persons = sorted({row["person"] for row in sides})
        postings = await db.fetch(
            "SELECT e.id, e.person, e.region, e.kind, e.version, e.business_date, e.cause,"
            " e.reverses, p.debit, p.credit, p.amount_fen FROM entries e JOIN postings p"
            " ON p.person = e.person AND p.entry = e.id WHERE e.person = ANY($1)"
            " AND e.transfer = $2 ORDER BY e.business_date, e.region, e.kind, e.version, e.id,"
            " p.line",
            persons,
            transfer,
        )
        matched = await db.fetch(selects.MATCHED, persons, transfer, transfer.hex)
    return list(postings), list(matched), list(sides)


_ENTRY = (
    "SELECT e.n, e.id, e.person, e.region, e.kind, e.subject, e.version, e.transfer,"
    " e.business_date, e.late, e.cause, e.reverses, p.debit, p.credit, p.amount_fen"
    " FROM entries e JOIN postings p ON p.person = e.person AND p.entry = e.id"
)


async def moved_on(
    db: asyncpg.Connection, region: str, account: str, day: date, limit: int
) -> list[asyncpg.Record]:
    """The last days up to one on which an account moved, with its turnover."""
    return list(await db.fetch(selects.MOVED, region, account, day, limit))


async def entries_on(
    db: asyncpg.Connection, region: str, account: str, day: date, limit: int
) -> list[asyncpg.Record]:
    """What was posted to an account on a day."""
    which = " WHERE p.region = $1 AND $2 IN (p.debit, p.credit) AND p.business_date = $3"
    query = f"{_ENTRY}{which} ORDER BY e.n, p.line LIMIT $4"
    return list(await db.fetch(query, region, account, day, limit))


# Whose it is first: then the journal's own key finds it, and its postings.
ENTRY_BY_ID = (
    f"{_ENTRY} WHERE e.id = $1 AND e.person ="  # noqa: S608 - a constant
    " (SELECT person FROM entries WHERE id::text = $1::uuid::text) ORDER BY p.line"
)


async def entry(db: asyncpg.Connection, id_: UUID) -> list[asyncpg.Record]:
    """The postings of an entry."""
    async with db.transaction():
        # The index says of a piece of the journal what is not in it; the planner cannot know.
        await db.execute("SET LOCAL enable_seqscan = off")
        return list(await db.fetch(ENTRY_BY_ID, id_))


async def bank_line(db: asyncpg.Connection, receipt: UUID) -> asyncpg.Record | None:
    """A line of a bank statement with the file that it came in."""
    return await db.fetchrow(
        "SELECT r.*, b.entry_key, b.statement, f.hash, f.sent_by FROM receipts r"
        " LEFT JOIN bank_lines b ON b.account = r.account AND b.receipt = r.receipt"
        " LEFT JOIN bank_files f ON f.n = b.file WHERE r.receipt = $1 LIMIT 1",
        receipt,
    )


async def parts_of(db: asyncpg.Connection, receipt: UUID) -> list[asyncpg.Record]:
    """The payments inside a receipt."""
    query = "SELECT * FROM receipt_parts WHERE receipt = $1 ORDER BY part"
    return list(await db.fetch(query, receipt))


async def entries_of_receipt(
    db: asyncpg.Connection, account: str, receipt: UUID
) -> list[asyncpg.Record]:
    """What was booked because of a receipt: by its account, and for the transfers it was for."""
    rows = await db.fetch(
        f"{_ENTRY} WHERE e.subject LIKE $2 || '%' AND e.person IN (SELECT $1 UNION"  # noqa: S608
        " SELECT c.person FROM receipt_parts p JOIN claims c ON c.transfer = ANY(p.transfers)"
        " WHERE p.receipt = $3) ORDER BY e.n, p.line",
        account,
        str(receipt),
        receipt,
    )
    return list(rows)
