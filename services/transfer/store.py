"""Transfers in PostgreSQL: read and written as sets, each under its person."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from services.transfer.states import Step, Transfer
from shared.decision import Delivery, States

_TRANSFER = TypeAdapter(Transfer)
Key = tuple[str, UUID]


async def load(db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
    """The transfers that the batch is about, locked by person and id; None for unknown ones."""
    wanted = sorted({key for key in map(key_of, batch) if key})
    rows = await db.fetch(
        "SELECT t.person, t.id, t.state FROM transfers t"
        " JOIN unnest($1::text[], $2::uuid[]) AS k (person, id)"
        " ON t.person = k.person AND t.id = k.id ORDER BY t.person, t.id FOR UPDATE OF t",
        [person for person, _ in wanted],
        [id_ for _, id_ in wanted],
    )
    states: States = dict.fromkeys(wanted)
    for row in rows:
        key = row["person"], UUID(int=row["id"].int)
        states[key] = _TRANSFER.validate_json(row["state"])
    return states


def key_of(delivery: Delivery) -> Key | None:
    """The transfer that a message is about; some are about none."""
    transfer = getattr(delivery.message, "transfer", None)
    return (delivery.key, transfer) if transfer else None


async def save(db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
    """Writes changed transfers and the steps that led to them."""
    transfers = [value for value in changes.values() if isinstance(value, Transfer)]
    steps = [value for value in changes.values() if isinstance(value, tuple)]
    if transfers:
        await db.execute(
            "INSERT INTO transfers (person, id, origin, destination, record, money, closed,"
            " overdue, opened_at, state) SELECT person, id, origin, destination, record, money,"
            " closed, overdue, opened_at, state::jsonb FROM unnest($1::text[], $2::uuid[],"
            " $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::bool[],"
            " $9::timestamptz[], $10::text[]) AS new (person, id, origin, destination, record,"
            " money, closed, overdue, opened_at, state)"
            " ON CONFLICT (person, id) DO UPDATE SET record = excluded.record,"
            " money = excluded.money, closed = excluded.closed, overdue = excluded.overdue,"
            " state = excluded.state",
            [t.person for t in transfers],
            [t.id for t in transfers],
            [t.origin for t in transfers],
            [t.destination for t in transfers],
            [t.record for t in transfers],
            [t.money for t in transfers],
            [t.closed_at is not None for t in transfers],
            [t.overdue for t in transfers],
            [t.opened_at for t in transfers],
            [_TRANSFER.dump_json(t, exclude_defaults=True).decode() for t in transfers],
        )
    if steps:
        await db.copy_records_to_table(
            "steps",
            records=steps,
            columns=("person", "id", "at", "type", "kind", "why", "record", "money"),
        )


def step_row(delivery: Delivery, step: Step) -> tuple[Any, ...]:
    """A step as it is kept for `explain`."""
    key = key_of(delivery)
    now = step.transfer
    return (
        delivery.key,
        key[1] if key else delivery.correlation,
        delivery.at,
        delivery.message.type,
        step.kind,
        step.why,
        now.record if now else None,
        now.money if now else None,
    )


async def find(db: asyncpg.Connection, id_: UUID) -> Transfer | None:
    """One transfer by its id."""
    state = await db.fetchval("SELECT state FROM transfers WHERE id = $1", id_)
    return _TRANSFER.validate_json(state) if state else None


async def listed(
    db: asyncpg.Connection,
    *,
    person: str | None,
    state: str | None,
    regions: Sequence[str] | None,
    stuck_at: datetime | None,
    limit: int,
    after: UUID | None,
) -> list[Transfer]:
    """Transfers by opening time and id, after one that was seen."""
    rows = await db.fetch(
        "SELECT state FROM transfers WHERE ($1::text IS NULL OR person = $1)"
        " AND ($2::text IS NULL OR $2 IN (record, money))"
        " AND ($3::text[] IS NULL OR origin = ANY($3) OR destination = ANY($3))"
        " AND ($4::timestamptz IS NULL OR (NOT closed AND (overdue"
        " OR (state->>'due_at')::timestamptz < $4)))"
        " AND ($6::uuid IS NULL OR (opened_at, id) >"
        " (SELECT opened_at, id FROM transfers WHERE id = $6 LIMIT 1))"
        " ORDER BY opened_at, id LIMIT $5",
        person,
        state,
        regions,
        stuck_at,
        limit,
        after,
    )
    return [_TRANSFER.validate_json(row["state"]) for row in rows]


async def steps_of(db: asyncpg.Connection, id_: UUID) -> list[dict[str, Any]]:
    """Each step of a transfer, in order, with its why."""
    rows = await db.fetch(
        "SELECT s.at, s.type, s.kind, s.why, s.record, s.money FROM steps s"
        " JOIN transfers t ON t.person = s.person AND t.id = s.id WHERE t.id = $1 ORDER BY s.n",
        id_,
    )
    return [dict(row) for row in rows]


async def counted(db: asyncpg.Connection) -> list[dict[str, Any]]:
    """How many transfers are in each pair of states."""
    rows = await db.fetch(
        "SELECT record, money, closed, overdue, count(*) AS count FROM transfers"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    return [dict(row) for row in rows]
