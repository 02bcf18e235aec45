"""The checker `bank`: the invariants of the books, on a snapshot every 50 ms and at the end."""

import asyncio
import time
from dataclasses import dataclass, field

import asyncpg

from services.settlement.snapshots import snapshot
from services.settlement.trial_balance import INVARIANTS

EVERY_SECONDS = 0.05

# One statement, one snapshot: what holds whatever the number of transfers, without their postings.
_QUICK = """
WITH sides AS (
  SELECT region, sum(debit_fen - credit_fen) AS fen FROM settlement.balances GROUP BY region
  UNION ALL
  SELECT region, sum(personal_debit_fen - personal_credit_fen + awaiting_debit_fen
                     - awaiting_credit_fen) FROM settlement.holders GROUP BY region),
claimed AS (
  SELECT origin, region, sum(open_fen) AS fen FROM settlement.claims GROUP BY 1, 2),
held AS (
  SELECT region, sum(suspended_fen - applied_fen - returned_fen) AS fen
    FROM settlement.receipt_parts GROUP BY region)
SELECT 'entries_balance ' || region AS broken FROM sides GROUP BY region HAVING sum(fen) <> 0
UNION ALL
SELECT 'advances_equal_receivables ' || c.origin || '>' || c.region FROM claimed c
  FULL JOIN settlement.corridors k ON k.origin = c.origin AND k.destination = c.region
  LEFT JOIN settlement.balances b
    ON b.region = c.region AND b.account = 'advance:' || c.origin
 WHERE coalesce(c.fen, 0) <> coalesce(k.open_fen, 0)
    OR coalesce(c.fen, 0) <> coalesce(b.debit_fen - b.credit_fen, 0)
UNION ALL
SELECT 'suspense_equals_unmatched ' || region FROM held h
  LEFT JOIN settlement.balances b USING (region)
 WHERE b.account = 'suspense' AND b.credit_fen - b.debit_fen <> h.fen
UNION ALL
SELECT 'no_negative_personal ' || person FROM settlement.holders
 WHERE personal_credit_fen < personal_debit_fen OR awaiting_credit_fen < awaiting_debit_fen
"""


@dataclass(slots=True)
class Books:
    """Looks at the books of a stack; `pool` reads as settlement's role."""

    db: asyncpg.Pool
    pool: asyncpg.Pool
    findings: set[str] = field(default_factory=set)
    snapshots: int = 0

    async def watch(self) -> None:
        """A snapshot every 50 ms, until cancelled."""
        due = time.monotonic()
        while True:
            for row in await self.db.fetch(_QUICK):
                self.findings.add(f"while it ran: {row['broken']}")
            self.snapshots += 1
            due = max(due + EVERY_SECONDS, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def whole(self) -> None:
        """Every invariant of the trial balance, on one snapshot."""
        books = await snapshot(self.pool)
        for name, holds in INVARIANTS.items():
            if not holds(books):
                self.findings.add(f"at the end: {name}")
