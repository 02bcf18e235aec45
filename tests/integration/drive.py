"""Settlement against a real database without Kafka: a batch is loaded, decided, saved."""

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg

from shared.calendar import SHANGHAI
from shared.decision import Delivery
from shared.messages import Command, Message
from shared.service import Service

START = datetime(2026, 3, 3, 9, 0, tzinfo=SHANGHAI)


async def drive(
    db: asyncpg.Connection, service: Service, batch: Iterable[Message], at: datetime = START
) -> list[Message]:
    """One batch in one transaction; gives back what it says."""
    deliveries = []
    for number, message in enumerate(batch):
        id_ = uuid4()
        when = at + timedelta(milliseconds=number)
        deliveries.append(Delivery(id_, message.key, message, when, when, id_))
    async with db.transaction():
        states = await service.load(db, deliveries)
        changes: dict[Hashable, object] = {}
        said: list[Message] = []
        for delivery in deliveries:
            decision = service.decide(states, delivery)
            states.update(decision.changes)
            changes.update(decision.changes)
            said += decision.out
        await service.save(db, changes)
    return said


async def settle(
    db: asyncpg.Connection, service: Service, batch: Sequence[Message], at: datetime = START
) -> list[Message]:
    """A batch, and the batches of commands that the service then sends itself: all its events."""
    events: list[Message] = []
    while batch:
        said = await drive(db, service, batch, at)
        events += [message for message in said if not isinstance(message, Command)]
        batch = [message for message in said if isinstance(message, Command)]
    return events


async def connect(database: str) -> asyncpg.Connection:
    """As the service connects: with its own role, in its own schema."""
    return await asyncpg.connect(
        database,
        server_settings={"role": "jiexu_settlement", "search_path": "settlement"},
    )


async def balance(db: asyncpg.Connection, region: str, account: str) -> int:
    found = await db.fetchrow(
        "SELECT debit_fen, credit_fen FROM balances WHERE region = $1 AND account = $2",
        region,
        account,
    )
    return abs(found["debit_fen"] - found["credit_fen"]) if found else 0
