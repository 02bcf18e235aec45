"""Records that correct an earlier one: the filled fields replace what that one said."""

from collections.abc import Callable
from uuid import UUID

from services.enrollment.actions import Accepted, Outcome, entitled, one, pay
from services.enrollment.persons import Entry, Relation, Turn
from services.enrollment.releases import pass_on
from shared import months
from shared.decision import replace
from shared.messages import settlement
from shared.messages.enrollment import AmendRecord, RecordAmended, Register
from shared.messages.settlement_people import AskCorrection, CloseCorrection
from shared.regions import Regions
from shared.rules import Fact


def correct(turn: Turn, m: Register, regions: Regions) -> Outcome:
    """Replaces the values of the record meant, while the region's record is still its own; after
    its release two people of the region have to decide.
    """
    found = _meant(turn, m.to, m.refers_to)
    if found is None or m.refers_to is None:
        return "unknown_record"
    relation, entry = found
    changed = _changed(turn, m, relation, entry, regions)
    told = (m.months, m.month, m.balance_fen)
    if isinstance(changed, str) or relation.released is None or told == ((), None, None):
        return _put(turn, m, changed)
    turn.say(
        AskCorrection(
            to=m.to,
            person=m.person,
            asked=m.record,
            refers_to=m.refers_to,
            transfer=relation.released,
            month=m.month,
            months=m.months,
            balance_fen=m.balance_fen,
        )
    )
    return Accepted(relation, code="needs_two_people")


def amend(turn: Turn, m: AmendRecord, regions: Regions) -> str | None:
    """Two people correct what has left already: who has the record now is told its next version,
    and the money follows as a correction of its release. Gives the code of a refusal.
    """
    own = m.record or turn.delivery.id
    record = Register(
        to=m.to,
        person=m.person,
        record=own,
        source="",
        record_id="",
        action="correct",
        occurred_at=turn.delivery.at,
        month=m.month,
        months=m.months,
        balance_fen=m.balance_fen,
        refers_to=m.refers_to,
    )
    found = _meant(turn, m.to, m.refers_to)
    changed = _changed(turn, record, *found, regions) if found else "unknown_record"
    if isinstance(changed, str):
        return changed
    _put(turn, record, changed)
    rule = Fact("two people correct a released record", m.reason, "design")
    by = {"proposed_by": m.proposed_by, "approved_by": m.approved_by, "why": m.why}
    turn.explain(own, "amend", rule, **by)
    turn.say(RecordAmended(to=m.to, person=m.person, record=own, refers_to=m.refers_to))
    pass_on(turn, changed)
    # After the balance, which the books may refuse.
    about = {"to": m.to, "person": m.person, "refers_to": m.refers_to}
    turn.say(CloseCorrection.model_validate({**about, "record": own}))
    return None


def _changed(
    turn: Turn, m: Register, relation: Relation, entry: Entry, regions: Regions
) -> Relation | str:
    assert m.refers_to
    if m.account not in (None, relation.account) or m.amount_fen is not None:
        return "not_correctable"
    asked = (m.months, m.month, m.balance_fen, m.person_type, m.sealed)
    if not any(value not in (None, ()) for value in asked):
        return "nothing_to_correct"
    changed = _CORRECTORS[entry.action](relation, m.refers_to, entry, m)
    if changed is None:
        return "not_correctable"
    changed = replace(changed, person_type=m.person_type or relation.person_type)
    return entitled(turn, changed, regions)


def _put(turn: Turn, m: Register, changed: Relation | str) -> Outcome:
    if isinstance(changed, str):
        return changed
    assert m.refers_to
    turn.put_relation(changed)
    if m.balance_fen is not None:
        turn.say(
            settlement.CorrectBalance(
                to=m.to,
                person=m.person,
                record=m.record,
                refers_to=m.refers_to,
                balance_fen=m.balance_fen,
            )
        )
    return Accepted(changed)


def _meant(turn: Turn, region: str, record: UUID | None) -> tuple[Relation, Entry] | None:
    for relation in turn.person.of_region(region):
        entry = relation.entries.get(record) if record else None
        if entry is not None:
            return relation, entry
    return None


def _open(relation: Relation, record: UUID, _: Entry, m: Register) -> Relation | None:
    if m.month is not None or (m.balance_fen is not None and not relation.account):
        return None
    if not m.months:
        return relation
    return replace(
        relation, opened=m.months, entries={**relation.entries, record: Entry("open", m.months)}
    )


def _only_month(m: Register) -> bool:
    return not m.months and m.balance_fen is None


def _enroll(relation: Relation, record: UUID, entry: Entry, m: Register) -> Relation | None:
    if not _only_month(m) or entry.months != one(relation.first_month):
        return None
    if m.month is None:
        return relation
    entries = {**relation.entries, record: Entry("enroll", one(m.month))}
    paid = _without_entry(relation, record, entry, relation.paid)
    paid = months.add_month(paid, m.month)
    return replace(relation, paid=paid, first_month=m.month, entries=entries)


def _contribute(relation: Relation, record: UUID, entry: Entry, m: Register) -> Relation | None:
    if not _only_month(m):
        return None
    if m.month is None:
        return relation
    was_back_paid = bool(months.overlap(entry.months, relation.back_paid))
    left = replace(
        relation,
        paid=_without_entry(relation, record, entry, relation.paid),
        back_paid=_without_entry(relation, record, entry, relation.back_paid),
        entries={**relation.entries, record: Entry("contribute", one(m.month))},
    )
    if left.first_month is not None and not months.contains(left.paid, left.first_month):
        left = replace(left, first_month=left.paid[0][0] if left.paid else None)
    return pay(left, m.month, "back-paid" if was_back_paid else "normal")


def _without_entry(
    relation: Relation, record: UUID, entry: Entry, held: months.Ranges
) -> months.Ranges:
    """What is held without this record's month, unless another record paid it as well."""
    others = months.merge(
        r for id_, e in relation.entries.items() if id_ != record for r in e.months
    )
    return months.without(held, months.without(entry.months, others))


def _suspend(relation: Relation, record: UUID, entry: Entry, m: Register) -> Relation | None:
    if not _only_month(m) or relation.state != "suspended":
        return None
    if m.month is None:
        return relation
    entries = {**relation.entries, record: Entry("suspend", one(m.month))}
    paid = _without_entry(relation, record, entry, relation.paid)
    corrected = replace(relation, paid=paid, last_month=m.month, entries=entries)
    if not months.contains(corrected.months, m.month):
        corrected = replace(corrected, paid=months.add_month(paid, m.month))
    return corrected


Corrector = Callable[[Relation, UUID, Entry, Register], Relation | None]
_CORRECTORS: dict[str, Corrector] = {
    "open": _open,
    "enroll": _enroll,
    "contribute": _contribute,
    "suspend": _suspend,
}
