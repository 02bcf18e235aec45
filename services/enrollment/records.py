"""What an upstream record leads to: the answer to its sender, and what the region announces."""

from collections.abc import Callable, Mapping

from services.enrollment import actions, applications, corrections
from services.enrollment.actions import Accepted, Outcome
from services.enrollment.persons import Person, Turn, Verdict
from shared.decision import Decision, Delivery
from shared.messages import Trigger
from shared.messages.enrollment import Answered, Register, Registered, RegistrationRefused
from shared.regions import Regions
from shared.rules import Fact

Action = Callable[[Turn, Register, Regions], Outcome]

ACTIONS: Mapping[str, Action] = {
    "open": actions.open_relation,
    "enroll": applications.enroll,
    "suspend": actions.suspend,
    "contribute": actions.contribute,
    "apply": applications.apply,
    "withdraw": applications.withdraw,
    "correct": corrections.correct,
    "spend": actions.spend,
    "refund": actions.refund,
    "decease": actions.decease,
}


def register(person: Person, delivery: Delivery, m: Register, regions: Regions) -> Decision:
    """The decision on one record; whatever it is, the sender is answered."""
    turn = Turn(person, delivery)
    turn.learn(sealed=m.sealed)
    if regions.get(m.to) is None:
        outcome: Outcome = "unknown_region"
    elif person.deceased_on is not None:
        outcome = "deceased"
    else:
        outcome = ACTIONS[m.action](turn, m, regions)
    if isinstance(outcome, str):
        turn = _refuse(person, turn, m, outcome)
    else:
        _accept(turn, m, outcome)
    return turn.decision()


def _accept(turn: Turn, m: Register, accepted: Accepted) -> None:
    relation = accepted.relation
    turn.say(
        Registered(
            to=m.to,
            person=m.person,
            record=m.record,
            action=m.action,
            occurred_at=m.occurred_at,
            transfer=accepted.transfer,
            scheme=relation.scheme if relation else m.scheme,  # type: ignore[arg-type]
            person_type=relation.person_type if relation else None,  # type: ignore[arg-type]
            account=relation.account if relation else False,
            month=relation.first_month if relation and m.action == "enroll" else m.month,
            plan_year=relation.plan_year if relation else None,
            origin=accepted.origin,
            origin_scheme=accepted.origin_scheme,  # type: ignore[arg-type]
            sealed=turn.person.sealed,
        )
    )
    _answer(turn, m, "accepted", accepted.code, accepted.transfer)


def _refuse(person: Person, tried: Turn, m: Register, code: str) -> Turn:
    """A turn on which nothing changed but what the sender and the person are told."""
    turn = Turn(person, tried.delivery)
    why = {k: v for k, v in tried.changes.items() if isinstance(k, tuple) and k[0] == "explanation"}
    turn.changes.update(why)
    if not why:
        rule = Fact(f"refused: {code}", "", "enrollment rules")
        turn.explain(m.transfer or m.record, m.action, rule, code=code)
    trigger: Trigger | None = None
    if m.action in ("enroll", "apply"):
        trigger = "auto" if m.action == "enroll" else m.applicant
    turn.say(
        RegistrationRefused(
            to=m.to,
            person=m.person,
            record=m.record,
            action=m.action,
            occurred_at=m.occurred_at,
            code=code,
            transfer=m.transfer,
            scheme=m.scheme,
            origin=m.previous_region,
            trigger=trigger,
            sealed=m.sealed or person.sealed,
        )
    )
    _answer(turn, m, "refused", code, m.transfer)
    return turn


def _answer(turn: Turn, m: Register, decision: str, code: str | None, transfer: object) -> None:
    answer = Answered(
        to=m.to,
        person=m.person,
        record=m.record,
        source=m.source,
        record_id=m.record_id,
        decision=decision,  # type: ignore[arg-type]
        code=code,
        transfer=transfer,  # type: ignore[arg-type]
    )
    turn.say(answer)
    turn.decide_record(
        Verdict(m.record, decision, code, answer.transfer, turn.delivery.at, m.source, m.record_id)
    )
