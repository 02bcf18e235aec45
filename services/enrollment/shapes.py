"""What enrollment tells of a person and of a decision, in the published shapes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from services.enrollment.codes import sentence
from services.enrollment.persons import Explanation, Person, Relation, Verdict
from shared import months
from shared.calendar import SHANGHAI


def person_shape(person: Person, today: date) -> dict[str, Any]:
    """A person's cover; relations in one stable order."""
    relations = [person.relations[key] for key in sorted(person.relations)]
    return {
        "covered_today": person.deceased_on is None and any(_covers(r, today) for r in relations),
        "next": _next(relations, today) if person.deceased_on is None else None,
        "enrollments": [_enrollment(r) for r in relations],
    }


def _covers(relation: Relation, today: date) -> bool:
    """Whether the person may claim today: entitled, and cover not stopped before this month."""
    month = months.month_of(today)
    entitled_from = relation.entitlement.entitled_from
    if entitled_from is None or entitled_from > month:
        return False
    if relation.state == "suspended":
        return relation.last_month is not None and relation.last_month >= month
    return relation.state == "normal"


def _next(relations: list[Relation], today: date) -> dict[str, str | None] | None:
    """What the person waits for next, and from when."""
    month = months.month_of(today)
    active = [r for r in relations if r.state == "normal"]
    starts = sorted(
        r.entitlement.entitled_from
        for r in active
        if r.entitlement.entitled_from is not None and r.entitlement.entitled_from > month
    )
    if starts:
        return {"what": "entitled", "at": _first_day(starts[0])}
    if any(r.arrears for r in active):
        return {"what": "pay the months due", "at": None}
    if any(r.entitlement.entitled_from is None for r in active):
        return {"what": "pay the first month", "at": None}
    return None


def _first_day(month: int) -> str:
    year, index = divmod(month, months.MONTHS_PER_YEAR)
    return datetime.combine(date(year, index + 1, 1), time.min, SHANGHAI).isoformat()


def _enrollment(relation: Relation) -> dict[str, Any]:
    entitlement = relation.entitlement
    record = relation.months
    return {
        "region": relation.region,
        "scheme": relation.scheme,
        "state": relation.state,
        "months": months.ranges_text(record),
        "months_total": months.count(record),
        "entitled_from": _text(entitlement.entitled_from),
        "waiting_months": entitlement.waiting_months,
        "retroactive_from": _text(entitlement.retroactive_from),
    }


def _text(month: int | None) -> str | None:
    return None if month is None else months.month_text(month)


def explanation_shape(why: Explanation) -> dict[str, Any]:
    """One decision with its rule, the rule's source and the facts."""
    code = why.facts.get("code")
    return {
        "at": why.at.astimezone(SHANGHAI).isoformat(),
        "service": "enrollment",
        "decision": why.decision,
        "code": code,
        "message": sentence(str(code)) if code else None,
        "rule": why.rule,
        "source": why.source,
        "facts": {name: value for name, value in why.facts.items() if name != "code"},
    }


def verdict_shape(source: str, record_id: str, verdict: Verdict | None) -> dict[str, Any]:
    """What was decided about a record, nulls while nothing is."""
    code = verdict.code if verdict else None
    transfer = verdict.transfer if verdict else None
    return {
        "source": source,
        "record_id": record_id,
        "decision": verdict.decision if verdict else None,
        "code": code,
        "message": sentence(code) if code else None,
        "transfer_id": str(transfer) if transfer else None,
    }


def seen(person: Person, may_see: Callable[[str], bool]) -> Person:
    """The person without the relations of regions that the asker may not see."""
    relations = {key: r for key, r in person.relations.items() if may_see(r.region)}
    return replace(person, relations=relations)
