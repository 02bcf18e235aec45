"""What is asked of closed and open days: balances on any date, a month's postings, what was found.

A closed day is read from `daily`; of the days since, the postings themselves are summed.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.settlement.closing.statutory import Turnover
from services.settlement.trial_balance import AccountRow

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

_BALANCES = f"""
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
  UNION ALL SELECT region, credit, 0, fen FROM turnover)
SELECT region, account, sum(debit)::bigint AS debit_fen, sum(credit)::bigint AS credit_fen
  FROM legs GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - our own text


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


# What was open at the end of a day: what is open now, without what was posted since.
_OPEN_ADVANCES = """
WITH since AS (
  SELECT e.person, e.transfer,
         sum(CASE WHEN p.debit LIKE 'advance:%' THEN p.amount_fen ELSE -p.amount_fen END) AS fen
    FROM postings p JOIN entries e ON e.person = p.person AND e.id = p.entry
   WHERE p.business_date > $2 AND p.region = ANY($1)
     AND (p.debit LIKE 'advance:%' OR p.credit LIKE 'advance:%') GROUP BY 1, 2),
stood AS (
  SELECT c.origin, c.region, c.announced_on, c.open_fen - coalesce(s.fen, 0) AS fen
    FROM claims c LEFT JOIN since s USING (person, transfer) WHERE c.region = ANY($1))
SELECT origin, region AS destination, announced_on, count(*) AS claims, sum(fen)::bigint AS open_fen
  FROM stood WHERE fen > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


async def open_advances(
    db: asyncpg.Connection, regions: Sequence[str], day: date
) -> list[asyncpg.Record]:
    """Advances open at the end of a day, by corridor and the day they were announced."""
    return list(await db.fetch(_OPEN_ADVANCES, regions, day))


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


_LATE = """
SELECT region, count(*) AS count FROM entries
 WHERE business_date BETWEEN $2 AND $3 AND region = ANY($1) AND late IS NOT NULL GROUP BY 1
"""


async def late(
    db: asyncpg.Connection, regions: Sequence[str], first: date, last: date
) -> dict[str, int]:
    """How many entries of these days were made on an earlier one, which was closed."""
    return dict(await db.fetch(_LATE, regions, first, last))


# The last comparison by a day; `since` is the first of those that left something unexplained, up
# to the last one.
_MIRRORS = """
SELECT DISTINCT ON (origin, destination) m.*,
       CASE WHEN unexplained_fen <> 0 THEN (
         SELECT min(day) FROM mirrors b
          WHERE b.origin = m.origin AND b.destination = m.destination AND b.day <= m.day
            AND b.unexplained_fen <> 0 AND b.day > coalesce((
              SELECT max(day) FROM mirrors w
               WHERE w.origin = m.origin AND w.destination = m.destination AND w.day < m.day
                 AND w.unexplained_fen = 0), '-infinity')) END AS since
  FROM mirrors m WHERE day <= $2 AND (origin = ANY($1) OR destination = ANY($1))
 ORDER BY origin, destination, day DESC
"""


async def mirrors(
    db: asyncpg.Connection, regions: Sequence[str], day: date
) -> list[asyncpg.Record]:
    """Both sides of the corridors of regions, as they were last compared by a day."""
    return list(await db.fetch(_MIRRORS, regions, day))


# Bank lines that an entry of the transfer names in its subject, and those that name the transfer
# and still wait.
_MATCHED = """
WITH named AS (
  SELECT split_part(subject, '/', 1)::uuid AS receipt, split_part(subject, '/', 2)::int AS part
    FROM entries
   WHERE person = ANY($1) AND transfer = $2 AND kind IN ('apply', 'debit', 'return', 'send-back')
  UNION SELECT receipt, part FROM waiting WHERE look = $3)
SELECT r.receipt, n.part, r.account, r.region, r.booked_on,
       coalesce(p.amount_fen, r.amount_fen) AS amount_fen,
       coalesce(p.applied_fen, 0) AS applied_fen,
       coalesce(p.verdict, r.booked) AS verdict, coalesce(p.rule, 'reference') AS rule,
       coalesce(p.evidence, '{}') AS evidence
  FROM named n JOIN receipts r USING (receipt)
  LEFT JOIN receipt_parts p ON p.receipt = n.receipt AND p.part = n.part
 ORDER BY r.booked_on, r.receipt, n.part
"""


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
            "SELECT e.id, e.region, e.kind, e.version, e.business_date, e.cause, e.reverses,"
            " p.debit, p.credit, p.amount_fen FROM entries e JOIN postings p"
            " ON p.person = e.person AND p.entry = e.id WHERE e.person = ANY($1)"
            " AND e.transfer = $2 ORDER BY e.business_date, e.region, e.kind, e.version, e.id,"
            " p.line",
            persons,
            transfer,
        )
        matched = await db.fetch(_MATCHED, persons, transfer, transfer.hex)
    return list(postings), list(matched), list(sides)
