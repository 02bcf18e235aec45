"""What is asked of the books: all sums are made by the database, in one snapshot.

The accounts kept by person are summed per region; nobody's money is shown by name here.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import TypeVar

import asyncpg

from services.settlement.trial_balance import (
    AccountRow,
    CorridorRow,
    MirrorRow,
    Snapshot,
    SuspenseRow,
    TransferRow,
)

Row = TypeVar("Row", AccountRow, CorridorRow, MirrorRow, SuspenseRow, TransferRow)

_ACCOUNTS = """
SELECT region, account, debit_fen, credit_fen FROM balances
UNION ALL
SELECT region, 'personal', sum(personal_debit_fen)::bigint, sum(personal_credit_fen)::bigint
  FROM holders GROUP BY region
UNION ALL
SELECT region, 'awaiting', sum(awaiting_debit_fen)::bigint, sum(awaiting_credit_fen)::bigint
  FROM holders GROUP BY region
"""

# Per transfer what the postings say; then all transfers that deviate alike in one row.
_TRANSFERS = """
WITH posted AS (
  SELECT e.person, e.transfer,
         sum(p.amount_fen) FILTER (WHERE p.debit = 'personal' AND p.credit LIKE 'payable:%')
           AS released,
         sum(p.amount_fen) FILTER (WHERE p.debit = 'personal' AND p.credit = 'payout') AS paid_out,
         sum(p.amount_fen) FILTER (WHERE p.credit = 'personal'
           AND (p.debit LIKE 'advance:%' OR p.debit = 'awaiting')) AS credited,
         sum(CASE WHEN p.credit = 'awaiting' THEN p.amount_fen ELSE -p.amount_fen END)
           FILTER (WHERE 'awaiting' IN (p.debit, p.credit)) AS awaiting,
         sum(p.amount_fen) FILTER (WHERE (p.debit = 'suspense' OR p.debit LIKE 'clearing:%')
           AND (p.credit LIKE 'advance:%' OR p.credit LIKE 'awaited:%')) AS matched,
         sum(CASE WHEN p.debit LIKE 'advance:%' THEN p.amount_fen ELSE -p.amount_fen END)
           FILTER (WHERE p.debit LIKE 'advance:%' OR p.credit LIKE 'advance:%') AS open
    FROM entries e JOIN postings p ON p.person = e.person AND p.entry = e.id
   WHERE e.transfer IS NOT NULL GROUP BY e.person, e.transfer),
told AS (
  SELECT coalesce(r.person, c.person) AS person, coalesce(r.transfer, c.transfer) AS transfer,
         coalesce(cardinality(c.versions), 0) >= coalesce(r.version, 0) AS heard,
         -- The other side's books are in another database: they are not compared here.
         coalesce(r.region, c.origin) <> ALL($1)
           AND coalesce(c.region, r.destination) <> ALL($1) AS near,
         coalesce(r.released_fen - r.paid_out_fen, 0) AS released,
         coalesce(r.paid_out_fen, 0) AS paid_out, coalesce(c.announced_fen, 0) AS announced,
         coalesce(c.credited_fen, 0) AS credited, coalesce(c.awaiting_fen, 0) AS awaiting,
         coalesce(c.matched_fen, 0) AS matched, coalesce(c.open_fen, 0) AS open
    FROM releases r FULL JOIN claims c ON c.person = r.person AND c.transfer = r.transfer)
SELECT count(*) AS transfers, coalesce(heard, true) AS heard,
       coalesce(CASE WHEN near THEN t.released - announced END, 0)::bigint AS unannounced_fen,
       coalesce(announced - t.credited - t.awaiting, 0)::bigint AS split_fen,
       coalesce(t.credited - t.matched - t.open, 0)::bigint AS funding_fen,
       coalesce(least(t.open, t.awaiting, t.matched) < 0, false) AS overdrawn,
       (coalesce(p.released, 0) - coalesce(t.released, 0))::bigint AS posted_released_fen,
       (coalesce(p.paid_out, 0) - coalesce(t.paid_out, 0))::bigint AS posted_paid_out_fen,
       (coalesce(p.credited, 0) - coalesce(t.credited, 0))::bigint AS posted_credited_fen,
       (coalesce(p.awaiting, 0) - coalesce(t.awaiting, 0))::bigint AS posted_awaiting_fen,
       (coalesce(p.matched, 0) - coalesce(t.matched, 0))::bigint AS posted_matched_fen,
       (coalesce(p.open, 0) - coalesce(t.open, 0))::bigint AS posted_open_fen
  FROM told t FULL JOIN posted p ON p.person = t.person AND p.transfer = t.transfer
 GROUP BY 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
"""

_CORRIDORS = """
WITH claimed AS (
  SELECT origin, region AS destination, sum(open_fen) AS fen,
         count(*) FILTER (WHERE open_fen > 0) AS n
    FROM claims GROUP BY origin, region),
receivable AS (
  SELECT substr(account, 9) AS origin, region AS destination, debit_fen - credit_fen AS fen
    FROM balances WHERE account LIKE 'advance:%')
SELECT origin, destination, coalesce(c.fen, 0)::bigint AS claims_fen,
       coalesce(r.fen, 0)::bigint AS receivable_fen, coalesce(k.open_fen, 0) AS exposure_fen,
       coalesce(c.n, 0) AS claims, coalesce(k.claims, 0) AS exposed,
       coalesce(a.fen, 0)::bigint AS aged_fen
  FROM claimed c FULL JOIN receivable r USING (origin, destination)
  FULL JOIN corridors k USING (origin, destination)
  FULL JOIN (SELECT origin, destination, sum(open_fen) AS fen FROM ages GROUP BY 1, 2) a
       USING (origin, destination)
"""

_SUSPENSE = """
WITH held AS (
  SELECT region, credit_fen - debit_fen AS fen FROM balances WHERE account = 'suspense'),
parts AS (
  SELECT region, sum(suspended_fen - applied_fen - returned_fen) AS fen
    FROM receipt_parts GROUP BY region)
SELECT region, coalesce(h.fen, 0)::bigint AS account_fen, coalesce(p.fen, 0)::bigint AS receipts_fen
  FROM held h FULL JOIN parts p USING (region)
"""

_MIRROR = """
WITH released AS (
  SELECT region AS origin, destination, sum(payable_fen) AS payable,
         sum(remitting_fen) AS remitting,
         sum(debited_fen - returned_fen) AS debited, sum(overpaid_fen) AS overpaid,
         sum(released_fen - paid_out_fen) AS released
    FROM releases GROUP BY 1, 2),
claimed AS (
  SELECT origin, region AS destination, sum(announced_fen) AS announced,
         sum(open_fen + awaiting_fen) AS claimed, sum(matched_fen) AS matched
    FROM claims GROUP BY 1, 2),
held AS (
  SELECT payer_region AS origin, region AS destination,
         sum(suspended_fen - applied_fen - returned_fen) AS suspense
    FROM receipt_parts WHERE payer_region IS NOT NULL GROUP BY 1, 2)
SELECT origin, destination, coalesce(payable, 0)::bigint AS payable_fen,
       coalesce(remitting, 0)::bigint AS remitting_fen,
       coalesce(debited, 0)::bigint AS debited_fen, coalesce(overpaid, 0)::bigint AS overpaid_fen,
       (coalesce(released, 0) - coalesce(announced, 0))::bigint AS unannounced_fen,
       coalesce(claimed, 0)::bigint AS claimed_fen, coalesce(matched, 0)::bigint AS matched_fen,
       coalesce(suspense, 0)::bigint AS suspense_fen
  FROM released FULL JOIN claimed USING (origin, destination)
  FULL JOIN held USING (origin, destination)
 WHERE origin <> ALL($1) AND destination <> ALL($1)
"""

_NEGATIVE = """
SELECT count(*) FROM holders
 WHERE personal_credit_fen < personal_debit_fen OR awaiting_credit_fen < awaiting_debit_fen
"""

# Accounts whose turnover is not the sum of their postings, by person where they are kept so.
_MISFITS = """
WITH legs AS (
  SELECT person, region, debit AS account, amount_fen AS debit, 0 AS credit FROM postings
  UNION ALL SELECT person, region, credit, 0, amount_fen FROM postings),
posted AS (
  SELECT CASE WHEN account IN ('personal', 'awaiting') THEN person ELSE '' END AS person,
         region, account, sum(debit) AS debit, sum(credit) AS credit FROM legs GROUP BY 1, 2, 3),
kept AS (
  SELECT '' AS person, region, account, debit_fen AS debit, credit_fen AS credit FROM balances
  UNION ALL
  SELECT person, region, 'personal', personal_debit_fen, personal_credit_fen FROM holders
  UNION ALL
  SELECT person, region, 'awaiting', awaiting_debit_fen, awaiting_credit_fen FROM holders)
SELECT count(*) FROM posted p FULL JOIN kept k USING (person, region, account)
 WHERE coalesce(p.debit, 0) <> coalesce(k.debit, 0)
    OR coalesce(p.credit, 0) <> coalesce(k.credit, 0)
"""


async def snapshot(pool: asyncpg.Pool, elsewhere: Sequence[str] = ()) -> Snapshot:
    """The books at one moment; those of the regions `elsewhere` are kept by other cells."""
    async with (
        pool.acquire() as db,
        db.transaction(isolation="repeatable_read", readonly=True),
    ):
        # The sums go over all postings: in memory rather than in files.
        await db.execute("SET LOCAL work_mem = '64MB'")
        return Snapshot(
            accounts=_rows(AccountRow, await db.fetch(_ACCOUNTS)),
            transfers=_rows(TransferRow, await db.fetch(_TRANSFERS, elsewhere)),
            corridors=_rows(CorridorRow, await db.fetch(_CORRIDORS)),
            suspense=_rows(SuspenseRow, await db.fetch(_SUSPENSE)),
            mirror=await mirror(db, elsewhere),
            negative_holders=await db.fetchval(_NEGATIVE),
            misfits=await db.fetchval(_MISFITS),
        )


async def mirror(db: asyncpg.Connection, elsewhere: Sequence[str]) -> tuple[MirrorRow, ...]:
    """Both sides of every corridor between regions whose books are here."""
    return _rows(MirrorRow, await db.fetch(_MIRROR, elsewhere))


def _rows(kind: type[Row], rows: list[asyncpg.Record]) -> tuple[Row, ...]:
    names = [column.name for column in fields(kind)]
    return tuple(kind(**{name: row[name] for name in names}) for row in rows)


_ACCOUNTS_OF = """
SELECT h.region, h.personal_credit_fen - h.personal_debit_fen AS balance_fen,
       coalesce(sum(c.open_fen), 0)::bigint AS unfunded_fen
  FROM holders h LEFT JOIN claims c ON c.person = h.person AND c.region = h.region
 WHERE h.person = $1 AND (h.account OR h.personal_credit_fen > 0)
 GROUP BY h.person, h.region ORDER BY h.region
"""


async def accounts_of(pool: asyncpg.Pool, person: str) -> list[asyncpg.Record]:
    """A person's accounts: region, balance and open advance."""
    return list(await pool.fetch(_ACCOUNTS_OF, person))


# A part's state: what of it has found its transfer.
RECEIPT_STATES = ("matched", "reserved", "partly", "unmatched", "returned", "internal")
_RECEIPTS = """
WITH stated AS (
  SELECT r.receipt, p.part, r.account, r.region, r.booked_on, p.amount_fen, p.applied_fen,
         p.reserved_fen, p.suspended_fen - p.applied_fen - p.returned_fen AS suspense_fen,
         p.payer_region, p.verdict, p.rule, p.transfers, p.evidence,
         CASE WHEN p.verdict IN ('returned', 'internal') THEN p.verdict
              WHEN p.applied_fen >= p.amount_fen THEN 'matched'
              WHEN p.applied_fen + p.reserved_fen >= p.amount_fen THEN 'reserved'
              WHEN p.applied_fen + p.reserved_fen > 0 THEN 'partly'
              WHEN p.returned_fen >= p.amount_fen THEN 'returned'
              ELSE 'unmatched' END AS state
    FROM receipt_parts p JOIN receipts r USING (receipt)
   WHERE r.region = ANY($1))
SELECT * FROM stated WHERE $2::text IS NULL OR state = $2
 ORDER BY booked_on, receipt, part LIMIT $3
"""


async def receipts(
    pool: asyncpg.Pool, regions: list[str], state: str | None, limit: int
) -> list[asyncpg.Record]:
    """The parts of receipts of these regions, oldest first, with their state."""
    return list(await pool.fetch(_RECEIPTS, regions, state, limit))


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
