"""What is asked of the books about a person, a receipt, a corridor."""

from datetime import datetime
from uuid import UUID

import asyncpg

_ACCOUNTS_OF = """
SELECT h.region, h.personal_credit_fen - h.personal_debit_fen AS balance_fen,
       CASE WHEN h.frozen_until IS NULL
              OR h.frozen_until > (cell.business_now() AT TIME ZONE 'Asia/Shanghai')::date
            THEN h.frozen END AS frozen, h.frozen_until,
       coalesce(sum(c.open_fen), 0)::bigint AS unfunded_fen,
       coalesce(sum(c.undue_fen - c.recovered_fen - c.excused_fen), 0)::bigint AS recoverable_fen
  FROM holders h LEFT JOIN claims c ON c.person = h.person AND c.region = h.region
 WHERE h.person = $1 AND (h.account OR h.personal_credit_fen > 0)
 GROUP BY h.person, h.region ORDER BY h.region
"""


async def accounts_of(pool: asyncpg.Pool, person: str) -> list[asyncpg.Record]:
    """A person's accounts: region, balance, open advance and what the person owes."""
    return list(await pool.fetch(_ACCOUNTS_OF, person))


# A part's state: what of it has found its transfer.
RECEIPT_STATES = ("matched", "reserved", "partly", "unmatched", "returned", "internal")
_RECEIPTS = """
WITH stated AS (
  SELECT r.receipt, p.part, r.account, r.region, r.booked_on, p.amount_fen, p.applied_fen,
         p.reserved_fen, p.suspended_fen - p.applied_fen - p.returned_fen AS suspense_fen,
         p.payer_region, p.verdict, p.rule, p.transfers, p.evidence,
         CASE WHEN p.verdict = 'internal' OR p.verdict = 'returned' AND p.suspended_fen = 0
                THEN p.verdict
              WHEN p.applied_fen >= p.amount_fen THEN 'matched'
              WHEN p.applied_fen + p.reserved_fen >= p.amount_fen THEN 'reserved'
              WHEN p.applied_fen + p.reserved_fen > 0 THEN 'partly'
              WHEN p.returned_fen >= p.amount_fen THEN 'returned'
              ELSE 'unmatched' END AS state
    FROM receipt_parts p JOIN receipts r USING (receipt)
   WHERE r.region = ANY($1) AND ($4::uuid IS NULL OR receipt = $4))
SELECT * FROM stated WHERE $2::text IS NULL OR state = $2
 ORDER BY booked_on, receipt, part LIMIT $3
"""


async def receipts(
    pool: asyncpg.Pool, regions: list[str], state: str | None, limit: int, one: UUID | None = None
) -> list[asyncpg.Record]:
    """The parts of receipts of these regions (or of one), oldest first, with their state."""
    return list(await pool.fetch(_RECEIPTS, regions, state, limit, one))


_EXPOSED = """
SELECT origin, region AS destination, announced_on, count(*) AS claims,
       sum(open_fen)::bigint AS open_fen, max(open_fen) AS largest_fen
  FROM claims WHERE region = ANY($1) AND open_fen > 0
 GROUP BY origin, region, announced_on ORDER BY origin, region, announced_on
"""


async def exposed(pool: asyncpg.Pool, destinations: list[str]) -> list[asyncpg.Record]:
    """Open advances by corridor and the day they were announced."""
    return list(await pool.fetch(_EXPOSED, destinations))


_CORRIDORS_INTO = """
SELECT k.*, coalesce(d.n, 0) AS waiting, coalesce(d.fen, 0)::bigint AS waiting_fen
  FROM corridors k
  LEFT JOIN (SELECT origin, destination, count(*) AS n, sum(amount_fen) AS fen
               FROM declined GROUP BY 1, 2) d USING (origin, destination)
 WHERE k.destination = ANY($1) ORDER BY k.origin, k.destination
"""


async def corridors_into(pool: asyncpg.Pool, destinations: list[str]) -> list[asyncpg.Record]:
    """The corridors into these regions, and who waits there for an advance."""
    return list(await pool.fetch(_CORRIDORS_INTO, destinations))


_ACTS = """
SELECT DISTINCT ON (what) what, at, code, facts FROM corridor_acts
 WHERE origin = $1 AND destination = $2 AND at <= $3 ORDER BY what, at DESC, cause
"""


async def acts_until(
    pool: asyncpg.Pool, origin: str, destination: str, at: datetime
) -> list[asyncpg.Record]:
    """The last act of each kind that was decided about a corridor by then."""
    return list(await pool.fetch(_ACTS, origin, destination, at))
