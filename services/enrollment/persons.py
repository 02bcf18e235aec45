"""What enrollment knows of one person: relations, records asked for and released, transfers."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from shared import months
from shared.decision import Decision, Delivery, Timer, replace
from shared.messages import Message, next_uuid
from shared.months import Ranges
from shared.rules import Fact

RelationState = Literal["normal", "suspended", "terminated"]
ReleaseState = Literal[
    "accepted", "released", "refused", "cancelled", "withheld", "terminated", "restored"
]


class Entitlement(NamedTuple):
    """From when the person is entitled; `entitled_from` is None while nothing is paid."""

    entitled_from: int | None = None
    waiting_months: int = 0
    retroactive_from: int | None = None


_NOT_PAID = Entitlement()


class Joined(NamedTuple):
    """Months of another region that were joined here, by the transfer that brought them."""

    transfer: UUID
    origin: str
    scheme: str
    version: int
    months: Ranges


class Entry(NamedTuple):
    """What an upstream record said about months, so that a correction can take it back."""

    action: str
    months: Ranges = ()


@dataclass(frozen=True)
class Relation:
    """Being insured in one region under one scheme.

    `opened` is the history the region joined with, `earlier` what was paid here before the
    person enrolled again, `paid` what the current spell has paid since `first_month`, and
    `back_paid` missing months before it. `loaded`: it stood already when the region joined.
    `released` is the transfer the record went to.
    """

    region: str
    scheme: str
    person_type: str
    account: bool
    state: RelationState = "normal"
    loaded: bool = False
    opened: Ranges = ()
    earlier: Ranges = ()
    paid: Ranges = ()
    back_paid: Ranges = ()
    arrears: Ranges = ()
    joined: tuple[Joined, ...] = ()
    first_month: int | None = None
    last_month: int | None = None
    plan_year: int | None = None
    released: UUID | None = None
    entitlement: Entitlement = _NOT_PAID
    entries: Mapping[UUID, Entry] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """A person has one relation per region and scheme."""
        return self.region, self.scheme

    @property
    def own(self) -> Ranges:
        """Months paid in this region."""
        return months.merge((*self.opened, *self.earlier, *self.paid, *self.back_paid))

    @property
    def months(self) -> Ranges:
        """All months of the record, each once: those paid here and those joined."""
        return months.merge((*self.own, *(r for j in self.joined for r in j.months)))


@dataclass(frozen=True)
class Release:
    """A destination's request for the record kept at `region`, and what became of it.

    `accepted`: it was taken (受理) and waits for a clerk, until `due_at` at the latest.
    """

    transfer: UUID
    region: str
    destination: str
    scheme: str
    new_scheme: str
    trigger: str
    account: bool
    first_month: int | None
    plan_year: int | None
    state: ReleaseState
    code: str | None = None
    reopened: bool = False
    version: int = 0
    months: Ranges = ()
    last_month: int | None = None
    had_account: bool = False
    due_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The relation whose record is asked for."""
        return self.region, self.scheme


@dataclass(frozen=True)
class Start:
    """A transfer that a record of this person's destination `region` started or asked for."""

    transfer: UUID
    record: UUID
    region: str
    origin: str
    withdrawn: bool = False


@dataclass(frozen=True)
class Person:
    """All that is known of one person; changed only by making a new one. `kept`: has a row."""

    person: str
    kept: bool = False
    deceased_on: date | None = None
    sealed: str | None = None
    starts: Mapping[UUID, Start] = field(default_factory=dict)
    relations: Mapping[tuple[str, str], Relation] = field(default_factory=dict)
    releases: Mapping[UUID, Release] = field(default_factory=dict)

    def of_region(self, region: str) -> tuple[Relation, ...]:
        """The relations in a region, one per scheme."""
        return tuple(r for r in self.relations.values() if r.region == region)


class Explanation(NamedTuple):
    """Why `region` decided something: the rule, its source, the facts it was applied to."""

    person: str
    subject: UUID
    region: str
    at: datetime
    decision: str
    rule: str
    source: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class Verdict:
    """What was decided about an upstream record, and by which names its sender knows it."""

    record: UUID
    decision: str
    code: str | None
    transfer: UUID | None
    at: datetime
    source: str
    record_id: str


class Turn:
    """One message's effect on one person, put together part by part.

    Under `("person", key)` the whole goes on to the next message; the changed parts stand beside
    it under keys of their own, which is all that `save` has to write. Under `("life", key)` the
    person stands again where something changed that is kept with the person and not in a part.
    """

    def __init__(self, person: Person, delivery: Delivery) -> None:
        """Begin with the person as the message before left them."""
        self.before = person
        self.person = person
        self.delivery = delivery
        self.changes: dict[Hashable, object] = {}
        self.out: list[Message] = []
        self.timers: list[Timer] = []

    def say(self, message: Message) -> None:
        """Send a message."""
        self.out.append(message)

    def remind(self, transfer: UUID, due_at: datetime | None, message: Message | None) -> None:
        """Send a message when it is due; without one, what was to be sent is not sent."""
        self.timers.append(Timer(self.person.person, transfer, due_at, message))

    def put_relation(self, relation: Relation) -> None:
        """Keep a relation, new or changed."""
        p = self.person
        relations = {**p.relations, relation.key: relation}
        self.person = Person(
            p.person, True, p.deceased_on, p.sealed, p.starts, relations, p.releases
        )
        self.changes["relation", p.person, *relation.key] = relation

    def put_release(self, release: Release) -> None:
        """Keep a request for a record, new or changed."""
        p = self.person
        releases = {**p.releases, release.transfer: release}
        self.person = Person(
            p.person, True, p.deceased_on, p.sealed, p.starts, p.relations, releases
        )
        self.changes["release", p.person, release.transfer] = release

    def put_start(self, start: Start) -> None:
        """Remember a transfer of which this region is the destination."""
        starts = {**self.person.starts, start.transfer: start}
        self.person = replace(self.person, kept=True, starts=starts)

    def learn(self, *, deceased_on: date | None = None, sealed: str | None = None) -> None:
        """Keep a death or a new way to reach the person."""
        if deceased_on is not None:
            self.person = replace(self.person, kept=True, deceased_on=deceased_on)
        if sealed is not None:
            self.person = replace(self.person, kept=True, sealed=sealed)

    def explain(self, subject: UUID, decision: str, rule: Fact, **facts: object) -> None:
        """Keep why something was decided; `rule` is its name, its value and its source."""
        text = f"{rule.name} = {rule.value}" if rule.value else rule.name
        why = Explanation(
            self.person.person,
            subject,
            self.delivery.message.to,
            self.delivery.at,
            decision,
            text,
            rule.source,
            facts,
        )
        self.changes["explanation", next_uuid(self.delivery.id, f"why:{decision}:{rule.name}")] = (
            why
        )

    def decide_record(self, verdict: Verdict) -> None:
        """Keep what was decided about an upstream record, for its sender."""
        self.changes["verdict", verdict.record] = verdict

    def decision(self) -> Decision:
        """All of it."""
        person, before = self.person, self.before
        if person is not before:
            self.changes["person", person.person] = person
            if not before.kept or _life(person) != _life(before):
                self.changes["life", person.person] = person
        return Decision(self.changes, self.out, self.timers)


def _life(person: Person) -> tuple[object, ...]:
    return person.deceased_on, person.sealed, person.starts
