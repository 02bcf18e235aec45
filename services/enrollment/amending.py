"""What two people decide about a released record, and what its sender is answered then."""

from services.enrollment import corrections
from services.enrollment.persons import Turn, Verdict
from shared.decision import Unexpected, replace
from shared.messages.enrollment import AmendmentRefused, AmendRecord, Answered, DropAmendment
from shared.messages.settlement_people import CloseCorrection
from shared.regions import Regions
from shared.rules import Fact

DROPPED = "not_agreed"


def decide(
    turn: Turn, m: AmendRecord | DropAmendment, asked: Verdict | None, regions: Regions
) -> None:
    """It is corrected, or stays as it is; `asked` is the answer to the feed's record so far."""
    if not m.by_two:
        raise Unexpected("needs_two_people", "what has been released takes two people")
    if isinstance(m, DropAmendment):
        rule = Fact("two people leave a released record as it is", m.reason, "design")
        by = {"proposed_by": m.proposed_by, "approved_by": m.approved_by, "why": m.why}
        turn.explain(m.asked or turn.delivery.id, "drop", rule, **by)
        _close(turn, m, None)
        _answer(turn, asked, "refused", DROPPED)
    elif code := corrections.amend(turn, m, regions):
        record = m.record or turn.delivery.id
        turn.say(AmendmentRefused(to=m.to, person=m.person, record=record, code=code))
        _close(turn, m, code)
    else:
        _answer(turn, asked, "accepted", None)


def _close(turn: Turn, m: AmendRecord | DropAmendment, code: str | None) -> None:
    turn.say(
        CloseCorrection(
            to=m.to,
            person=m.person,
            refers_to=m.refers_to,
            record=turn.delivery.id,
            code=code,
        )
    )


def _answer(turn: Turn, asked: Verdict | None, decision: str, code: str | None) -> None:
    """The sender is answered once more; not where nobody but the two has asked."""
    if asked is None or asked.decision == "refused" or asked.code == code:
        return
    answer(turn, replace(asked, decision=decision, code=code, at=turn.delivery.at))


def answer(turn: Turn, verdict: Verdict) -> None:
    """A record that was answered before is decided in another way."""
    turn.decide_record(verdict)
    turn.say(
        Answered(
            to=turn.delivery.message.to,
            person=turn.person.person,
            record=verdict.record,
            source=verdict.source,
            record_id=verdict.record_id,
            decision=verdict.decision,  # type: ignore[arg-type]  # of the two that there are
            code=verdict.code,
            transfer=verdict.transfer,
        )
    )
