"""One service on a database in memory: what `deliver` and the relay promise, crash or no crash.

The thinking is the service's own, and so are `parse`, `fold`, `stamp` and `number`. Ours is only
what PostgreSQL and Kafka do: keep, roll back, forget, and give again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID, uuid5

from shared import inbox
from shared.dead_letters import Letter, Record
from shared.decision import Timer
from shared.deliver import Place, move, stamp, takes
from shared.edge import number
from shared.folding import Folded, Item, fold, parse
from shared.lanes import Lane, partition_of
from shared.messages import Message
from shared.outbox import Sent
from shared.service import Service
from tests.simulation.tables import Tables

PARTITIONS = 2
PLACE = Place(lambda _: "cn", PARTITIONS)


class Bus:
    """Kafka: a log for each partition of each topic, which keeps what was appended to it."""

    def __init__(self) -> None:
        self.logs: dict[str, list[Record]] = {}

    def append(self, row: Sent, source: str) -> None:
        log = self.logs.setdefault(f"{row.topic}/{row.partition}", [])
        headers = dict(row.headers(source))
        stamped = int(row.sent_at.timestamp() * 1000)
        log.append(Record(row.topic, row.partition, len(log), stamped, row.key, headers, row.body))

    def end(self, lane: str) -> int:
        return len(self.logs.get(lane, ()))


@dataclass(slots=True)
class Handled:
    """A batch that was committed."""

    fresh: list[Item]
    folded: Folded


@dataclass(slots=True)
class Database:
    """What outlives the process."""

    tables: Tables
    inbox: dict[tuple[date, UUID], int] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    outbox: dict[str, list[Sent]] = field(default_factory=dict)
    timers: dict[tuple[str, UUID], Timer] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)


class Host:
    """A process of one service. `read` and `sent` are its memory, gone when it crashes."""

    def __init__(self, service: Service, tables: Tables, bus: Bus) -> None:
        self.service = service
        self.name = service.name
        self.source = f"/jiexu/{service.name}"
        self.bus = bus
        self.database = Database(tables)
        topics = {f"cn.{service.name}.commands", *(f"cn.{topic}" for topic in service.topics)}
        self.lanes = [f"{topic}/{n}" for topic in sorted(topics) for n in range(PARTITIONS)]
        self.read = dict.fromkeys(self.lanes, 0)
        self.sent: dict[str, int] = {}
        self.published: dict[str, int] = {}

    # --- what comes in ------------------------------------------------------------------------

    def unread(self) -> list[str]:
        return [lane for lane in self.lanes if self.read[lane] < self.bus.end(lane)]

    def take(self, lanes: Sequence[str], most: int) -> list[Record]:
        """The next records of some lanes. The place in them moves on, handled or not."""
        batch: list[Record] = []
        for lane in lanes:
            start = self.read[lane]
            batch += self.bus.logs[lane][start : start + most]
            self.read[lane] = min(start + most, self.bus.end(lane))
        return batch

    def deliver(self, batch: Sequence[Record], at: datetime, *, fails: bool = False) -> Handled:
        """As `shared.deliver.deliver`. With `fails` all is done but the commit."""
        held = {r.lane: replace(self._lane(r.lane)) for r in batch}
        new = [r for r in batch if r.offset >= held[r.lane].next_offset]
        items = [parse(r, at) for r in new if takes(self.service, r)]
        claimed, fresh, letters = self._claim(items)
        folded, sent = Folded(letters=letters), list[Sent]()
        if fresh:
            parked = {letter.record.key for letter in (*self.database.letters, *letters)}
            states = self.database.tables.load([i.delivery for i in fresh if i.delivery])
            folded.add(fold(self.service, states, fresh, parked))
            sent = stamp(folded.out, held, PLACE, at)
        move(batch, held, self.published)
        if not fails:
            self.database.inbox |= claimed
            self._commit(folded, held, sent)
        return Handled(fresh, folded)

    def _claim(
        self, items: Sequence[Item]
    ) -> tuple[dict[tuple[date, UUID], int], list[Item], list[Letter]]:
        claimed: dict[tuple[date, UUID], int] = {}
        fresh: list[Item] = []
        letters: list[Letter] = []
        for item in items:
            key = item.sent_on.date(), item.id
            digest = inbox.content_hash(item.record.type, item.record.body)
            known = claimed.get(key, self.database.inbox.get(key))
            if known is None:
                claimed[key] = digest
                fresh.append(item)
            elif known != digest:
                why = "this id was handled before with another content"
                letters.append(Letter(item.record, item.id, "conflict", why, "discarded"))
        return claimed, fresh, letters

    def _commit(self, folded: Folded, held: dict[str, Lane], sent: Sequence[Sent]) -> None:
        database = self.database
        database.tables.save(folded.changes)
        for timer in folded.timers:
            if timer.message is None:
                database.timers.pop((timer.key, timer.id), None)
            else:
                database.timers[timer.key, timer.id] = timer
        database.letters += folded.letters
        database.lanes |= held
        self._append(sent)

    def _lane(self, name: str) -> Lane:
        return self.database.lanes.setdefault(name, Lane(name, 1, 0, 0, 0))

    def _append(self, sent: Sequence[Sent]) -> None:
        for row in sent:
            self.database.outbox.setdefault(row.lane, []).append(row)

    # --- what enters from outside, and when something is due ----------------------------------

    def feed(self, kind: str, id_: UUID, message: Message, at: datetime) -> None:
        """Puts a message on the lane `intake/n` or `timers/n` of its key."""
        lane = self._lane(f"{kind}/{partition_of(message.key, PARTITIONS)}")
        self._append(number([(id_, message)], lane, PLACE, at))

    def next_due(self) -> datetime | None:
        return min((t.due_at for t in self.database.timers.values() if t.due_at), default=None)

    def fire(self, at: datetime) -> list[Message]:
        """What is due becomes messages, as `shared.timers.due` makes them."""
        timers = self.database.timers
        due = [
            (t.due_at, t.key, t.id.int, t) for t in timers.values() if t.due_at and t.due_at <= at
        ]
        said = []
        for due_at, key, _, timer in sorted(due):
            del timers[key, timer.id]
            assert timer.message
            self.feed("timers", uuid5(timer.id, due_at.isoformat()), timer.message, at)
            said.append(timer.message)
        return said

    # --- what goes out ------------------------------------------------------------------------

    def unpublished(self) -> list[str]:
        rows = self.database.outbox.items()
        return [lane for lane, kept in rows if self.sent.get(lane, 0) < len(kept)]

    def publish(self, lane: str, most: int, *, acknowledged: bool = True) -> None:
        """Sends the next rows of a lane in order; without acknowledgement they are sent again."""
        start = self.sent.get(lane, 0)
        rows = self.database.outbox[lane][start : start + most]
        for row in rows:
            self.bus.append(row, self.source)
        if acknowledged:
            self.sent[lane] = self.published[lane] = start + len(rows)

    def idle(self) -> None:
        """The relay writes down how far it has published."""
        for lane, seq in self.published.items():
            known = self._lane(lane)
            known.published = max(known.published, seq)

    def crash(self, back: int) -> None:
        """The process dies and another takes over; Kafka's offsets may be `back` records old."""
        known = self.database.lanes
        self.sent = {lane: known[lane].published for lane in self.database.outbox}
        self.published = dict(self.sent)
        for lane in self.lanes:
            self.read[lane] = max(0, (known[lane].next_offset if lane in known else 0) - back)
        for held in known.values():
            held.epoch += 1
