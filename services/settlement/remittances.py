"""Remittances out: releases that are due are claimed for a payment file, once, and told the books.

A run's file is made anew from its lines whenever it is asked for, so that no name is kept in it:
who was erased since is no longer named.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import asyncpg

from services.settlement.bank.unsealing import regions_of
from services.settlement.bank_commands import Entry, Numbered
from services.settlement.netting.queries import DUE
from services.settlement.netting.states import window_of
from services.settlement.pain import Due, Run, document
from shared.calendar import SHANGHAI
from shared.ids import uuid5
from shared.messages import NAMESPACE
from shared.messages.settlement import InstructRemittance
from shared.messages.settlement_netting import InstructPosition
from shared.sealing import unseal
from shared.service import Runtime

# `410100-20260331-1-450100`: the run, and the destination of the lump.
_DASHES_OF_A_LUMP = 3

# What the books still owe, less what a file has claimed and the books have not heard of yet, and
# but for what waits for a person since a restore, and for what is netted.
_DUE = """
SELECT r.person, r.transfer, r.destination,
       r.payable_fen - coalesce(claimed.fen, 0) AS amount_fen
  FROM releases r
  LEFT JOIN LATERAL (
       SELECT sum(l.amount_fen)::bigint AS fen FROM remittance_lines l
        WHERE l.person = r.person AND l.transfer = r.transfer AND l.destination = r.destination
          AND NOT EXISTS (SELECT FROM instructions i WHERE i.person = l.person
                             AND i.transfer = l.transfer AND i.run = l.run)) claimed ON true
 WHERE r.region = $1 AND r.released_on <= $2 AND r.clearing IS NULL AND r.payable_fen > 0
   AND NOT EXISTS (SELECT FROM held_payments h WHERE h.transfer = r.transfer
                      AND h.region = r.region AND h.state = 'held')
   AND r.payable_fen > coalesce(claimed.fen, 0)
UNION ALL
-- What goes back to an origin.
SELECT c.person, c.transfer, c.origin, c.back_payable_fen - coalesce(claimed.fen, 0)
  FROM claims c
  LEFT JOIN LATERAL (
       SELECT sum(l.amount_fen)::bigint AS fen FROM remittance_lines l
        WHERE l.person = c.person AND l.transfer = c.transfer AND l.destination = c.origin
          AND NOT EXISTS (SELECT FROM instructions i WHERE i.person = l.person
                             AND i.transfer = l.transfer AND i.run = l.run)) claimed ON true
 WHERE c.region = $1 AND c.clearing IS NULL AND c.back_payable_fen > coalesce(claimed.fen, 0)
   AND NOT EXISTS (SELECT FROM held_payments h WHERE h.transfer = c.transfer
                      AND h.region = c.region AND h.state = 'held')
 ORDER BY 3, 2
"""


async def instruct(
    runtime: Runtime, region: str, on: date, *, lump: bool, net: bool = False
) -> Run | None:
    """Claims what is due at `region` for a new run: releases, and net positions (these alone).

    Where nothing new is due it is the last run of that region and date, None if there is none.
    """
    async with runtime.pool.acquire() as db, db.transaction():
        await _lock(db, region)
        due = [] if net else await db.fetch(_DUE, region, on)
        due += await db.fetch(DUE, region, on)
        if not due and net:
            return None
        if not due:
            runs = await runs_of(db, region, on)
            return runs[-1] if runs else None
        run = await _open_run(runtime, db, region, on, lump=lump)
        await db.copy_records_to_table(
            "remittance_lines",
            records=[
                (row["person"], row["transfer"], run.name, row["destination"], row["amount_fen"])
                for row in due
            ],
        )
        await runtime.send(db, [command(run, row) for row in due])
        return run


async def _lock(db: asyncpg.Connection, region: str) -> None:
    # Two files of one account at the same time would claim the same releases.
    await db.execute(
        "INSERT INTO bank_accounts (account) VALUES ($1) ON CONFLICT DO NOTHING",
        f"{region}:expense",
    )
    await db.execute("SELECT FROM bank_accounts WHERE account = $1 FOR UPDATE", f"{region}:expense")


async def _open_run(
    runtime: Runtime, db: asyncpg.Connection, region: str, on: date, *, lump: bool
) -> Run:
    # A name that the bank knows is not used again, though a restore has forgotten its run.
    seq = await db.fetchval(
        "SELECT 1 + greatest("
        "(SELECT coalesce(max(seq), 0) FROM remittance_runs WHERE region = $1 AND run_on = $2),"
        " (SELECT coalesce(max(seq), 0) FROM held_payments WHERE region = $1 AND run_on = $2))",
        region,
        on,
    )
    run = Run(
        name=f"{region}-{on:%Y%m%d}-{seq}",
        region=region,
        on=on,
        lump=lump,
        created_at=(await runtime.now(db)).astimezone(SHANGHAI),
    )
    await db.execute(
        "INSERT INTO remittance_runs (region, run_on, seq, run, lump, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        *(region, on, seq, run.name, lump, run.created_at),
    )
    return run


def command(run: Run, row: asyncpg.Record) -> Numbered:
    """What tells the books of a line of a run; the same line has the same id for ever."""
    transfer: UUID = row["transfer"]
    message: InstructRemittance | InstructPosition
    if window := window_of(row["person"]):
        message = InstructPosition(
            to=window[0],
            month=window[1],
            payer=run.region,
            reference=transfer,
            run=run.name,
            amount_fen=row["amount_fen"],
        )
    else:
        message = InstructRemittance(
            to=run.region,
            person=row["person"],
            transfer=transfer,
            destination=row["destination"],
            run=run.name,
            amount_fen=row["amount_fen"],
        )
    return uuid5(NAMESPACE, f"instruct\x1f{run.name}\x1f{transfer}"), message


async def runs_of(db: asyncpg.Connection, region: str, on: date | None = None) -> list[Run]:
    """The runs of a region (of one date), in their order."""
    rows = await db.fetch(
        "SELECT run, region, run_on, lump, created_at FROM remittance_runs"
        " WHERE region = $1 AND ($2::date IS NULL OR run_on = $2) ORDER BY run_on, seq",
        region,
        on,
    )
    return [_run(row) for row in rows]


async def summaries(
    db: asyncpg.Connection, region: str, on: date | None = None
) -> list[asyncpg.Record]:
    """The runs of a region (of one date) with what they instruct, in their order."""
    return list(
        await db.fetch(
            "SELECT r.run, r.region, r.run_on, r.lump, count(*) AS transfers,"
            " sum(l.amount_fen)::bigint AS amount_fen FROM remittance_runs r"
            " JOIN remittance_lines l ON l.run = r.run"
            " WHERE r.region = $1 AND ($2::date IS NULL OR r.run_on = $2)"
            " GROUP BY r.region, r.run_on, r.seq ORDER BY r.run_on, r.seq",
            region,
            on,
        )
    )


async def find_run(db: asyncpg.Connection, name: str) -> Run | None:
    """The run of that name."""
    row = await db.fetchrow(
        "SELECT run, region, run_on, lump, created_at FROM remittance_runs WHERE run = $1", name
    )
    return _run(row) if row else None


def _run(row: asyncpg.Record) -> Run:
    created_at = row["created_at"].astimezone(SHANGHAI)
    return Run(row["run"], row["region"], row["run_on"], row["lump"], created_at)


async def lists_of(db: asyncpg.Connection, fresh: Sequence[Entry]) -> list[Entry]:
    """The entries, with our own lump payments taken apart: we know their lists ourselves.

    Where a bank names a lump by its end-to-end id alone and its amount is that of the list.
    """
    lumps = {
        (entry.own.region, payment.end_to_end_id)
        for entry in fresh
        for payment in entry.line.payments
        if not payment.references and payment.end_to_end_id.count("-") == _DASHES_OF_A_LUMP
    }
    if not lumps:
        return list(fresh)
    rows = await db.fetch(
        "SELECT r.region, l.run || '-' || l.destination AS lump, l.transfer, l.amount_fen"
        " FROM remittance_lines l JOIN remittance_runs r ON r.run = l.run"
        " WHERE r.lump AND l.run = ANY($1) ORDER BY l.transfer",
        [lump.rpartition("-")[0] for _, lump in lumps],
    )
    lists: dict[tuple[str, str], list[tuple[UUID, int]]] = {}
    for row in rows:
        key = (row["region"], row["lump"])
        lists.setdefault(key, []).append((row["transfer"], row["amount_fen"]))
    return [_with_list(entry, lists) for entry in fresh]


def _with_list(entry: Entry, lists: dict[tuple[str, str], list[tuple[UUID, int]]]) -> Entry:
    line = entry.line
    only = line.payments[0]
    listed = lists.get((entry.own.region, only.end_to_end_id), [])
    if len(line.payments) > 1 or sum(fen for _, fen in listed) != line.amount_fen:
        return entry
    parts = (replace(only, references=(ref,), amount_fen=fen) for ref, fen in listed)
    return replace(entry, line=replace(line, payments=tuple(parts)))


async def file_of(runtime: Runtime, db: asyncpg.Connection, run: Run) -> bytes:
    """The payment file of a run, pain.001.001.09."""
    rows = await db.fetch(
        "SELECT l.person, l.transfer, l.destination, l.amount_fen, h.sealed"
        " FROM remittance_lines l LEFT JOIN holders h ON h.person = l.person AND h.region = $2"
        " WHERE l.run = $1 ORDER BY l.destination, l.transfer",
        run.name,
        run.region,
    )
    keys = await runtime.keyring.person_keys(db, {row["person"] for row in rows})
    dues = [
        Due(
            transfer=row["transfer"],
            destination=row["destination"],
            amount_fen=row["amount_fen"],
            name=_name(keys.get(row["person"]), row["sealed"]),
        )
        for row in rows
    ]
    known = (await regions_of(runtime, db)).entities
    return document(run, known[run.region], known, dues)


def _name(key: bytes | None, sealed: str | None) -> str:
    if key is None or sealed is None:
        return ""
    return unseal(key, sealed).get("name") or ""
