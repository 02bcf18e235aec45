"""What is given to the bank and taken from it, written beside the database.

A database that is set back to an earlier moment forgets what the bank knows. This file does not:
`deploy.holds` compares the two, so that no payment is issued twice. It names nobody insured.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from services.settlement.pain import Run, Sweep
from shared.outbox import real_now

FILE = Path("outside") / "settlement.jsonl"
"""Below JIEXU_HOME. One JSON object a line; the same may stand there twice."""

_BEGINNING = '{"what": '


class UnreadableLine(Exception):
    """What stands in a line is no record; the message says which."""


def written(home: Path) -> list[dict[str, Any]]:
    """All that was written. Raises UnreadableLine."""
    path = home / FILE
    if not path.exists():
        return []
    *lines, rest = path.read_text("utf-8", errors="replace").split("\n")
    found = []
    for number, line in enumerate(lines, 1):
        record = _record(line)
        if record is None:
            raise UnreadableLine(
                f"{path}, line {number}: it is no record, and may have been one of a payment file "
                "that the bank was given. Ask the bank for its payments of those days; then take "
                "the line out and keep it"
            )
        found.append(record)
    # What has no end of line was not given out; but nothing is lost where it is held.
    return [*found, *filter(None, [_record(rest)])]


def _record(line: str) -> dict[str, Any] | None:
    """The record of a line. Before it may stand what a crash, or a full disk, cut short: it has no
    end of line, and was not given out.
    """
    _, beginning, rest = line.rpartition(_BEGINNING)
    try:
        record: dict[str, Any] = json.loads(beginning + rest)
    except json.JSONDecodeError:
        return None
    return record if beginning else None


async def given(home: Path, db: asyncpg.Connection, run: Run) -> None:
    """Writes down a payment file before it is given out."""
    lines = await db.fetch(
        "SELECT transfer, destination, amount_fen FROM remittance_lines WHERE run = $1"
        " ORDER BY transfer",
        run.name,
    )
    remittance = {
        "what": "remittance",
        "run": run.name,
        "region": run.region,
        "on": run.on.isoformat(),
        "lump": run.lump,
        "created_at": run.created_at.isoformat(),
        "lines": [{**line, "transfer": str(line["transfer"])} for line in map(dict, lines)],
    }
    await asyncio.to_thread(_append, home, [remittance])


async def swept(home: Path, db: asyncpg.Connection, sweep: Sweep) -> None:
    """Writes down the file of a sweep before it is given out."""
    by = await db.fetchval(
        "SELECT by FROM sweeps WHERE region = $1 AND month = $2", sweep.region, sweep.month
    )
    row = {
        "what": "sweep",
        "run": sweep.name,
        "region": sweep.region,
        "month": sweep.month.isoformat(),
        "amount_fen": sweep.amount_fen,
        "created_at": sweep.created_at.isoformat(),
        "by": by,
    }
    await asyncio.to_thread(_append, home, [row])


async def taken(home: Path, statements: Sequence[dict[str, Any]]) -> None:
    """Writes down statements before what they lead to is committed."""
    rows = [{"what": "statement", **statement} for statement in statements]
    await asyncio.to_thread(_append, home, rows)


def _append(home: Path, rows: Sequence[dict[str, Any]]) -> None:
    path = home / FILE
    at = real_now().isoformat()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a", encoding="utf-8") as file:
        # In one write, so that the lines of two processes do not mix.
        file.write("".join(json.dumps({**row, "at": at}) + "\n" for row in rows))
        file.flush()
        os.fsync(file.fileno())
