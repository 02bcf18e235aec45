"""What the books know of a corridor's history: claims, and when their money came."""

import json
from typing import Any

import asyncpg

MOST_CLAIMS = 20_000
"""The newest claims of a corridor, which are more than enough; and all that is open."""

MOST_LENT = 5_000

# What counts as money: a receipt, or a net sheet. What was taken back is no claim any more.
_CLAIMS = """
WITH chosen AS (
  (SELECT * FROM claims WHERE region = $1 AND origin = $2
    ORDER BY CASE WHEN $4 THEN 0 ELSE hashtext(transfer::text) END, announced_on DESC, transfer
    LIMIT $3)
  UNION
  SELECT * FROM claims WHERE $4 AND region = $1 AND origin = $2 AND open_fen > 0),
paid AS (
  SELECT c.person, c.transfer, e.business_date AS on, sum(p.amount_fen)::bigint AS fen
    FROM chosen c
    JOIN entries e ON e.person = c.person AND e.transfer = c.transfer AND e.region = c.region
    JOIN postings p ON p.person = e.person AND p.entry = e.id
   WHERE (p.debit = 'suspense' OR p.debit LIKE 'clearing:%')
     AND (p.credit LIKE 'advance:%' OR p.credit LIKE 'awaited:%')
   GROUP BY 1, 2, 3)
SELECT c.announced_on AS on, c.announced_fen AS fen, c.open_fen + c.awaiting_fen AS open,
       c.open_fen > 0 AS advanced,
       c.advance AND coalesce(c.declined, '') NOT IN ('switched_off', 'no_account', 'deceased')
         AS eligible,
       (SELECT coalesce(json_agg(json_build_array(p.on, p.fen) ORDER BY p.on), '[]')
          FROM paid p WHERE p.person = c.person AND p.transfer = c.transfer) AS paid
  FROM chosen c WHERE c.announced_fen > 0 ORDER BY c.announced_on, c.transfer
"""


async def claims(
    db: asyncpg.Connection, origin: str, destination: str, *, most: int, with_open: bool
) -> list[dict[str, Any]]:
    """The claims of a corridor: the newest ones and all that is open; or (without `with_open`) some
    of all ages, as if drawn: the newest tell nothing of what comes late.
    """
    rows = await db.fetch(_CLAIMS, destination, origin, most, with_open)
    return [{**row, "on": str(row["on"]), "paid": json.loads(row["paid"])} for row in rows]
