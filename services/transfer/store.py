"""Transfers in PostgreSQL: read and written as sets, each under its person."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from services.transfer.states import Step, Transfer
from shared.decision import Delivery, States

TRANSFER = TypeAdapter(Transfer)
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
        key = row["person"], row["id"]
        states[key] = TRANSFER.validate_json(row["state"])
    return states


def key_of(delivery: Delivery) -> Key | None:
    """The transfer that a message is about; some are about none."""
    transfer = delivery.message.__dict__.get("transfer")
    return (delivery.key, transfer) if transfer else None


async def save(db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
    """Writes changed transfers and the steps that led to them."""
    transfers = [value for value in changes.values() if isinstance(value, Transfer)]
    steps = [value for value in changes.values() if isinstance(value, tuple)]
    if transfers:
        await db.execute(
            "INSERT INTO transfers (person, id, origin, destination, record, money, closed,"
            " overdue, opened_at, state) SELECT person, id, origin, destination, record, money,"
            " closed, overdue, opened_at, state::json FROM unnest($1::text[], $2::uuid[],"
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
            [TRANSFER.dump_json(t, exclude_defaults=True).decode() for t in transfers],
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
