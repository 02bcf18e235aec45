"""The end of a day in PostgreSQL: balances by day, and both sides of every corridor compared.

What is closed does not change, so this runs beside the posting of other days and holds no lock of
theirs. It is told by the closings that have no `balanced_at` yet; a crash leaves them as they are.
"""

import json
from collections.abc import Sequence
from datetime import date

import asyncpg

from services.settlement import snapshots
from services.settlement.trial_balance import mirrored
from shared.money import parse_yuan

_AT_ONCE = 500

# Told by one process at a time: what an account had turned over before is read from the last row.
_CLOSED = """
SELECT region, min(after) AS after, max(day) AS day, bool_or(after IS NULL) AS first
  FROM (SELECT region, day, after FROM closings WHERE balanced_at IS NULL
         ORDER BY day, region LIMIT $1) AS c
 WHERE pg_try_advisory_xact_lock(9, 0) GROUP BY region
"""

# All of a region since the day that was closed before; `personal` and `awaiting` are sums over
# persons, as postings name them.
_BALANCE = """
WITH days AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::date[], $3::date[]) AS u (region, after, until)),
turnover AS (
  SELECT p.region, p.debit, p.credit, p.business_date AS day, sum(p.amount_fen) AS fen
    FROM postings p JOIN days d ON d.region = p.region
     AND p.business_date > d.after AND p.business_date <= d.until
   WHERE p.business_date > $4 AND p.business_date <= $5
   GROUP BY 1, 2, 3, 4),
legs AS (
  SELECT region, debit AS account, day, fen AS debit, 0 AS credit FROM turnover
  UNION ALL SELECT region, credit, day, 0, fen FROM turnover),
moved AS (
  SELECT region, account, day, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit
    FROM legs GROUP BY 1, 2, 3)
INSERT INTO daily
SELECT m.region, m.account, m.day, m.debit, m.credit,
       coalesce(b.debit, 0) + sum(m.debit) OVER past,
       coalesce(b.credit, 0) + sum(m.credit) OVER past
  FROM moved m LEFT JOIN LATERAL (
    SELECT debit_total_fen AS debit, credit_total_fen AS credit FROM daily d
     WHERE d.region = m.region AND d.account = m.account ORDER BY d.day DESC LIMIT 1) b ON true
WINDOW past AS (PARTITION BY m.region, m.account ORDER BY m.day)
"""

_COMPARED = """
INSERT INTO mirrors
SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::jsonb[],
                     $7::bigint[])
ON CONFLICT (origin, destination, day) DO UPDATE SET owes_fen = excluded.owes_fen,
  claims_fen = excluded.claims_fen, explained = excluded.explained,
  unexplained_fen = excluded.unexplained_fen
"""


async def balance_closed(db: asyncpg.Connection, elsewhere: Sequence[str]) -> int:
    """Balances the days that were closed; how many regions. In the caller's transaction."""
    closed = await db.fetch(_CLOSED, _AT_ONCE)
    if not closed:
        return 0
    regions = [row["region"] for row in closed]
    after = [date.min if row["first"] else row["after"] for row in closed]
    until = [row["day"] for row in closed]
    await db.execute(_BALANCE, regions, after, until, min(after), max(until))
    await _compare(db, dict(zip(regions, until, strict=True)), elsewhere)
    await db.execute(
        "UPDATE closings c SET balanced_at = clock_timestamp() FROM unnest($1::text[], $2::date[])"
        " AS u (region, until) WHERE c.region = u.region AND c.day <= u.until"
        " AND c.balanced_at IS NULL",
        regions,
        until,
    )
    return len(closed)


async def _compare(
    db: asyncpg.Connection, closed: dict[str, date], elsewhere: Sequence[str]
) -> None:
    """Keeps both sides of the corridors of these regions as they stand, each by the later day."""
    found = []
    for row in await snapshots.mirror(db, elsewhere):
        days = [closed[region] for region in (row.origin, row.destination) if region in closed]
        if days:
            shown = mirrored(row)
            found.append(
                (
                    row.origin,
                    row.destination,
                    max(days),
                    parse_yuan(str(shown["origin_owes"])),
                    parse_yuan(str(shown["destination_claims"])),
                    json.dumps(shown["explained"]),
                    parse_yuan(str(shown["unexplained"])),
                )
            )
    if found:
        await db.execute(_COMPARED, *zip(*found, strict=True))


async def unbalanced(db: asyncpg.Connection) -> int:
    """How many closed days are not balanced yet."""
    return int(await db.fetchval("SELECT count(*) FROM closings WHERE balanced_at IS NULL"))
