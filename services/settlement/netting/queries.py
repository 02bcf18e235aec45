"""What is asked of netting: the sheets with their positions, lines by page, what is to be paid, and
where a sheet comes from: lines down to entries, positions down to the bank's file, who said what.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.settlement.netting.answers import Sheet
from shared.months import month_text

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


# Those in the sheet and, of the others, those that somebody disputed out of it.
_SHEET_LINES = """
WITH since AS (
  SELECT person, transfer, version FROM netting_lines
   WHERE transfer = split_part($4, ':', 1)::uuid AND version = split_part($4, ':', 2)::int),
here AS (
  (SELECT person, transfer, version FROM netting_lines
    WHERE province = $1 AND entered = $2 AND (origin = ANY($3) OR destination = ANY($3))
      AND ($4::text IS NULL OR (person, transfer, version) > (SELECT * FROM since))
    ORDER BY person, transfer, version LIMIT $5)
  UNION
  (SELECT l.person, l.transfer, l.version FROM netting_answers a
     JOIN netting_lines l ON l.transfer = a.transfer AND l.version = a.version
    WHERE a.province = $1 AND a.month = $2 AND l.entered IS DISTINCT FROM $2
      AND (l.origin = ANY($3) OR l.destination = ANY($3))
      AND ($4::text IS NULL OR (l.person, l.transfer, l.version) > (SELECT * FROM since))
    ORDER BY l.person, l.transfer, l.version LIMIT $5))
SELECT l.*, w.state, said.answers, booked.entries
  FROM here JOIN netting_lines l USING (person, transfer, version)
  LEFT JOIN netting_windows w ON w.province = l.province AND w.month = l.entered
  LEFT JOIN LATERAL (
       SELECT jsonb_agg(to_jsonb(a) ORDER BY a.at, a.cause) AS answers FROM netting_answers a
        WHERE a.transfer = l.transfer AND a.version = l.version AND a.province = $1
          AND a.month = $2) said ON true
  LEFT JOIN LATERAL (
       SELECT jsonb_agg(jsonb_build_object('entry', e.id, 'region', e.region, 'cause', e.cause,
                'date', e.business_date, 'debit', p.debit, 'credit', p.credit,
                'amount_fen', p.amount_fen) ORDER BY e.region, p.line) AS entries
         FROM entries e JOIN postings p ON p.person = e.person AND p.entry = e.id
        WHERE e.person = l.person AND e.transfer = l.transfer AND e.kind = 'net'
          AND e.version = l.version AND l.entered = $2) booked ON true
 ORDER BY l.person, l.transfer, l.version LIMIT $5
"""
# The payments of positions that came in: the receipt, the statement and the file that told it.
_ARRIVED = """
SELECT e.region, e.id AS entry, e.business_date, p.amount_fen, r.receipt, part.part, r.account,
       part.evidence->'references'->>0 AS reference, b.statement, encode(f.hash, 'hex') AS file
  FROM postings p JOIN entries e ON e.person = p.person AND e.id = p.entry
  JOIN receipt_parts part ON part.receipt = split_part(e.subject, '/', 1)::uuid
   AND part.part = split_part(e.subject, '/', 2)::int
  JOIN receipts r ON r.receipt = part.receipt
  LEFT JOIN bank_lines b ON b.account = r.account AND b.receipt = r.receipt
  LEFT JOIN bank_files f ON f.n = b.file
 WHERE p.region = ANY($1) AND p.debit = 'suspense' AND p.credit = $2 AND p.business_date >= $3
   AND e.kind = 'net-receipt'
 ORDER BY e.n
"""
# The payments of positions that went out, as the payer's bank has told them.
_LEFT = """
SELECT e.id AS entry, e.business_date, p.amount_fen, e.person AS account, e.subject,
       split_part(e.subject, '/', 1)::uuid AS receipt, split_part(e.subject, '/', 2)::int AS part,
       b.statement, encode(f.hash, 'hex') AS file
  FROM postings p JOIN entries e ON e.person = p.person AND e.id = p.entry
  LEFT JOIN bank_lines b ON b.account = e.person
   AND b.receipt = split_part(e.subject, '/', 1)::uuid
  LEFT JOIN bank_files f ON f.n = b.file
 WHERE p.region = ANY($1) AND p.debit = 'remitting' AND p.business_date >= $2
   AND e.kind = 'net-debit' AND e.subject = ANY($3)
 ORDER BY e.n
"""
_SAID = """
SELECT region, verdict, by, count(*) AS lines, min(at) AS first, max(at) AS last
  FROM netting_answers WHERE province = $1 AND month = $2 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


async def of_sheet(
    pool: asyncpg.Pool,
    province: str,
    month: int,
    regions: Sequence[str],
    page: tuple[str | None, int],
) -> Sheet:
    """A sheet, and the next lines of it that some regions have a part in."""
    windows, totals, positions = await sheets(pool, [province], month)
    final_on = windows[0]["final_on"] if windows else None
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        payees, payers = ([row[side] for row in positions] for side in ("payee", "payer"))
        account = f"clearing:{month_text(month)}"
        debits = [line for row in positions for line in row["debits"]]
        arrived = await db.fetch(_ARRIVED, payees, account, final_on) if final_on else []
        left = await db.fetch(_LEFT, payers, final_on, debits) if debits else []
        lines = await db.fetch(_SHEET_LINES, province, month, list(regions), *page)
        return Sheet(
            *(windows, totals, positions, lines, arrived, left),
            await db.fetch(_SAID, province, month),
        )
