"""What is asked of netting: the sheets with their positions, lines by page, what is to be paid."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

# What a region, or the province, has to pay for final windows: the province pays once it has been
# paid. Less what a file has claimed and the books have not heard of yet.
DUE = """
SELECT p.province || to_char(make_date(p.month / 12, p.month % 12 + 1, 1), '/YYYY-MM') AS person,
       p.reference AS transfer, p.payee AS destination,
       abs(p.receivable_fen - p.payable_fen) - p.instructed_fen - coalesce(claimed.fen, 0)
         AS amount_fen
  FROM netting_positions p
  JOIN netting_windows w ON w.province = p.province AND w.month = p.month AND w.final_on <= $2
  LEFT JOIN LATERAL (
       SELECT sum(l.amount_fen)::bigint AS fen FROM remittance_lines l
        WHERE l.transfer = p.reference AND l.run <> ALL(p.runs)
          AND l.person LIKE p.province || '/%') claimed ON true
 WHERE p.payer = $1
   AND abs(p.receivable_fen - p.payable_fen) > p.instructed_fen + coalesce(claimed.fen, 0)
   AND NOT (p.payer = p.province AND EXISTS (
       SELECT FROM netting_positions o
        WHERE o.province = p.province AND o.month = p.month AND o.payee = p.province
          AND o.received_fen < abs(o.receivable_fen - o.payable_fen)))
   AND NOT EXISTS (SELECT FROM held_payments h WHERE h.transfer = p.reference
                      AND h.region = p.payer AND h.state = 'held')
 ORDER BY p.month, p.payee
"""

_WINDOWS = """
SELECT * FROM netting_windows
 WHERE province = ANY($1) AND ($2::int IS NULL OR month = $2) ORDER BY province, month
"""
_TOTALS = """
SELECT * FROM netting_totals WHERE province = ANY($1) AND ($2::int IS NULL OR month = $2)
   AND lines > 0 ORDER BY province, month, origin, destination
"""
_POSITIONS = """
SELECT * FROM netting_positions
 WHERE province = ANY($1) AND ($2::int IS NULL OR month = $2) ORDER BY province, month, region
"""
# The lines of a window and, with it, those of its month or an earlier one that are in none.
_LINES = """
SELECT l.*, w.state FROM netting_lines l
  LEFT JOIN netting_windows w ON w.province = l.province AND w.month = l.entered
 WHERE l.province = ANY($1) AND (l.origin = ANY($2) OR l.destination = ANY($2))
   AND ($3::int IS NULL OR l.entered = $3 OR (l.entered IS NULL AND l.month <= $3))
   AND (l.entered IS NOT NULL OR l.origin_fen <> 0 OR l.destination_fen <> 0)
   AND ($4::text IS NULL OR (l.person, l.transfer, l.version) > (
       SELECT person, transfer, version FROM netting_lines
        WHERE transfer = split_part($4, ':', 1)::uuid AND version = split_part($4, ':', 2)::int))
 ORDER BY l.person, l.transfer, l.version LIMIT $5
"""
_FIND = """
SELECT l.*, w.state FROM netting_lines l
  LEFT JOIN netting_windows w ON w.province = l.province AND w.month = l.entered
 WHERE l.transfer = $1 AND l.version = $2
"""

Rows = Sequence[asyncpg.Record]


async def sheets(
    pool: asyncpg.Pool, provinces: Sequence[str], month: int | None
) -> tuple[Rows, Rows, Rows]:
    """Windows, totals of corridors and positions, in one snapshot."""
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        return (
            await db.fetch(_WINDOWS, provinces, month),
            await db.fetch(_TOTALS, provinces, month),
            await db.fetch(_POSITIONS, provinces, month),
        )


async def lines(
    pool: asyncpg.Pool,
    provinces: Sequence[str],
    regions: Sequence[str],
    month: int | None,
    page: tuple[str | None, int],
) -> Rows:
    """The lines that some regions have a part in, after one of them."""
    found: Rows = await pool.fetch(_LINES, provinces, regions, month, *page)
    return found


async def find_line(db: asyncpg.Connection, transfer: UUID, version: int) -> asyncpg.Record | None:
    """The line of a transfer's version."""
    return await db.fetchrow(_FIND, transfer, version)
