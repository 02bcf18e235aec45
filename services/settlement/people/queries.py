"""What is asked about items: lists, one with its history, and what is known of a subject."""

from collections.abc import Sequence
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


async def item(pool: asyncpg.Pool, id_: UUID) -> asyncpg.Record | None:
    """One item."""
    return await pool.fetchrow("SELECT * FROM items WHERE item = $1", id_)


async def steps(pool: asyncpg.Pool, id_: UUID) -> list[asyncpg.Record]:
    """What was done with it."""
    return list(await pool.fetch(_STEPS, id_))


async def known_of(
    pool: asyncpg.Pool, region: object, transfer: UUID | None, receipt: UUID | None
) -> dict[str, object]:
    """Who and where a transfer and a receipt are, so that nobody has to type it: of the side at
    `region`, else of the destination.
    """
    known: dict[str, object] = {}
    if transfer is not None:
        sides = await pool.fetch(_SIDES, transfer)
        own = [side for side in sides if side["to"] == region] or sides
        known |= dict(own[0]) if own else {}
    if receipt is not None:
        row = await pool.fetchrow(_RECEIPT, receipt)
        known |= dict(row) if row else {}
    return known
