"""The end of a day in PostgreSQL: balances by day, and both sides of every corridor compared.

What is closed does not change, so this runs beside the posting of other days and holds no lock of
theirs. It is told by the closings that have no `balanced_at` yet; a crash leaves them as they are.
"""

import json
from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid5

import asyncpg
from pydantic import JsonValue

from services.settlement import snapshots
from services.settlement.closing import queries
from services.settlement.closing.days import month_end
from services.settlement.trial_balance import mirrored
from shared.messages import NAMESPACE, Message
from shared.messages.settlement_closing import ReportBreak
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

# Corridors of which the last comparison left something unexplained.
_BROKEN = """
SELECT origin, destination FROM (
  SELECT DISTINCT ON (origin, destination) origin, destination, unexplained_fen FROM mirrors
   ORDER BY origin, destination, day DESC) AS last WHERE unexplained_fen <> 0
"""

_COMPARED = """
INSERT INTO mirrors
SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::jsonb[],
                     $7::bigint[])
ON CONFLICT (origin, destination, day) DO UPDATE SET owes_fen = excluded.owes_fen,
  claims_fen = excluded.claims_fen, explained = excluded.explained,
  unexplained_fen = excluded.unexplained_fen
"""


# Accounts that are kept otherwise than their closed days and the postings since come to. One
# statement, so that both are seen at the same moment.
_DRIFT = f"""
{queries.DERIVED},
kept AS (
  SELECT region, account, debit_fen, credit_fen FROM balances WHERE region = ANY($2)
  UNION ALL
  SELECT region, 'personal', sum(personal_debit_fen), sum(personal_credit_fen)
    FROM holders WHERE region = ANY($2) GROUP BY 1
  UNION ALL
  SELECT region, 'awaiting', sum(awaiting_debit_fen), sum(awaiting_credit_fen)
    FROM holders WHERE region = ANY($2) GROUP BY 1)
SELECT region, account, (coalesce(k.debit_fen, 0) - coalesce(k.credit_fen, 0)
       - coalesce(d.debit_fen, 0) + coalesce(d.credit_fen, 0))::bigint AS fen
  FROM derived d FULL JOIN kept k USING (region, account)
 WHERE (coalesce(d.debit_fen, 0), coalesce(d.credit_fen, 0))
       <> (coalesce(k.debit_fen, 0), coalesce(k.credit_fen, 0))
"""  # noqa: S608 - our own text

# Open reminders of a month whose balance was swept to the fiscal account since.
_SWEPT = """
WITH reminders AS (
  SELECT region, subject, amount_fen,
         (to_date(substr(subject, 7), 'YYYY-MM') + interval '1 month' - interval '1 day')::date
           AS ended
    FROM items WHERE queue = 'break' AND subject LIKE 'sweep/%' AND state <> 'done'
     AND region = ANY($1))
SELECT region, subject, ended FROM reminders r
 WHERE amount_fen <= (
   SELECT coalesce(sum(p.amount_fen), 0) FROM postings p
    WHERE p.region = r.region AND p.business_date > r.ended AND p.debit = 'bank:fiscal'
      AND p.credit = 'bank:income')
"""

Numbered = tuple[UUID, Message]


async def balance_closed(db: asyncpg.Connection, elsewhere: Sequence[str]) -> list[Numbered] | None:
    """Balances the days that were closed, in the caller's transaction: what is to be told of them,
    or None where no day waits.
    """
    closed = await db.fetch(_CLOSED, _AT_ONCE)
    if not closed:
        return None
    regions = [row["region"] for row in closed]
    after = [date.min if row["first"] else row["after"] for row in closed]
    until = [row["day"] for row in closed]
    await db.execute(_BALANCE, regions, after, until, min(after), max(until))
    await db.execute(
        "UPDATE closings c SET balanced_at = clock_timestamp() FROM unnest($1::text[], $2::date[])"
        " AS u (region, until) WHERE c.region = u.region AND c.day <= u.until"
        " AND c.balanced_at IS NULL",
        regions,
        until,
    )
    breaks = await _compare(db, dict(zip(regions, until, strict=True)), elsewhere)
    for row in await db.fetch(_DRIFT, date.max, regions):
        facts = {"account": row["account"], "day": max(until).isoformat()}
        region, subject = row["region"], f"{row['region']}/{row['account']}"
        breaks.append(
            ReportBreak(
                to=region, about=region, subject=subject, amount_fen=row["fen"] or 1, facts=facts
            )
        )
    breaks += await _unswept(db, closed)
    return [(uuid5(NAMESPACE, f"break\x1f{m.model_dump_json()}"), m) for m in breaks]


async def _unswept(db: asyncpg.Connection, closed: Sequence[asyncpg.Record]) -> list[ReportBreak]:
    """What a month's end left in the income account, where the rule leaves nothing: somebody has
    to sweep it (财社〔2017〕144号). And what was left and has been swept since.
    """
    found = []
    for row in closed:
        end = month_end(None if row["first"] else row["after"], row["day"])
        if end is None:
            continue
        for account in await queries.balances(db, end, [row["region"]]):
            left_fen = account.debit_fen - account.credit_fen
            if account.account == "bank:income" and left_fen > 0:
                found.append(_sweep(row["region"], f"sweep/{end:%Y-%m}", left_fen, end))
    regions = [row["region"] for row in closed]
    swept = await db.fetch(_SWEPT, regions)
    return [*found, *(_sweep(row["region"], row["subject"], 0, row["ended"]) for row in swept)]


def _sweep(region: str, subject: str, left_fen: int, end: date) -> ReportBreak:
    facts: dict[str, JsonValue] = {"account": "bank:income", "day": end.isoformat()}
    return ReportBreak(to=region, about=region, subject=subject, amount_fen=left_fen, facts=facts)


async def _compare(
    db: asyncpg.Connection, closed: dict[str, date], elsewhere: Sequence[str]
) -> list[ReportBreak]:
    """Keeps both sides of the corridors of these regions as they stand, each by the later day;
    gives those with something unexplained, and those that had something until now.
    """
    found: list[tuple[object, ...]] = []
    breaks: list[ReportBreak] = []
    broken = {(row["origin"], row["destination"]) for row in await db.fetch(_BROKEN)}
    for row in await snapshots.mirror(db, elsewhere):
        corridor = row.origin, row.destination
        days = [closed[region] for region in corridor if region in closed]
        if not days:
            continue
        shown = mirrored(row)
        owes_fen, claims_fen, unexplained_fen = (
            parse_yuan(str(shown[name]))
            for name in ("origin_owes", "destination_claims", "unexplained")
        )
        explained = json.dumps(shown["explained"])
        found.append((*corridor, max(days), owes_fen, claims_fen, explained, unexplained_fen))
        if unexplained_fen or corridor in broken:
            breaks.append(_break(corridor, max(days), unexplained_fen, owes_fen, claims_fen))
    if found:
        await db.execute(_COMPARED, *zip(*found, strict=True))
    return breaks


def _break(
    corridor: tuple[str, str], day: date, amount_fen: int, owes_fen: int, claims_fen: int
) -> ReportBreak:
    name = ">".join(corridor)
    return ReportBreak(
        to=corridor[1],
        about=name,
        subject=f"mirror/{name}",
        amount_fen=amount_fen,
        facts={"day": day.isoformat(), "owes_fen": owes_fen, "claims_fen": claims_fen},
    )


async def unbalanced(db: asyncpg.Connection) -> int:
    """How many closed days are not balanced yet."""
    return int(await db.fetchval("SELECT count(*) FROM closings WHERE balanced_at IS NULL"))
