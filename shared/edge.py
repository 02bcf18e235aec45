"""Two other ways to read a topic: an edge that takes raw upstream records, and a plain copier.

Both advance their lanes in the transaction of their effects, so each record counts once.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from shared import lanes, outbox
from shared.dead_letters import Record
from shared.deliver import Delivered, Place, move
from shared.lanes import Lane
from shared.messages import Message
from shared.outbox import Sent
from shared.service import Copier, Edge


async def take_edge(
    edge: Edge,
    place: Place,
    db: asyncpg.Connection,
    epochs: dict[str, int],
    published: dict[str, int],
    batch: Sequence[Record],
    apart: bool,  # noqa: ARG001, FBT001 - an edge answers bad records itself
) -> Delivered:
    """Raw records in, sealed messages out, on the lane of the partition they came from."""
    async with db.transaction():
        held, at, _ = await lanes.hold(db, {r.lane: epochs[r.lane] for r in batch})
        sent: list[Sent] = []
        for name in sorted(held):
            new = [r for r in batch if r.lane == name and r.offset >= held[name].next_offset]
            messages = await edge.take(db, [r.body for r in new], at)
            sent += number(messages, held[name], place, at)
        await outbox.add(db, sent)
        move(batch, held, published)
        await lanes.advance(db, list(held.values()))
    return Delivered(sent, len(batch))


async def copy(
    copier: Copier,
    db: asyncpg.Connection,
    epochs: dict[str, int],
    published: dict[str, int],
    batch: Sequence[Record],
    apart: bool,  # noqa: ARG001, FBT001 - a copier looks into nothing
) -> Delivered:
    """Raw records are copied as they are."""
    async with db.transaction():
        held, _, _ = await lanes.hold(db, {r.lane: epochs[r.lane] for r in batch})
        await copier.copy(db, [r for r in batch if r.offset >= held[r.lane].next_offset])
        move(batch, held, published)
        await lanes.advance(db, list(held.values()))
    return Delivered([], len(batch))


def number(
    messages: Sequence[tuple[UUID, Message]], lane: Lane, place: Place, at: datetime
) -> list[Sent]:
    """Messages from outside as outbox rows of a lane; each begins its own correlation."""
    now = outbox.real_now()
    rows = []
    for id_, message in messages:
        lane.seq += 1
        rows.append(
            Sent(
                lane.name,
                lane.seq,
                id_,
                message.topic(place.cell_of(message.to)),
                lanes.partition_of(message.key, place.partitions),
                message.key,
                message.type,
                at,
                now,
                getattr(message, "transfer", None) or id_,
                None,
                message.model_dump_json(exclude_defaults=True).encode(),
            )
        )
    return rows
