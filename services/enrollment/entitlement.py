"""From when a person is entitled: the gap rule of 医保办发〔2021〕43号, a region's own figures."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from services.enrollment.persons import Entitlement, Joined, Relation
from shared import months
from shared.decision import replace
from shared.months import Ranges
from shared.rules import Fact, WaitingRule


def record_digest(version: int, record: Ranges) -> str:
    """The SHA-256 of a record's version and months, in hex: what was sent is what arrived."""
    text = f"{version}|{';'.join(f'{first}-{last}' for first, last in record)}"
    return hashlib.sha256(text.encode()).hexdigest()


def join(relation: Relation, brought: Joined) -> Relation:
    """The relation with another region's months; a later version replaces what came before.

    Months that were paid in both places are kept on both sides, so that it does not matter which
    side was known first; `Relation.months` counts each once.
    """
    known = next((j for j in relation.joined if j.transfer == brought.transfer), None)
    if known is not None and known.version >= brought.version:
        return relation
    kept = tuple(j for j in relation.joined if j.transfer != brought.transfer)
    return replace(relation, joined=(*kept, brought))


class Reckoning(NamedTuple):
    """An entitlement with the rule it follows from and the facts the rule was applied to."""

    entitlement: Entitlement
    rule: Fact
    facts: dict[str, object]


def reckon(relation: Relation, others: Iterable[Relation], waiting: WaitingRule) -> Reckoning:
    """The entitlement of a relation; months of `others` count without having been joined."""
    if relation.loaded:
        return _loaded(relation)
    first = relation.first_month
    if first is None:
        return Reckoning(Entitlement(), Fact("entitled once a month is paid", "", "assumed"), {})
    history = _history(relation, others)
    before = {scheme: _last_before(record, first) for scheme, record in history.items()}
    last = max((month for month in before.values() if month is not None), default=None)
    if last is None:
        return _newcomer(relation, first, waiting)
    missing = months.gap(last, first)
    same_scheme = before.get(relation.scheme) == last
    other = next((s for s, month in before.items() if month == last), relation.scheme)
    unbroken = months.consecutive(history[other], last)
    facts: dict[str, object] = {
        "last_month": months.month_text(last),
        "first_month": months.month_text(first),
        "gap_months": missing,
        "same_scheme": same_scheme,
        "consecutive_months": unbroken,
    }
    needed = waiting.scheme_switch_needs_consecutive_months
    if not same_scheme and unbroken < needed:
        rule = Fact("consecutive months for a change of scheme", str(needed), waiting.source)
        return Reckoning(_wait(first, waiting.wait_months), rule, facts)
    rule = Fact("months of gap without waiting", str(waiting.gap_months), waiting.source)
    if missing > waiting.gap_months:
        return Reckoning(_wait(first, waiting.wait_months), rule, facts)
    return Reckoning(Entitlement(first, 0, _retroactive(relation, last, first)), rule, facts)


def _wait(first: int, wait_months: int) -> Entitlement:
    return Entitlement(first + wait_months, wait_months, None)


def _retroactive(relation: Relation, last: int, first: int) -> int | None:
    gap = ((last + 1, first - 1),) if last + 1 < first else ()
    repaid = bool(gap) and not months.without(gap, relation.back_paid)
    return last + 1 if repaid else None


def _history(relation: Relation, others: Iterable[Relation]) -> dict[str, Ranges]:
    """Months by scheme that count as cover before the current spell."""
    history: dict[str, Ranges] = {
        relation.scheme: months.merge((*relation.opened, *relation.earlier))
    }
    for joined in relation.joined:
        history[joined.scheme] = months.union(history.get(joined.scheme, ()), joined.months)
    for other in others:
        history[other.scheme] = months.union(history.get(other.scheme, ()), other.months)
    return history


def _last_before(record: Ranges, first: int) -> int | None:
    """The last month of the record before `first`; `first - 1` where cover simply went on."""
    if months.contains(record, first):
        return first - 1
    return max((min(last, first - 1) for start, last in record if start < first), default=None)


def _newcomer(relation: Relation, first: int, waiting: WaitingRule) -> Reckoning:
    facts: dict[str, object] = {
        "first_month": months.month_text(first),
        "person_type": relation.person_type,
    }
    if relation.person_type in ("employee", "benefit-recipient"):
        rule = Fact("through an employer: entitled in the month of payment", "", "assumed")
        return Reckoning(Entitlement(first), rule, facts)
    rule = Fact("waiting months of a first enrollment", str(waiting.wait_months), "assumed")
    return Reckoning(_wait(first, waiting.wait_months), rule, facts)


def _loaded(relation: Relation) -> Reckoning:
    """A relation loaded with its history is entitled since its last unbroken run began."""
    rule = Fact("entitlement as the region loaded it", "", "upstream record")
    run = relation.months
    entitled = run[-1][0] if run else None
    return Reckoning(Entitlement(entitled), rule, {"months": months.ranges_text(run)})
