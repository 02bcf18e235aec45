"""The checkers `set`, `version` and `order`, over plain evidence. PURE; `bank` is in `books.py`.

Each gives findings: sentences that say what is wrong, none where all is as it must be.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from services.enrollment.decisions import HANDLES as ENROLLMENT
from services.monitor.store import Monitor
from services.notification.store import Notification
from services.settlement.decisions import HANDLES as SETTLEMENT
from services.transfer.app import TransferService
from shared.dead_letters import Record
from tests.chaos.evidence import End, Evidence

# What each service reads of the topics of others; it takes all that is sent to itself.
READS: Mapping[str, tuple[Sequence[str], frozenset[str]]] = {
    "enrollment": (("enrollment.commands", "settlement.events"), frozenset(ENROLLMENT)),
    "transfer": (TransferService.topics, TransferService.handles),
    "settlement": (("settlement.commands",), frozenset(SETTLEMENT)),
    "notification": (Notification.topics, Notification.handles),
}
_NO_STEP = frozenset({"enrollment.registered.v1", "enrollment.cover-stopped.v1"})


def takes(service: str, record: Record) -> bool:
    """Whether the record is for this service."""
    topics, kinds = READS[service]
    topic = record.topic.removeprefix("cn.")
    if topic == f"{service}.commands":
        return True
    return topic in topics and record.type in kinds


def set_(found: Evidence, calm: Mapping[str, End]) -> Iterator[str]:
    """Every accepted registration has exactly one outcome, and every message is handled once."""
    yield from _ends(found.people, calm)
    yield from _published(found)
    yield from _handled(found)
    for key, times in found.letters.items():
        if times != 1:
            yield f"letter {key} was delivered {times} times"
    for letter in found.open_letters:
        yield f"dead letter: {letter}"


def _ends(people: Sequence[End], calm: Mapping[str, End]) -> Iterator[str]:
    for person in people:
        if set(person.records.values()) != {1}:
            yield f"{person.kind}: records kept {dict(person.records)}"
        if person != calm[person.kind]:
            yield f"{person.kind}: ended otherwise: {_difference(person, calm[person.kind])}"


def _published(found: Evidence) -> Iterator[str]:
    sent = {UUID(r.said("ce_id")) for r in found.records if "ce_id" in r.headers}
    for service, rows in found.outbox.items():
        for id_, times in Counter(row.id for row in rows).items():
            if times > 1:
                yield f"{service}: message {id_} was decided {times} times"
        lost = [row for row in rows if row.id not in sent]
        if lost:
            yield f"{service}: {len(lost)} messages never reached Kafka: {lost[0]}"


def _difference(one: End, other: End) -> str:
    return "; ".join(
        f"{name} {getattr(one, name)} and not {getattr(other, name)}"
        for name in ("records", "verdicts", "transfers", "letters", "entries")
        if getattr(one, name) != getattr(other, name)
    )


def _handled(found: Evidence) -> Iterator[str]:
    for service, known in found.handled.items():
        for record in found.records:
            if takes(service, record) and UUID(record.said("ce_id")) not in known:
                where = f"{record.lane} offset {record.offset}"
                yield f"{service}: {record.type} at {where} was not handled"
    topics = {t if t.startswith("upstream.") else f"cn.{t}" for t in Monitor.topics}
    copied = {
        (r.topic, r.partition, r.offset): found.monitored.get((r.topic, r.partition, r.offset), 0)
        for r in found.records
        if r.topic in topics
    }
    for place, times in copied.items():
        if times != 1:
            yield f"monitor: {place} was copied {times} times"


def version(found: Evidence) -> Iterator[str]:
    """Each history is contiguous: lanes, positions, versions of entries and claims, steps."""
    for service, rows in found.outbox.items():
        numbers: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            numbers[row.lane].append(row.seq)
        for lane, after in found.lanes_after[service].items():
            before = found.lanes_before[service].get(lane)
            first = before.seq + 1 if before else 1
            if numbers.get(lane, []) != list(range(first, after.seq + 1)):
                yield f"{service}: lane {lane} holds {numbers.get(lane)} of {first}..{after.seq}"
            yield from _position(found, service, lane)
    for what, versions in found.versions.items():
        # Some entries begin with version 0, for what has one version only.
        ordered = sorted(versions)
        if ordered != list(range(ordered[0], ordered[0] + len(ordered))) or ordered[0] > 1:
            yield f"{what}: versions {ordered}"
    yield from _steps(found)


def _position(found: Evidence, service: str, lane: str) -> Iterator[str]:
    after = found.lanes_after[service][lane]
    topic, _, number = lane.rpartition("/")
    end = found.ends.get((topic, int(number)))
    if end is not None and after.next_offset != end:
        yield f"{service}: {lane} stands at {after.next_offset}, Kafka ends at {end}"


def _steps(found: Evidence) -> Iterator[str]:
    """A transfer's steps are the messages about it, each once."""
    told: dict[UUID, dict[UUID, str]] = defaultdict(dict)
    for record in found.records:
        if takes("transfer", record) and record.body[:1] == b"{":
            transfer = json.loads(record.body).get("transfer")
            if transfer:
                told[UUID(transfer)][UUID(record.said("ce_id"))] = record.type
    kept: dict[UUID, list[str]] = defaultdict(list)
    for step in found.steps:
        kept[step.transfer].append(step.type)
    for transfer, steps in kept.items():
        expected, had = Counter(told[transfer].values()), Counter(steps)
        missing = {k: n for k, n in (expected - had).items() if k not in _NO_STEP}
        if missing or had - expected:
            yield f"transfer {transfer}: steps lack {missing}, and have {dict(had - expected)} more"


def order(found: Evidence) -> Iterator[str]:
    """Per key, the handled order is the sent order, on the bus and behind it."""
    first: dict[UUID, tuple[str, int]] = {}
    last: dict[tuple[str, str], int] = {}
    for record in sorted(found.records, key=lambda r: (r.lane, r.offset)):
        if "ce_id" not in record.headers or UUID(record.said("ce_id")) in first:
            continue
        first[UUID(record.said("ce_id"))] = record.lane, record.offset
        if "seq" in record.headers:
            # What one lane sends to one partition comes there in the order of its numbers.
            sender = record.said("ce_source") + record.said("lane"), record.lane
            seq = int(record.said("seq"))
            if seq <= last.get(sender, 0):
                yield f"{sender[0]}: {seq} came to {record.lane} after {last[sender]}"
            last[sender] = max(last.get(sender, 0), seq)
    for service, rows in found.outbox.items():
        stood: dict[tuple[str, str], int] = {}
        for row in rows:
            lane, offset = first.get(row.causation, ("", 0)) if row.causation else ("", 0)
            if lane == row.lane:
                if offset < stood.get((lane, row.key), 0):
                    yield f"{service}: {row.key} on {lane} handled {offset} too late"
                stood[lane, row.key] = max(offset, stood.get((lane, row.key), 0))
