"""Payments that wait for a person: the bank was told of them after the moment of a restore.

`confirm`: the bank has the file; the run is entered again as it was, under the name that the bank
knows. `release`: it never reached the bank; the payments are due like any other, under a new name.
"""

from typing import Any, Literal

import asyncpg

from services.settlement.pain import Run
from services.settlement.remittances import command
from shared.asking import Refusal
from shared.calendar import SHANGHAI
from shared.money import yuan
from shared.service import Runtime

Verdict = Literal["confirm", "release"]

# The held payments of a run that the books owe: of releases, back to an origin, of net positions.
_OWED = """
SELECT h.transfer, r.person, h.destination, h.amount_fen
  FROM held_payments h JOIN releases r ON r.transfer = h.transfer AND r.region = h.region
   AND r.payable_fen >= h.amount_fen
 WHERE h.run = $1 AND h.state = 'held'
UNION ALL
SELECT h.transfer, c.person, h.destination, h.amount_fen
  FROM held_payments h JOIN claims c ON c.transfer = h.transfer AND c.region = h.region
   AND c.back_payable_fen >= h.amount_fen
 WHERE h.run = $1 AND h.state = 'held'
UNION ALL
SELECT h.transfer,
       p.province || to_char(make_date(p.month / 12, p.month % 12 + 1, 1), '/YYYY-MM'),
       h.destination, h.amount_fen
  FROM held_payments h
  JOIN netting_positions p ON p.reference = h.transfer AND p.payer = h.region
 WHERE h.run = $1 AND h.state = 'held'
 ORDER BY transfer
"""


async def held(db: asyncpg.Connection) -> list[asyncpg.Record]:
    """The runs of which payments are held, with what they pay."""
    rows: list[asyncpg.Record] = await db.fetch(
        "SELECT run, region, run_on, count(*) AS transfers, sum(amount_fen)::bigint AS amount_fen"
        " FROM held_payments WHERE state = 'held' GROUP BY run, region, run_on, seq"
        " ORDER BY region, run_on, seq"
    )
    return rows


def shape(row: asyncpg.Record) -> dict[str, Any]:
    """A held run as it is answered."""
    return {
        "run": row["run"],
        "region": row["region"],
        "date": row["run_on"].isoformat(),
        "transfers": row["transfers"],
        "amount": yuan(row["amount_fen"]),
    }


async def settle(runtime: Runtime, name: str, verdict: Verdict, by: str, why: str) -> int:
    """Settles the held payments of a run; how many there were. Raises Refusal."""
    async with runtime.pool.acquire() as db, db.transaction():
        rows = await db.fetch(
            "SELECT * FROM held_payments WHERE run = $1 AND state = 'held'"
            " ORDER BY transfer FOR UPDATE",
            name,
        )
        if not rows:
            raise Refusal(404, "not_held", "没有待确认的付款 / nothing of this run is held")
        if verdict == "confirm":
            await _enter(runtime, db, rows)
        await db.execute(
            "UPDATE held_payments SET state = $2, settled_by = $3, settled_why = $4,"
            " settled_at = now() WHERE run = $1 AND state = 'held'",
            name,
            "confirmed" if verdict == "confirm" else "released",
            by,
            why,
        )
    return len(rows)


async def _enter(runtime: Runtime, db: asyncpg.Connection, rows: list[asyncpg.Record]) -> None:
    """Enters the run as it was, and tells the books. Raises Refusal while they owe less."""
    first = rows[0]
    due = await db.fetch(_OWED, first["run"])
    if len(due) < len(rows):
        less = len(rows) - len(due)
        raise Refusal(
            409,
            "not_released_yet",
            f"有 {less} 笔尚未划出，请先重报登记、重作决定 / {less} of its transfers are not "
            "released yet: first send again the registrations since then, "
            "and decide again what was decided",
        )
    run = Run(
        first["run"],
        first["region"],
        first["run_on"],
        first["lump"],
        first["created_at"].astimezone(SHANGHAI),
    )
    await db.execute(
        "INSERT INTO remittance_runs (region, run_on, seq, run, lump, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        *(run.region, run.on, first["seq"], run.name, run.lump, run.created_at),
    )
    await db.copy_records_to_table(
        "remittance_lines",
        records=[
            (row["person"], row["transfer"], run.name, row["destination"], row["amount_fen"])
            for row in due
        ],
    )
    await runtime.send(db, [command(run, row) for row in due])
