"""What the books refuse after the rules accepted it: the sender is answered once more."""

from services.enrollment.amending import answer
from services.enrollment.persons import Turn, Verdict
from shared.decision import Unexpected, replace
from shared.messages.enrollment import AmendmentRefused, AnswerAnew
from shared.rules import Fact


def refused(turn: Turn, verdict: Verdict | None, m: AnswerAnew) -> None:
    """A movement of money was refused; months that came with it stay as they are.

    Raises Unexpected for a record that was never answered: the books hear of records from here.
    """
    if m.what == "open":
        # The relation stands, whatever became of its balance.
        return
    if verdict is None and m.what == "correct":
        # Two people have amended it: nobody else asked.
        about = {"to": m.to, "person": m.person, "record": m.record, "code": m.code}
        turn.say(AmendmentRefused.model_validate(about))
        return
    if verdict is None:
        raise Unexpected("unknown_record", "the books refuse a record that nothing is known of")
    if verdict.decision == "refused":
        return
    rule = Fact("the books refuse the movement", m.code, "personal account")
    turn.explain(m.record, m.what, rule, code=m.code)
    answer(turn, replace(verdict, decision="refused", code=m.code, at=turn.delivery.at))
