"""Records about a relation itself: opened, stopped, paid for, spent from, ended by death."""

from dataclasses import dataclass
from uuid import UUID

from services.enrollment import eligibility, releases
from services.enrollment.entitlement import reckon
from services.enrollment.persons import Entry, Relation, Turn
from shared import months
from shared.calendar import shanghai_day
from shared.decision import replace
from shared.messages import settlement
from shared.messages.enrollment import PersonDeceased, Register
from shared.months import Ranges
from shared.policy import Policy, scheme_pair
from shared.regions import Regions


@dataclass(frozen=True, slots=True)
class Accepted:
    """A record was accepted: the relation it is about, and the transfer it starts, if any."""

    relation: Relation | None = None
    transfer: UUID | None = None
    origin: str | None = None
    origin_scheme: str | None = None
    code: str | None = None
    """What the sender is told besides."""


Outcome = Accepted | str
"""Accepted, or the code of the refusal."""


def policy_today(turn: Turn, region: str, regions: Regions) -> Policy:
    """The rules of the region in force on the business day of the turn."""
    return regions.at(region, shanghai_day(turn.delivery.at))


def counted(turn: Turn, relation: Relation, regions: Regions) -> list[Relation]:
    """The person's other relations whose months count for this one without a transfer: of other
    schemes here, and of regions from where cover goes on without one (inside Hebei).
    """
    today = shanghai_day(turn.delivery.at)

    def counts(other: Relation) -> bool:
        if other.region == relation.region:
            return other.scheme != relation.scheme
        pair = scheme_pair(other.scheme, relation.scheme)
        corridor = regions.corridor(other.region, relation.region, today)
        return not corridor.needs_transfer(pair)  # type: ignore[arg-type]  # known schemes

    return [other for other in turn.person.relations.values() if counts(other)]


def entitled(turn: Turn, relation: Relation, regions: Regions) -> Relation:
    """The relation with its entitlement reckoned anew from all that is known now."""
    waiting = policy_today(turn, relation.region, regions).waiting
    entitlement = reckon(relation, counted(turn, relation, regions), waiting).entitlement
    same = entitlement == relation.entitlement
    return relation if same else replace(relation, entitlement=entitlement)


def one(month: int | None) -> Ranges:
    """The ranges of a single month, or of none."""
    return () if month is None else ((month, month),)


def open_relation(turn: Turn, m: Register, regions: Regions) -> Outcome:
    """A relation as it stood when the region joined, with its history and balance."""
    assert m.scheme
    assert m.person_type
    if (m.to, m.scheme) in turn.person.relations:
        return "already_enrolled"
    policy = policy_today(turn, m.to, regions)
    account = eligibility.has_account(policy, m)
    if m.balance_fen and not account:
        return "no_account"
    relation = Relation(
        region=m.to,
        scheme=m.scheme,
        person_type=m.person_type,
        account=account,
        loaded=True,
        opened=m.months,
        plan_year=m.plan_year,
        entries={m.record: Entry("open", m.months)},
    )
    relation = entitled(turn, relation, regions)
    turn.put_relation(relation)
    open_account(turn, m, account=account)
    return Accepted(relation)


def open_account(turn: Turn, m: Register, *, account: bool) -> None:
    """Tell settlement that a relation begins, with an account or without."""
    turn.say(
        settlement.OpenAccount(
            to=m.to,
            person=m.person,
            record=m.record,
            account=account,
            balance_fen=m.balance_fen or 0,
            sealed=m.sealed,
            name_keys=m.name_keys,
        )
    )


def suspend(turn: Turn, m: Register, regions: Regions) -> Outcome:
    """Cover stops; what waited for it may go on."""
    assert m.scheme
    relation = turn.person.relations.get((m.to, m.scheme))
    if relation is None:
        return "not_enrolled"
    if relation.state != "normal":
        return "already_stopped"
    known = relation.months
    latest = known[-1][1] if known else None
    paid = relation.paid
    # The last month paid was paid, even if no contribution of it was ever sent.
    if m.month is not None and (latest is None or m.month > latest):
        paid = months.add_month(paid, m.month)
    relation = replace(
        relation,
        state="suspended",
        paid=paid,
        last_month=m.month if m.month is not None else latest,
        entries={**relation.entries, m.record: Entry("suspend", one(m.month))},
    )
    relation = entitled(turn, relation, regions)
    turn.put_relation(relation)
    releases.reopen(turn, relation)
    return Accepted(relation)


def contribute(turn: Turn, m: Register, regions: Regions) -> Outcome:
    """A month is paid, or due and unpaid."""
    assert m.scheme
    assert m.month is not None
    relation = turn.person.relations.get((m.to, m.scheme))
    if relation is None:
        return "not_enrolled"
    refused = _contribution_refused(relation, m)
    if refused is not None:
        return refused
    if m.paid_on is None:
        if not months.contains(relation.own, m.month):
            relation = replace(relation, arrears=months.add_month(relation.arrears, m.month))
        turn.put_relation(relation)
        return Accepted(relation)
    entries = {**relation.entries, m.record: Entry("contribute", one(m.month))}
    relation = pay(replace(relation, entries=entries), m.month, m.nature)
    relation = entitled(turn, relation, regions)
    turn.put_relation(relation)
    releases.pass_on(turn, relation)
    if m.amount_fen:
        turn.say(
            settlement.Contribute(
                to=m.to, person=m.person, record=m.record, amount_fen=m.amount_fen
            )
        )
    return Accepted(relation)


def _contribution_refused(relation: Relation, m: Register) -> str | None:
    assert m.month is not None
    if m.amount_fen and not relation.account:
        return "no_account"
    stopped = relation.state == "suspended" and relation.last_month is not None
    if stopped and m.nature == "normal" and m.month > (relation.last_month or 0):
        return "after_stop"
    return None


def pay(relation: Relation, month: int, nature: str) -> Relation:
    """The relation with a month paid. Deemed months are certified apart and never move."""
    relation = replace(relation, arrears=months.without(relation.arrears, one(month)))
    if nature == "deemed":
        return relation
    if relation.loaded:
        return replace(relation, paid=months.add_month(relation.paid, month))
    first = relation.first_month
    fixed = first is not None and any(
        e.action == "enroll" and months.contains(e.months, first) for e in relation.entries.values()
    )
    if nature == "back-paid" or (fixed and first is not None and month < first):
        return replace(relation, back_paid=months.add_month(relation.back_paid, month))
    first = month if first is None else min(first, month)
    return replace(relation, first_month=first, paid=months.add_month(relation.paid, month))


def spend(turn: Turn, m: Register, regions: Regions) -> Outcome:  # noqa: ARG001 as all actions
    """The person pays from the personal account; settlement knows whether it suffices."""
    relation = _with_account(turn, m)
    if isinstance(relation, str):
        return relation
    amount = m.amount_fen or 0
    turn.say(
        settlement.Spend(
            to=m.to,
            person=m.person,
            record=m.record,
            amount_fen=amount,
            spent_on=shanghai_day(m.occurred_at),
        )
    )
    return Accepted(relation)


def refund(turn: Turn, m: Register, regions: Regions) -> Outcome:  # noqa: ARG001 as all actions
    """A spend is given back."""
    relation = _with_account(turn, m)
    if isinstance(relation, str):
        return relation
    if m.refers_to is None:
        return "unknown_record"
    turn.say(
        settlement.Refund(
            to=m.to,
            person=m.person,
            record=m.record,
            refers_to=m.refers_to,
            amount_fen=m.amount_fen or 0,
        )
    )
    return Accepted(relation)


def _with_account(turn: Turn, m: Register) -> Relation | str:
    relations = turn.person.of_region(m.to)
    if not relations:
        return "not_enrolled"
    with_account = [r for r in relations if r.account]
    if not with_account:
        return "no_account"
    # What moves an account after its release corrects the release: the books see to it.
    return next((r for r in with_account if r.released is None), with_account[-1])


def decease(turn: Turn, m: Register, regions: Regions) -> Outcome:  # noqa: ARG001 as all actions
    """The person has died: every transfer that the region knows of is told, on either side."""
    if not turn.person.of_region(m.to):
        return "not_enrolled"
    died_on = shanghai_day(m.occurred_at)
    turn.learn(deceased_on=died_on)
    here = {s.transfer: m.to for s in turn.person.starts.values() if s.region == m.to}
    # A transfer lives at its destination, so that is where the news goes.
    away = {r.transfer: r.destination for r in turn.person.releases.values() if r.region == m.to}
    for transfer, region in sorted((away | here).items()):
        turn.say(PersonDeceased(to=region, person=m.person, transfer=transfer, died_on=died_on))
    turn.say(PersonDeceased(to=m.to, person=m.person, died_on=died_on))
    for region in sorted(_with_money(turn, m.to)):
        turn.say(settlement.PayOut(to=region, person=m.person, record=m.record, reason="deceased"))
    return Accepted()


def _with_money(turn: Turn, region: str) -> set[str]:
    """Where the heirs have something to get: here, and wherever the money may have gone."""
    accounts = {r.region for r in turn.person.relations.values() if r.account}
    sent_to = {r.destination for r in turn.person.releases.values() if r.region == region}
    return accounts | sent_to
