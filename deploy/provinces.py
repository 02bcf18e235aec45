"""A province moves to a cell of its own: its rows go along, the map says who serves it, and only
then the old cell forgets them.

Meanwhile the services of all cells are down, and everything is handled: nothing is on its way.
The new cell is empty. Event log and outboxes stay where they were written. Cut short anywhere, the
move is run again: until the map is changed it copies anew, from then on it only deletes.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from deploy import topics

SERVICES = ("enrollment", "transfer", "settlement", "notification")
_PERSONS = (
    "SELECT person FROM enrollment.relations WHERE region LIKE {p} UNION"
    " SELECT person FROM settlement.holders WHERE region LIKE {p} UNION"
    " SELECT person FROM notification.contacts WHERE region LIKE {p} UNION"
    " SELECT person FROM transfer.transfers WHERE destination LIKE {p}"
)
# Copied, and kept by the old cell as well: what may be asked of both.
_SHARED: Sequence[tuple[str, str]] = (
    ("cell.person_keys", f"person IN ({_PERSONS})"),
    ("cell.statement_keys", "true"),
    ("enrollment.persons", f"person IN ({_PERSONS})"),
    ("enrollment.records", "true"),
    ("enrollment.verdicts", "true"),
    ("settlement.bank_files", "true"),
    ("settlement.account_changes", "true"),
    ("enrollment.lanes", "name LIKE 'upstream.%'"),
    ("monitor.lanes", "name LIKE 'upstream.%'"),
)
# Moved; what is found through another table stands before it.
_MOVED: Sequence[tuple[str, str]] = (
    ("enrollment.relations", "region LIKE {p}"),
    ("enrollment.releases", "region LIKE {p}"),
    ("enrollment.explanations", "region LIKE {p}"),
    (
        "transfer.steps",
        "(person, id) IN (SELECT person, id FROM transfer.transfers WHERE destination LIKE {p})",
    ),
    ("transfer.transfers", "destination LIKE {p}"),
    (
        "settlement.instructions",
        "(person, transfer) IN"
        " (SELECT person, transfer FROM settlement.releases WHERE region LIKE {p})",
    ),
    (
        "settlement.waiting",
        "receipt IN (SELECT receipt FROM settlement.receipts WHERE region LIKE {p})",
    ),
    (
        "settlement.remittance_lines",
        "run IN (SELECT run FROM settlement.remittance_runs WHERE region LIKE {p})",
    ),
    (
        "settlement.return_announcements",
        "(person, transfer) IN"
        " (SELECT person, transfer FROM settlement.releases WHERE region LIKE {p})",
    ),
    (
        "settlement.item_steps",
        "item IN (SELECT item FROM settlement.items WHERE region LIKE {p})",
    ),
    *(
        (f"settlement.{table}", "region LIKE {p}")
        for table in (
            *("holders", "movements", "releases", "claims", "receipts", "receipt_parts"),
            *("entries", "postings", "balances", "remittance_runs", "held_payments"),
            *("days", "closings", "daily", "items", "bank_notes", "sweeps", "reckonings"),
        )
    ),
    *(
        (f"settlement.{table}", "destination LIKE {p}")
        for table in ("corridors", "ages", "corridor_acts", "mirrors")
    ),
    *(
        (f"settlement.netting_{table}", "province LIKE {p}")
        for table in ("windows", "totals", "lines", "positions", "answers")
    ),
    ("settlement.declined", "destination LIKE {p}"),
    ("settlement.bank_accounts", "account LIKE {p}"),
    ("settlement.statements", "account LIKE {p}"),
    ("settlement.bank_lines", "account LIKE {p}"),
    ("settlement.bank_file_statements", "account LIKE {p}"),
    ("settlement.bank_reports", "account LIKE {p}"),
    ("settlement.own_transfers", "payer LIKE {p}"),
    ("notification.contacts", "region LIKE {p}"),
    ("notification.letters", "region LIKE {p}"),
    *(
        (f"{service}.timers", "convert_from(body, 'UTF8')::jsonb->>'to' LIKE {p}")
        for service in SERVICES
    ),
)
_NUMBERED = (
    *("transfer.steps", "settlement.statements", "settlement.entries"),
    "settlement.bank_files",
)


# What is only ever added to: that the new cell has it tells that the rows have been copied.
_TELLING = ("enrollment.relations", "transfer.transfers", "settlement.entries")


class MoveRefused(Exception):
    """Nothing was moved; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Handover:
    """A province and what the map says: that the new cell serves it already, or others."""

    province: str
    assigned: bool
    serves_others: bool
    assign: Callable[[], object]
    """Writes into the map, for good, that the new cell serves the province."""


async def move(
    source: asyncpg.Connection, target: asyncpg.Connection, kafka: str, handover: Handover
) -> dict[str, int]:
    """Moves the rows of a province; how many of each table. Raises MoveRefused."""
    await _check_idle(source, kafka)
    like = f"'{handover.province[:2]}%'"
    if handover.assigned:
        await _check_copied(source, target, like)
        return await _delete(source, like)
    await _check_unused(target, serves_others=handover.serves_others)
    counts = {}
    async with target.transaction(), source.transaction(isolation="repeatable_read"):
        # What a move that was cut short has left: the old cell may have worked since.
        await target.execute("TRUNCATE " + ", ".join(table for table, _ in (*_SHARED, *_MOVED)))
        offset_us = await source.fetchval("SELECT offset_us FROM cell.clock")
        await target.execute("UPDATE cell.clock SET offset_us = $1", offset_us)
        for table, which in (*_SHARED, *_MOVED):
            counts[table] = await _copy(source, target, table, which.format(p=like))
        await _split_starts(target, f"LIKE {like}")
    # The rows are in both now, and who serves them is said before one cell forgets them. A timer
    # in both is due twice under one id.
    handover.assign()
    await _delete(source, like)
    return {table: count for table, count in counts.items() if count}


async def _delete(source: asyncpg.Connection, like: str) -> dict[str, int]:
    counts = {}
    async with source.transaction():
        for table, which in _MOVED:
            done = await source.execute(f"DELETE FROM {table} WHERE {which.format(p=like)}")  # noqa: S608
            counts[table] = int(done.split()[-1])
        await _split_starts(source, f"NOT LIKE {like}")
    return {table: count for table, count in counts.items() if count}


async def _check_unused(target: asyncpg.Connection, *, serves_others: bool) -> None:
    """A cell that never worked has nothing but what a move that was cut short copied to it."""
    worked = " UNION ALL ".join(
        f"SELECT FROM {service}.lanes WHERE next_offset + seq > 0 AND name NOT LIKE 'upstream.%'"
        for service in SERVICES
    )
    filled = " UNION ALL ".join(f"(SELECT FROM {table} LIMIT 1)" for table, _ in _MOVED)
    used = await target.fetchval(f"SELECT EXISTS ({worked})")
    if used or (serves_others and await target.fetchval(f"SELECT EXISTS ({filled})")):
        raise MoveRefused("the new cell has worked already: a province moves to an empty cell")


async def _check_copied(source: asyncpg.Connection, target: asyncpg.Connection, like: str) -> None:
    """Before the old cell forgets what the map says it no longer serves."""
    for table, which in _MOVED:
        if table in _TELLING:
            question = f"SELECT count(*) FROM {table} WHERE {which.format(p=like)}"  # noqa: S608
            if await target.fetchval(question) < await source.fetchval(question):
                raise MoveRefused(
                    f"the map says the new cell serves the province, but it lacks rows of {table}:"
                    " take it out of provinces.json in the home of the first cell, and move again"
                )


async def _copy(
    source: asyncpg.Connection, target: asyncpg.Connection, table: str, which: str
) -> int:
    schema, name = table.split(".")
    with tempfile.TemporaryFile() as file:
        query = f"SELECT * FROM {table} WHERE {which}"  # noqa: S608 - our own names
        await source.copy_from_query(query, output=file, format="binary")
        file.seek(0)
        done = await target.copy_to_table(name, schema_name=schema, source=file, format="binary")
    if table in _NUMBERED:
        await target.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'n'),"  # noqa: S608 - our own names
            f" (SELECT coalesce(max(n), 0) + 1 FROM {table}))"
        )
    return int(done.split()[-1])


async def _split_starts(db: asyncpg.Connection, which: str) -> None:
    """Each cell remembers the transfers that begin at its own regions: [id, record, region, O]."""
    await db.execute(
        "UPDATE enrollment.persons SET starts = (SELECT coalesce(jsonb_agg(s), '[]')"  # noqa: S608
        f" FROM jsonb_array_elements(starts) s WHERE s->>2 {which})"
        " WHERE jsonb_array_length(starts) > 0"
    )


async def _check_idle(db: asyncpg.Connection, kafka: str) -> None:
    stands: dict[str, int] = {}
    for service in SERVICES:
        left = await db.fetchval(
            f"SELECT (SELECT count(*) FROM {service}.lanes WHERE seq > published)"  # noqa: S608
            f" + (SELECT count(*) FROM {service}.dead_letters"
            " WHERE state IN ('refused', 'parked'))"
        )
        if left:
            raise MoveRefused(f"{service} has messages to send, or dead letters: settle them first")
        rows = await db.fetch(
            f"SELECT name, next_offset FROM {service}.lanes"  # noqa: S608 - a name
            " WHERE name ~ '[.].*/[0-9]+$' AND owner <> ''"
        )
        stands |= {f"{service} {row['name']}": row["next_offset"] for row in rows}
    if await db.fetchval("SELECT EXISTS (SELECT FROM notification.runs)"):
        raise MoveRefused("letters are still to be delivered: start the cell and `jiexu wait`")
    bounds = topics.bounds(kafka, {where.split(" ")[1] for where in stands})
    behind = [w for w, at in stands.items() if at < bounds.get(w.split(" ")[1], (0, 0))[1]]
    if behind:
        raise MoveRefused(f"not handled yet: {behind[0]}; start the cells and `jiexu wait` first")
