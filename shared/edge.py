"""Two other ways to read a topic: an edge that takes raw upstream records, and a plain copier.

Both advance their lanes in the transaction of their effects, so each record counts once.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import asyncpg

from shared import dead_letters, lanes, outbox
from shared.dead_letters import Letter, Record
from shared.deliver import Delivered, Place, move
from shared.folding import code_of, is_unwell
from shared.lanes import Lane
from shared.messages import Message
from shared.outbox import Sent, body_of
from shared.service import Copier, Edge


async def take_edge(
    edge: Edge,
    place: Place,
    db: asyncpg.Connection,
    epochs: dict[str, int],
    published: dict[str, int],
    batch: Sequence[Record],
    apart: bool,  # noqa: FBT001 - the reader's signature
) -> Delivered:
    """Raw records in, sealed messages out, on the lane of the partition they came from."""
    letters: list[Letter] = []
    async with db.transaction():
        held, at, _ = await lanes.hold(db, {r.lane: epochs[r.lane] for r in batch})
        sent: list[Sent] = []
        messages: Sequence[tuple[UUID, Message]]
        for name in sorted(held):
            new = [r for r in batch if r.lane == name and r.offset >= held[name].next_offset]
            if apart:
                messages = await _one_by_one(edge, db, new, at, letters)
            else:
                messages = await edge.take(db, [r.body for r in new], at)
            sent += number(messages, held[name], place, at)
        await dead_letters.put(db, letters)
        await outbox.add(db, sent)
        move(batch, held, published)
        await lanes.advance(db, list(held.values()))
    return Delivered(sent, len(batch), len(letters))


async def _one_by_one(
    edge: Edge,
    db: asyncpg.Connection,
    records: Sequence[Record],
    at: datetime,
    letters: list[Letter],
) -> list[tuple[UUID, Message]]:
    """What the records become; one that cannot be taken is set aside, and the others go on."""
    messages: list[tuple[UUID, Message]] = []
    for record in records:
        try:
            async with db.transaction():
                taken = await edge.take(db, [record.body], at)
                outbox.fit(body_of(message) for _, message in taken)
        except Exception as error:
            if is_unwell(error):
                raise
            letters.append(_set_aside(record, error))
        else:
            messages += taken
    return messages


def _set_aside(record: Record, error: Exception) -> Letter:
    """Where the record lies, and what kind of error it caused; nothing of what it holds, which is
    in the clear. It is mended by its sender, who sends it again.
    """
    place = f"{record.lane}/{record.offset}"
    bare = replace(record, key=place, headers={}, body=b"")
    why = f"{type(error).__name__}: the record lies at {place}; it is to be sent again"
    return Letter(bare, None, code_of(error), why, "refused")


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
                message.__dict__.get("transfer") or id_,
                None,
                body_of(message),
            )
        )
    return rows
