"""A batch through `decide`: in order, key by key, with what cannot be handled set aside."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID, uuid5

import asyncpg

from shared import dead_letters
from shared.db import Id
from shared.dead_letters import Acted, Letter, Record
from shared.decision import Delivery, States, Timer, Unexpected
from shared.messages import NAMESPACE, Message
from shared.messages.catalogue import read
from shared.messages.chassis import Redrive
from shared.outbox import TooLarge, body_of, fit
from shared.service import Service

REFUSED_BY_DATABASE = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
TO_BE_TAKEN_APART = (*REFUSED_BY_DATABASE, TooLarge)
"""What one message of a batch causes, and no other attempt will cure."""


class Item(NamedTuple):
    """One message of a batch: with its delivery, or with the reason why it cannot be read."""

    record: Record
    id: UUID
    sent_on: datetime
    delivery: Delivery | None
    broken: Unexpected | None = None


@dataclass(slots=True)
class Folded:
    """What a sequence of messages leads to."""

    changes: dict[Hashable, object] = field(default_factory=dict)
    out: list[tuple[Item, int, Message]] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    def add(self, other: "Folded") -> None:
        self.changes.update(other.changes)
        self.out += other.out
        self.timers += other.timers
        self.letters += other.letters


def parse(record: Record, at: datetime) -> Item:
    """The item of a record. Never raises: what cannot be read says why."""
    headers = record.headers
    try:
        id_ = Id(headers["ce_id"].decode())
        sent_at = _instant(headers["sentat"])
        correlation = Id((headers.get("correlationid") or headers["ce_id"]).decode())
    except (KeyError, ValueError) as error:
        where = uuid5(NAMESPACE, f"{record.lane}/{record.offset}")
        stamp = datetime.fromtimestamp(record.timestamp / 1000, tz=at.tzinfo)
        why = Unexpected("no_envelope", f"the envelope cannot be read: {error!r}")
        return Item(record, where, stamp, None, why)
    try:
        message = read(record.type, record.body)
    except Unexpected as error:
        return Item(record, id_, sent_at, None, error)
    delivery = Delivery(id_, record.key, message, at, sent_at, correlation)
    return Item(record, id_, sent_at, delivery)


@lru_cache(maxsize=64)
def _instant(text: bytes) -> datetime:
    """All messages of a sender's batch have the same. Raises ValueError."""
    return datetime.fromisoformat(text.decode())


def fold(service: Service, states: States, items: Sequence[Item], parked: set[str]) -> Folded:
    """Runs `decide` over items in order. A refused message changes nothing of its key, and what
    follows on the key is parked.
    """
    folded = Folded()
    waiting = set(parked)
    for item in items:
        key = item.record.key
        if key in waiting:
            folded.letters.append(
                Letter(item.record, item.id, "parked", "waits behind a refused message", "parked")
            )
            continue
        try:
            if item.delivery is None:
                raise item.broken or Unexpected("unreadable", "cannot be read")
            decision = service.decide(states, item.delivery)
        except Unexpected as why:
            waiting.add(key)
            folded.letters.append(Letter(item.record, item.id, why.code, str(why), "refused"))
            continue
        states.update(decision.changes)
        folded.changes.update(decision.changes)
        folded.timers += decision.timers
        folded.out += [(item, n, message) for n, message in enumerate(decision.out)]
    return folded


async def apply(
    db: asyncpg.Connection, service: Service, items: Sequence[Item], parked: set[str]
) -> Folded:
    wanted = [i.delivery for i in items if i.delivery and i.record.key not in parked]
    states = await service.load(db, wanted) if wanted else {}
    folded = fold(service, states, items, parked)
    if folded.changes:
        await service.save(db, folded.changes)
    return folded


async def apply_apart(
    db: asyncpg.Connection, service: Service, items: Sequence[Item], parked: set[str]
) -> Folded:
    """As `apply`, in halves until the one message is alone that cannot be handled."""
    try:
        async with db.transaction():
            done = await apply(db, service, items, parked)
            fit(body_of(message) for _, _, message in done.out)
            return done
    except Exception as error:
        if is_unwell(error):
            raise
        if len(items) == 1:
            item = items[0]
            why = f"{type(error).__name__}: {error}"
            code = code_of(error)
            return Folded(letters=[Letter(item.record, item.id, code, why, "refused")])
    keys = sorted({item.record.key for item in items})
    half = set(keys[: len(keys) // 2])
    if half:
        parts = [
            [i for i in items if i.record.key in half],
            [i for i in items if i.record.key not in half],
        ]
    else:
        parts = [[item] for item in items]
    whole = Folded()
    blocked = set(parked)
    for part in parts:
        whole.add(await apply_apart(db, service, part, blocked))
        blocked |= {letter.record.key for letter in whole.letters}
    return whole


def is_unwell(error: Exception) -> bool:
    """Whether the world, and no message, is the cause: then it is tried again as it was."""
    if isinstance(error, asyncpg.PostgresError):
        return not isinstance(error, REFUSED_BY_DATABASE)
    return isinstance(error, asyncpg.InterfaceError | OSError)


def code_of(error: Exception) -> str:
    """Why the message that caused this error is set aside."""
    if isinstance(error, TooLarge):
        return "too_large"
    return "database" if isinstance(error, asyncpg.PostgresError) else "fault"


async def redrive(db: asyncpg.Connection, service: Service, item: Item, order: Redrive) -> Folded:
    """Settles the head of a key and works through what waits behind it, in order."""
    queue = await dead_letters.waiting(db, order.waiting)
    if not queue or queue[0][1] != order.letter or item.delivery is None:
        return Folded()
    at = item.delivery.at
    head, *rest = queue
    edited = order.body is not None or order.edited_type is not None
    acted = Acted("edit" if edited else order.action, order.by, order.why)
    if order.action == "discard":
        await dead_letters.settle(db, order.waiting, head[0], "discarded", acted)
        queue = rest
    whole = Folded()
    for number, _, record, _ in queue:
        again = parse(record, at)
        if edited and number == head[0]:
            again = _edited(again, order, item.id, at)
        done = await apply_apart(db, service, [again], set())
        if done.letters:
            letter = done.letters[0]
            await dead_letters.refuse(db, order.waiting, number, letter.code, letter.reason, acted)
            break
        whole.add(done)
        await dead_letters.settle(db, order.waiting, number, "redriven", acted)
    whole.out = [(_caused(i, item), n, message) for i, n, message in whole.out]
    return whole


def _edited(item: Item, order: Redrive, by: UUID, at: datetime) -> Item:
    """The item with the operator's type and body, an id of its own, and a whole envelope."""
    record = item.record
    headers = {
        **record.headers,
        "ce_type": (order.edited_type or record.type).encode(),
        "ce_id": str(uuid5(item.id, f"edit:{by}")).encode(),
        "sentat": item.sent_on.isoformat().encode(),
    }
    if item.broken and item.broken.code == "no_envelope":
        headers.pop("correlationid", None)
    body = record.body if order.body is None else order.body.encode()
    edited = parse(replace(record, headers=headers, body=body), at)
    if edited.delivery and edited.delivery.message.key != record.key:
        why = Unexpected("other_key", "the edited message belongs to another key than the letter")
        return edited._replace(delivery=None, broken=why)
    return edited


def _caused(item: Item, by: Item) -> Item:
    """The item with the record of the redrive, so that its messages leave on that lane."""
    return Item(by.record, item.id, item.sent_on, item.delivery)
