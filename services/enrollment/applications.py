"""Records that start, ask for or withdraw a transfer: seen from the destination."""

from uuid import UUID

from services.enrollment import eligibility
from services.enrollment.actions import (
    Accepted,
    Outcome,
    entitled,
    one,
    open_account,
    policy_today,
)
from services.enrollment.persons import Entry, Person, Relation, Start, Turn
from shared import months
from shared.calendar import shanghai_day
from shared.decision import replace
from shared.messages import next_uuid, transfer, transfer_uuid
from shared.messages.enrollment import Register
from shared.policy import scheme_pair
from shared.regions import Regions
from shared.rules import Fact


def enroll(turn: Turn, m: Register, regions: Regions) -> Outcome:
    """The person starts to be insured here; it never waits for the origin."""
    assert m.scheme
    assert m.person_type
    known = turn.person.relations.get((m.to, m.scheme))
    if known is not None and known.state == "normal":
        return "already_enrolled"
    wrong = _origin_refused(m, regions)
    if wrong is not None:
        return wrong
    policy = policy_today(turn, m.to, regions)
    refused, rule = eligibility.refusal(policy, m)
    subject = m.transfer or m.record
    facts = {"person_type": m.person_type, "permit": m.residence_permit, "code": refused}
    turn.explain(subject, "enroll", rule, **facts)
    if refused is not None:
        return refused
    relation = _enrolled(known, m, account=eligibility.has_account(policy, m))
    relation = entitled(turn, relation, regions)
    origin, origin_scheme = _origin(turn.person, m, relation)
    turn.put_relation(relation)
    open_account(turn, m, account=relation.account)
    started = _start(turn, m, regions, origin, scheme_pair(origin_scheme, relation.scheme))
    if origin is None:
        return Accepted(relation)
    return Accepted(relation, started, origin, origin_scheme)


def _origin_refused(m: Register, regions: Regions) -> str | None:
    if m.previous_region is None:
        return None
    if regions.get(m.previous_region) is None:
        return "unknown_region"
    return "same_region" if m.previous_region == m.to else None


def _enrolled(known: Relation | None, m: Register, *, account: bool) -> Relation:
    assert m.scheme
    assert m.person_type
    entries = {m.record: Entry("enroll", one(m.month))}
    if known is None:
        return Relation(
            region=m.to,
            scheme=m.scheme,
            person_type=m.person_type,
            account=account,
            paid=one(m.month),
            first_month=m.month,
            plan_year=m.plan_year,
            entries=entries,
        )
    return replace(
        known,
        state="normal",
        loaded=False,
        person_type=m.person_type,
        account=account,
        earlier=months.merge((*known.earlier, *known.paid, *known.back_paid)),
        paid=one(m.month),
        back_paid=(),
        first_month=m.month,
        last_month=None,
        plan_year=m.plan_year,
        released=None,
        entries={**known.entries, **entries},
    )


def _origin(person: Person, m: Register, relation: Relation) -> tuple[str | None, str]:
    """Where the person was insured before: as they say, else the best that is known here."""
    known = [
        r
        for r in person.relations.values()
        if r.region != m.to
        and r.state != "terminated"
        and r.released is None
        and m.previous_region in (None, r.region)
        and m.previous_scheme in (None, r.scheme)
    ]
    # The same scheme first, then what was paid last; the codes only make the choice one choice.
    best = max(known, key=lambda r: (r.scheme == relation.scheme, _latest(r), r.key), default=None)
    scheme = m.previous_scheme or (best.scheme if best else relation.scheme)
    return m.previous_region or (best.region if best else None), scheme


def _latest(relation: Relation) -> int:
    return relation.months[-1][1] if relation.months else 0


def _start(turn: Turn, m: Register, regions: Regions, origin: str | None, pair: str) -> UUID | None:
    """The transfer that enrolling starts by itself, if it does."""
    if origin is None:
        return None
    corridor = regions.corridor(origin, m.to, shanghai_day(turn.delivery.at))
    automatic = corridor.automatic(pair)  # type: ignore[arg-type]  # a pair of known schemes
    # What the sender was promised at the edge is kept, whatever has changed since.
    started = m.transfer or (transfer_uuid(m.source, m.record_id) if automatic else None)
    if started is None:
        return None
    turn.put_start(Start(started, m.record, m.to, origin))
    rule = corridor.policy.transfer(corridor.distance, pair)  # type: ignore[arg-type]
    fact = Fact("a transfer starts by itself", "yes" if automatic else "no", rule.source)
    turn.explain(started, "start", fact, origin=origin, pair=pair)
    return started


def apply(turn: Turn, m: Register, regions: Regions) -> Outcome:
    """The person, the employer or the agency asks for a transfer."""
    here = [r for r in turn.person.of_region(m.to) if r.state == "normal"]
    relation = min(
        (r for r in here if m.scheme in (None, r.scheme)), key=lambda r: r.scheme, default=None
    )
    if relation is None:
        return "not_enrolled"
    if relation.person_type == "retiree":
        return "retiree"
    wrong = _origin_refused(m, regions)
    if wrong is not None:
        return wrong
    origin, origin_scheme = _origin(turn.person, m, relation)
    if origin is None:
        return "origin_unknown"
    asked = m.transfer or transfer_uuid(m.source, m.record_id)
    turn.put_start(Start(asked, m.record, m.to, origin))
    rule = Fact("a transfer is asked for", m.applicant, "医保办发〔2021〕43号")
    pair = scheme_pair(origin_scheme, relation.scheme)
    turn.explain(asked, "apply", rule, origin=origin, pair=pair)
    turn.say(
        transfer.Apply(
            to=m.to,
            person=m.person,
            transfer=asked,
            origin=origin,
            scheme=origin_scheme,  # type: ignore[arg-type]
            new_scheme=relation.scheme,  # type: ignore[arg-type]
            trigger=m.applicant,
            account=relation.account,
            first_month=relation.first_month,
            plan_year=m.plan_year or relation.plan_year,
            occurred_at=m.occurred_at,
        )
    )
    return Accepted(relation, asked, origin, origin_scheme)


def withdraw(turn: Turn, m: Register, regions: Regions) -> Outcome:  # noqa: ARG001 as all actions
    """The application is taken back; the transfer knows whether it is too late."""
    start = turn.person.starts.get(m.transfer) if m.transfer else None
    if start is None or start.region != m.to:
        return "unknown_record"
    # The transfer that a later stop of cover opened in its place is meant as well.
    chain: UUID | None = start.transfer
    while chain is not None:
        if (begun := turn.person.starts.get(chain)) is not None:
            turn.put_start(replace(begun, withdrawn=True))
        turn.say(transfer.Withdraw(to=m.to, person=m.person, transfer=chain, reason=m.reason))
        release = turn.person.releases.get(chain)
        chain = next_uuid(chain, "again") if release and release.reopened else None
    return Accepted(transfer=start.transfer)
