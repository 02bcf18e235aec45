"""What happened at the bank after the moment to which the database was set back.

Settlement writes what it gives to the bank and takes from it into a file beside the database
(`services.settlement.outside`). What the database does not know of it was after that moment:
payments are held until a person says what became of them, statements are to be read again. A sweep
is entered as it was: nothing is booked of it before the bank tells it, and whoever exports it again
gets the same file.
"""

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from services.settlement.outside import written
from shared.money import yuan


@dataclass(slots=True)
class Outside:
    """Payment files given out, and statements taken in, that the database does not know."""

    payments: list[dict[str, Any]] = field(default_factory=list)
    sweeps: list[dict[str, Any]] = field(default_factory=list)
    statements: list[dict[str, Any]] = field(default_factory=list)


async def compare(db: asyncpg.Connection, home: Path) -> Outside:
    """Finds what the database does not know, holds the payments and enters the sweeps."""
    found = Outside()
    seen: set[str] = set()
    for row in written(home):
        text = json.dumps({**row, "at": None}, sort_keys=True)
        if text in seen:
            continue
        seen.add(text)
        if row["what"] == "remittance":
            if not await _known_run(db, row["run"]):
                await _hold(db, row)
                found.payments.append(_payment(row))
        elif row["what"] == "sweep":
            if await _enter_sweep(db, row):
                found.sweeps.append(_sweep(row))
        elif not await _known_statement(db, row):
            found.statements.append({k: v for k, v in row.items() if k != "what"})
    return found


async def _known_run(db: asyncpg.Connection, run: str) -> bool:
    """It is in the books' lists, or a person has said what became of it."""
    return bool(
        await db.fetchval(
            "SELECT EXISTS (SELECT FROM settlement.remittance_runs WHERE run = $1) OR EXISTS"
            " (SELECT FROM settlement.held_payments WHERE run = $1 AND state <> 'held')",
            run,
        )
    )


async def _known_statement(db: asyncpg.Connection, row: dict[str, Any]) -> bool:
    known = await db.fetchval(
        "SELECT true FROM settlement.statements WHERE account = $1 AND kind = $2"
        " AND statement = $3 AND closed_on = $4 AND page = $5",
        *(row["account"], row["kind"], row["statement"]),
        date.fromisoformat(row["closed_on"]),
        row["page"],
    )
    return bool(known)


async def _hold(db: asyncpg.Connection, row: dict[str, Any]) -> None:
    await db.executemany(
        "INSERT INTO settlement.held_payments (region, run_on, seq, run, lump, created_at,"
        " transfer, destination, amount_fen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT DO NOTHING",
        [
            (
                row["region"],
                date.fromisoformat(row["on"]),
                int(row["run"].rpartition("-")[2]),
                row["run"],
                row["lump"],
                datetime.fromisoformat(row["created_at"]),
                UUID(line["transfer"]),
                line["destination"],
                line["amount_fen"],
            )
            for line in row["lines"]
        ],
    )


async def _enter_sweep(db: asyncpg.Connection, row: dict[str, Any]) -> bool:
    """Whether the database did not know it."""
    entered = await db.fetchval(
        "INSERT INTO settlement.sweeps (region, month, amount_fen, instructed_at, by)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING true",
        row["region"],
        date.fromisoformat(row["month"]),
        row["amount_fen"],
        datetime.fromisoformat(row["created_at"]),
        row["by"],
    )
    return bool(entered)


def _payment(row: dict[str, Any]) -> dict[str, Any]:
    fen = sum(line["amount_fen"] for line in row["lines"])
    return {
        "run": row["run"],
        "region": row["region"],
        "transfers": len(row["lines"]),
        "amount": yuan(fen),
        "given_out_at": row["at"],
    }


def _sweep(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": row["run"],
        "region": row["region"],
        "month": row["month"][:7],
        "amount": yuan(row["amount_fen"]),
        "given_out_at": row["at"],
    }
