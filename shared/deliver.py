"""The whole guarantee in one function: inbox, state, outbox and position commit together.

Kafka's offset is committed after that; until then the same messages come again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from shared import dead_letters, inbox, lanes, outbox, timers
from shared.db import Id
from shared.dead_letters import Letter, Record
from shared.decision import Unexpected
from shared.folding import Folded, Item, apply, apply_apart, parse, redrive
from shared.ids import uuid5_bytes
from shared.lanes import Lane
from shared.messages import Message
from shared.messages.catalogue import REDRIVE
from shared.messages.chassis import Redrive
from shared.outbox import Sent, body_of
from shared.service import Service


@dataclass(slots=True)
class Delivered:
    """What a committed batch gave: messages to publish, how many were fresh, what was refused."""

    sent: list[Sent]
    fresh: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where messages go (the cell and number of partitions of a region's topics), and for how
    many days the inbox remembers.
    """

    cell_of: Callable[[str], str]
    partitions: int
    memory_days: int = 14


def stamp(
    out: Sequence[tuple[Item, int, Message]], held: dict[str, Lane], place: Place, at: datetime
) -> list[Sent]:
    """Outgoing messages as outbox rows, numbered on the lane of what caused them."""
    now = outbox.real_now()
    rows = []
    for item, index, message in out:
        lane = held[item.record.lane]
        lane.seq += 1
        key = message.key
        # Asked for as an attribute, what is not there costs more than all the rest.
        transfer = message.__dict__.get("transfer")
        known = item.delivery.correlation if item.delivery else item.id
        # Mostly the same; an id of the driver is written by C, as text too.
        correlation = known if transfer is None or transfer == known else transfer
        rows.append(
            Sent(
                lane.name,
                lane.seq,
                Id(uuid5_bytes(item.id, str(index))),
                message.topic(place.cell_of(message.to)),
                lanes.partition_of(key, place.partitions),
                key,
                message.type,
                at,
                now,
                correlation,
                item.id,
                body_of(message),
            )
        )
    return rows


async def deliver(
    service: Service,
    place: Place,
    db: asyncpg.Connection,
    epochs: dict[str, int],
    published: dict[str, int],
    batch: Sequence[Record],
    apart: bool = False,  # noqa: FBT001, FBT002 - the reader's signature
) -> Delivered:
    """Handles a batch in one transaction. Raises Fenced where we are no longer the owner."""
    async with db.transaction():
        held, at, any_parked = await lanes.hold(db, {r.lane: epochs[r.lane] for r in batch})
        new = [r for r in batch if r.offset >= held[r.lane].next_offset]
        items = [parse(r, at) for r in new if takes(service, r)]
        fresh, letters = await _claim(db, items, place.memory_days)
        whole, refused = Folded(), len(letters)
        await dead_letters.put(db, letters)
        parked: set[str] = set()
        if fresh and any_parked:
            parked = await dead_letters.parked_keys(db, (i.record.key for i in fresh))
        for control, part in _parts(fresh):
            if control is not None:
                done = await redrive(db, service, part[0], control)
            elif part:
                done = await (apply_apart if apart else apply)(db, service, part, parked)
            else:
                continue
            # Before an order of an operator looks at a key, all that waits on it is there.
            await dead_letters.put(db, done.letters)
            refused += len(done.letters)
            whole.add(done)
            if control is not None or done.letters:
                parked = await dead_letters.parked_keys(db, (i.record.key for i in fresh))
        if whole.timers:
            await timers.keep(db, whole.timers, place.partitions)
        sent = stamp(whole.out, held, place, at)
        await outbox.add(db, sent)
        move(batch, held, published)
        await lanes.advance(db, list(held.values()))
    return Delivered(sent, len(fresh), refused)


def move(batch: Sequence[Record], held: dict[str, Lane], published: dict[str, int]) -> None:
    """The lanes stand behind the batch; what Kafka has acknowledged is written with them."""
    last: dict[str, int] = {}
    for record in batch:
        if record.offset >= last.get(record.lane, 0):
            last[record.lane] = record.offset
    for name, offset in last.items():
        lane = held[name]
        lane.next_offset = max(lane.next_offset, offset + 1)
        lane.published = max(lane.published, published.get(name, 0))


def takes(service: Service, record: Record) -> bool:
    """Whether the record is for this service; all that is sent to it is, known or not."""
    return record.type in service.handles or record.topic.endswith(f".{service.name}.commands")


async def _claim(
    db: asyncpg.Connection, items: Sequence[Item], memory_days: int
) -> tuple[list[Item], list[Letter]]:
    """The items that were not handled before, and letters for ids that came with other content.

    What is older than the inbox's memory is refused in its turn, so that its key waits behind it.
    """
    if not items:
        return [], []
    today = outbox.real_now().date()
    newest, oldest = today + timedelta(days=1), today - timedelta(days=memory_days - 1)
    first: dict[UUID, tuple[Item, int]] = {}
    letters = []
    for item in items:
        digest = inbox.content_hash(item.record.type, item.record.body)
        if first.setdefault(item.id, (item, digest))[1] != digest:
            letters.append(_conflict(item))
    old = {
        id_: _too_old(item)
        for id_, (item, _) in first.items()
        if not oldest <= item.sent_on.date() <= newest
    }
    known = [
        (i.sent_on.date(), id_, digest) for id_, (i, digest) in first.items() if id_ not in old
    ]
    fresh, conflicts = await inbox.claim(db, known) if known else (set[UUID](), set[UUID]())
    if old:
        fresh |= old.keys() - await dead_letters.kept(db, [(i.record, i.id) for i in old.values()])
    letters += [_conflict(first[id_][0]) for id_ in sorted(conflicts)]
    return [old.get(id_, item) for id_, (item, _) in first.items() if id_ in fresh], letters


def _too_old(item: Item) -> Item:
    why = f"sent on {item.sent_on}: the inbox cannot know whether it was handled"
    return item._replace(delivery=None, broken=Unexpected("too_old", why))


def _conflict(item: Item) -> Letter:
    why = "this id was handled before with another content"
    return Letter(item.record, item.id, "conflict", why, "discarded")


def _parts(items: Sequence[Item]) -> list[tuple[Redrive | None, list[Item]]]:
    """The items between orders of an operator, and the orders alone."""
    parts: list[tuple[Redrive | None, list[Item]]] = [(None, [])]
    for item in items:
        message = item.delivery.message if item.delivery else None
        if message is not None and message.type == REDRIVE and isinstance(message, Redrive):
            parts += [(message, [item]), (None, [])]
        else:
            parts[-1][1].append(item)
    return parts
