"""What is asked about items: lists, one with its history, and what is known of a subject."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

WAITING = ("open", "proposed")

_ITEMS = """
SELECT * FROM items
 WHERE region = ANY($1) AND ($2::text IS NULL OR queue = $2) AND state = ANY($3)
 ORDER BY opened_at, item LIMIT $4
"""

_STEPS = """
SELECT * FROM item_steps WHERE item = $1
 ORDER BY at, array_position(ARRAY['opened', 'changed', 'proposed', 'refused', 'approved',
   'rejected', 'done'], what), step
"""

# Both sides of a transfer, the destination's first.
_SIDES = """
SELECT person, region AS "to", origin, region AS destination, 1 AS rank
  FROM claims WHERE transfer = $1
UNION ALL
SELECT person, region, region, destination, 2 FROM releases WHERE transfer = $1 ORDER BY rank
"""

_RECEIPT = 'SELECT account, region AS "to", bank FROM receipts WHERE receipt = $1'


async def items(
    pool: asyncpg.Pool, regions: Sequence[str], queue: str | None, states: Sequence[str], most: int
) -> list[asyncpg.Record]:
    """The items of these regions, the oldest first."""
    return list(await pool.fetch(_ITEMS, regions, queue, states, most))


# What is about a transfer, about a payment that it was paid by or may be, or proposed for it.
_ITEMS_OF = """
WITH side AS (
  SELECT person FROM claims WHERE transfer = $2
   UNION SELECT person FROM releases WHERE transfer = $2),
named AS (
  SELECT split_part(subject, '/', 1) || '/' || split_part(subject, '/', 2) AS subject FROM entries
   WHERE person IN (SELECT person FROM side) AND transfer = $2
     AND kind IN ('apply', 'undo-match')
   UNION SELECT receipt || '/' || part FROM waiting WHERE look = replace($2::text, '-', ''))
SELECT * FROM items
 WHERE region = ANY($1)
   AND (about IN (SELECT person FROM side) AND $2::text IN (
          subject, split_part(subject, '/', 3), facts->>'transfer', body->>'transfer')
     OR subject IN (SELECT subject FROM named)
     OR state = 'proposed' AND body->>'transfer' = $2::text)
 ORDER BY opened_at, item
"""


async def items_of(
    pool: asyncpg.Pool, regions: Sequence[str], transfer: UUID
) -> list[asyncpg.Record]:
    """The items that concern a transfer, open and decided, the oldest first."""
    return list(await pool.fetch(_ITEMS_OF, regions, transfer))


async def item(pool: asyncpg.Pool, id_: UUID) -> asyncpg.Record | None:
    """One item."""
    return await pool.fetchrow("SELECT * FROM items WHERE item = $1", id_)


async def steps(pool: asyncpg.Pool, id_: UUID) -> list[asyncpg.Record]:
    """What was done with it."""
    return list(await pool.fetch(_STEPS, id_))


async def known_of(
    pool: asyncpg.Pool,
    region: object,
    transfer: UUID | None,
    receipt: UUID | None,
    *,
    by_origin: bool = False,
) -> dict[str, object]:
    """Who and where a transfer and a receipt are, so that nobody has to type it: of the side at
    `region`, else of the destination; `by_origin`, of the origin's side alone.
    """
    known: dict[str, object] = {}
    if transfer is not None:
        sides = await pool.fetch(_SIDES, transfer)
        sides = [side for side in sides if side["to"] == side["origin"] or not by_origin]
        own = [side for side in sides if side["to"] == region] or sides
        known |= dict(own[0]) if own else {}
    if receipt is not None:
        row = await pool.fetchrow(_RECEIPT, receipt)
        known |= dict(row) if row else {}
    return known


# What a payer still owed when a payment came, day by day of release; no day with too many to try.
_OPEN = """
WITH part AS (
  SELECT p.region, p.payer_region, r.booked_on,
         p.suspended_fen - p.reserved_fen - p.applied_fen - p.returned_fen AS rest_fen
    FROM receipt_parts p JOIN receipts r USING (receipt)
   WHERE p.receipt = $1 AND p.part = $2 AND p.refs = '{}'),
owed AS (
  SELECT c.released_on, c.transfer, c.open_fen + c.awaiting_fen - c.reserved_fen AS fen,
         part.rest_fen, count(*) OVER (PARTITION BY c.released_on) AS claims
    FROM part JOIN claims c ON c.region = part.region AND c.origin = part.payer_region
     AND c.released_on BETWEEN part.booked_on - 92 AND part.booked_on
   WHERE c.open_fen + c.awaiting_fen - c.reserved_fen BETWEEN 1 AND part.rest_fen)
SELECT * FROM owed WHERE claims <= $3 ORDER BY released_on, transfer
"""


async def owed_by_day(
    pool: asyncpg.Pool, receipt: UUID, part: int, most: int
) -> tuple[int, dict[date, dict[UUID, int]]]:
    """What is left of a payment without a reference, and what its payer owed, by day of release."""
    days: dict[date, dict[UUID, int]] = {}
    rest_fen = 0
    for row in await pool.fetch(_OPEN, receipt, part, most):
        rest_fen = row["rest_fen"]
        days.setdefault(row["released_on"], {})[row["transfer"]] = row["fen"]
    return rest_fen, days
