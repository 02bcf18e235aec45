"""The books at one moment, as the trial balance wants them: all sums are made by the database.

The accounts kept by person are summed per region; nobody's money is shown by name here.
"""

from collections.abc import Sequence
from dataclasses import fields
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
         sum(CASE WHEN p.debit = 'personal' THEN p.amount_fen ELSE -p.amount_fen END)
           FILTER (WHERE e.kind IN ('release', 'take-back', 'restore')
             AND 'personal' IN (p.debit, p.credit))
           AS released,
         sum(p.amount_fen) FILTER (WHERE p.debit = 'personal' AND p.credit = 'payout') AS paid_out,
         sum(CASE WHEN p.credit = 'personal' THEN p.amount_fen ELSE -p.amount_fen END)
           FILTER (WHERE (p.credit = 'personal'
               AND (p.debit LIKE 'advance:%' OR p.debit = 'awaiting'))
             OR (p.debit = 'personal' AND e.kind IN ('adjust', 'reverse'))) AS credited,
         sum(CASE WHEN p.credit = 'awaiting' THEN p.amount_fen ELSE -p.amount_fen END)
           FILTER (WHERE 'awaiting' IN (p.debit, p.credit)) AS awaiting,
         sum(CASE WHEN p.debit = 'suspense' OR p.debit LIKE 'clearing:%' THEN p.amount_fen
               ELSE -p.amount_fen END)
           FILTER (WHERE e.kind = 'apply' AND p.debit = 'suspense'
             OR p.debit LIKE 'clearing:%'
               AND (p.credit LIKE 'advance:%' OR p.credit LIKE 'awaited:%'
                 OR p.credit IN ('write-off', 'waived'))
             OR p.debit LIKE 'advance:%' AND p.credit LIKE 'clearing:%'
             OR e.kind IN ('adjust', 'reverse') AND p.credit LIKE 'payable:%'
             OR e.kind IN ('taken-back', 'undo-match')
                AND p.debit LIKE 'advance:%') AS matched,
         sum(p.amount_fen) FILTER (WHERE p.debit = 'recoverable') AS undue,
         sum(CASE WHEN p.debit = 'recoverable' THEN p.amount_fen ELSE -p.amount_fen END)
           FILTER (WHERE 'recoverable' IN (p.debit, p.credit)) AS owed,
         sum(CASE WHEN p.debit IN ('write-off', 'waived') THEN p.amount_fen
               ELSE -p.amount_fen END)
           FILTER (WHERE e.kind IN ('write-off', 'waive', 'apply', 'adjust', 'reverse')
             AND (p.debit IN ('write-off', 'waived') OR p.credit IN ('write-off', 'waived')))
           AS lost,
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
         coalesce(c.restored_fen, 0) - coalesce(r.restored_fen, 0) AS unrestored,
         coalesce(r.lowered_fen, 0) - coalesce(c.lowered_fen, 0) AS untaken,
         coalesce(c.undue_fen, 0) AS undue,
         coalesce(c.undue_fen - c.recovered_fen - c.excused_fen, 0) AS owed,
         coalesce(c.written_off_fen + c.waived_fen, 0) AS lost,
         coalesce(r.paid_out_fen, 0) AS paid_out, coalesce(c.announced_fen, 0) AS announced,
         coalesce(c.credited_fen, 0) AS credited, coalesce(c.awaiting_fen, 0) AS awaiting,
         coalesce(c.matched_fen, 0) AS matched, coalesce(c.open_fen, 0) AS open
    FROM releases r FULL JOIN claims c ON c.person = r.person AND c.transfer = r.transfer)
SELECT count(*) AS transfers, coalesce(heard, true) AS heard,
       coalesce(CASE WHEN near THEN t.released - announced + untaken - unrestored END, 0)::bigint
         AS unannounced_fen,
       coalesce(CASE WHEN near THEN untaken END, 0)::bigint AS untaken_fen,
       coalesce(CASE WHEN near THEN unrestored END, 0)::bigint AS unrestored_fen,
       coalesce(announced + t.undue - t.credited - t.awaiting, 0)::bigint AS split_fen,
       coalesce(t.credited - t.matched - t.open - t.undue - t.lost, 0)::bigint AS funding_fen,
       coalesce(least(t.open, t.awaiting, t.matched, t.owed, t.lost) < 0, false) AS overdrawn,
       (coalesce(p.released, 0) - coalesce(t.released, 0))::bigint AS posted_released_fen,
       (coalesce(p.paid_out, 0) - coalesce(t.paid_out, 0))::bigint AS posted_paid_out_fen,
       (coalesce(p.credited, 0) - coalesce(t.credited, 0))::bigint AS posted_credited_fen,
       (coalesce(p.awaiting, 0) - coalesce(t.awaiting, 0))::bigint AS posted_awaiting_fen,
       (coalesce(p.matched, 0) - coalesce(t.matched, 0))::bigint AS posted_matched_fen,
       (coalesce(p.open, 0) - coalesce(t.open, 0))::bigint AS posted_open_fen,
       (coalesce(p.undue, 0) - coalesce(t.undue, 0))::bigint AS posted_undue_fen,
       (coalesce(p.lost, 0) - coalesce(t.lost, 0))::bigint AS posted_lost_fen,
       (coalesce(p.owed, 0) - coalesce(t.owed, 0))::bigint AS posted_owed_fen
  FROM told t FULL JOIN posted p ON p.person = t.person AND p.transfer = t.transfer
 GROUP BY 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
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
         sum(released_fen - paid_out_fen) AS released, sum(waived_fen) AS waived,
         sum(lowered_fen) AS lowered, sum(restored_fen) AS restored
    FROM releases GROUP BY 1, 2),
claimed AS (
  SELECT origin, region AS destination, sum(announced_fen) AS announced,
         sum(open_fen + awaiting_fen) AS claimed, sum(matched_fen) AS matched,
         sum(back_payable_fen + back_remitting_fen) AS owed_back,
         sum(written_off_fen + waived_fen) AS lost, sum(lowered_fen) AS taken,
         sum(restored_fen) AS given_back
    FROM claims GROUP BY 1, 2),
held AS (
  SELECT payer_region AS origin, region AS destination,
         sum(suspended_fen - applied_fen - returned_fen) AS suspense
    FROM receipt_parts WHERE payer_region IS NOT NULL GROUP BY 1, 2)
SELECT origin, destination, coalesce(payable, 0)::bigint AS payable_fen,
       coalesce(remitting, 0)::bigint AS remitting_fen,
       coalesce(debited, 0)::bigint AS debited_fen, coalesce(overpaid, 0)::bigint AS overpaid_fen,
       (coalesce(released, 0) + coalesce(lowered, 0) + coalesce(restored, 0)
         - coalesce(announced, 0) - coalesce(taken, 0) - coalesce(given_back, 0))::bigint
         AS unannounced_fen,
       (coalesce(lowered, 0) - coalesce(taken, 0))::bigint AS untaken_fen,
       (coalesce(given_back, 0) - coalesce(restored, 0))::bigint AS unrestored_fen,
       coalesce(claimed, 0)::bigint AS claimed_fen, coalesce(matched, 0)::bigint AS matched_fen,
       coalesce(suspense, 0)::bigint AS suspense_fen,
       coalesce(owed_back, 0)::bigint AS owed_back_fen, coalesce(lost, 0)::bigint AS lost_fen,
       coalesce(waived, 0)::bigint AS waived_fen
  FROM released FULL JOIN claimed USING (origin, destination)
  FULL JOIN held USING (origin, destination)
 WHERE origin <> ALL($1) AND destination <> ALL($1)
"""

_NEGATIVE = """
SELECT count(*) FROM holders
 WHERE personal_credit_fen < personal_debit_fen OR awaiting_credit_fen < awaiting_debit_fen
"""

# Accounts whose turnover is not the sum of their postings, by person where they are kept so. Those
# of persons are summed by themselves: one great grouping of all takes three times as long.
_MISFITS = """
WITH held AS (
  SELECT person, region,
         sum(amount_fen) FILTER (WHERE debit = 'personal') AS personal_debit,
         sum(amount_fen) FILTER (WHERE credit = 'personal') AS personal_credit,
         sum(amount_fen) FILTER (WHERE debit = 'awaiting') AS awaiting_debit,
         sum(amount_fen) FILTER (WHERE credit = 'awaiting') AS awaiting_credit
    FROM postings WHERE debit IN ('personal', 'awaiting') OR credit IN ('personal', 'awaiting')
   GROUP BY 1, 2),
compared AS (
  SELECT (coalesce(personal_debit, 0), coalesce(personal_credit, 0))
           <> (coalesce(personal_debit_fen, 0), coalesce(personal_credit_fen, 0)) AS personal,
         (coalesce(awaiting_debit, 0), coalesce(awaiting_credit, 0))
           <> (coalesce(awaiting_debit_fen, 0), coalesce(awaiting_credit_fen, 0)) AS awaiting
    FROM held FULL JOIN holders USING (person, region)),
between AS (
  SELECT region, debit, credit, sum(amount_fen) AS fen FROM postings GROUP BY 1, 2, 3),
legs AS (
  SELECT region, debit AS account, fen AS debit, 0 AS credit FROM between
  UNION ALL SELECT region, credit, 0, fen FROM between),
accounts AS (
  SELECT region, account, sum(debit) AS debit, sum(credit) AS credit FROM legs
   WHERE account NOT IN ('personal', 'awaiting') GROUP BY 1, 2)
SELECT (SELECT count(*) FILTER (WHERE personal) + count(*) FILTER (WHERE awaiting) FROM compared)
     + (SELECT count(*) FROM accounts a FULL JOIN balances b USING (region, account)
         WHERE coalesce(a.debit, 0) <> coalesce(b.debit_fen, 0)
            OR coalesce(a.credit, 0) <> coalesce(b.credit_fen, 0))
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
            misfits=await misfits(db),
        )


async def misfits(db: asyncpg.Connection) -> int:
    """How many accounts have another turnover than their postings."""
    return int(await db.fetchval(_MISFITS))


async def mirror(db: asyncpg.Connection, elsewhere: Sequence[str]) -> tuple[MirrorRow, ...]:
    """Both sides of every corridor between regions whose books are here."""
    return _rows(MirrorRow, await db.fetch(_MIRROR, elsewhere))


def _rows(kind: type[Row], rows: list[asyncpg.Record]) -> tuple[Row, ...]:
    names = [column.name for column in fields(kind)]
    return tuple(kind(**{name: row[name] for name in names}) for row in rows)
