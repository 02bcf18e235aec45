"""What each message leads to: the one place where a message finds its rule."""

from services.enrollment import amending, joins, movements, records, releases, restoring
from services.enrollment.persons import Person, Turn, Verdict
from shared.decision import Decision, Delivery, States, Unexpected
from shared.messages import enrollment as e
from shared.regions import Regions

HANDLES = frozenset(
    message.type
    for message in (
        e.Register,
        e.ReleaseRecord,
        e.CompleteRelease,
        e.CancelRelease,
        e.CorrectRecord,
        e.TerminateRecord,
        e.RestoreRecord,
        e.AmendRecord,
        e.DropAmendment,
        e.AnswerAnew,
        e.JoinRecord,
    )
)


def _answer_anew(
    turn: Turn,
    states: States,
    m: e.AmendRecord | e.DropAmendment | e.AnswerAnew,
    regions: Regions,
) -> None:
    """What may change the answer to a record of the feed."""
    record = m.record if isinstance(m, e.AnswerAnew) else m.asked
    verdict = states.get(("verdict", record))
    assert verdict is None or isinstance(verdict, Verdict)
    if isinstance(m, e.AnswerAnew):
        movements.refused(turn, verdict, m)
    else:
        amending.decide(turn, m, verdict, regions)


def decide(states: States, delivery: Delivery, regions: Regions) -> Decision:
    """What one message leads to. Raises Unexpected for what means nothing."""
    m = delivery.message
    person = states.get(("person", delivery.key)) or Person(delivery.key)
    assert isinstance(person, Person)
    if isinstance(m, e.Register):
        return records.register(person, delivery, m, regions)
    turn = Turn(person, delivery)
    match m:
        case e.ReleaseRecord():
            releases.release(turn, m, regions)
        case e.CompleteRelease():
            releases.complete(turn, m)
        case e.CancelRelease():
            releases.cancel(turn, m)
        case e.CorrectRecord():
            releases.correct(turn, m)
        case e.TerminateRecord():
            releases.terminate(turn, m)
        case e.RestoreRecord():
            restoring.restore(turn, m, regions)
        case e.JoinRecord():
            joins.join_record(turn, m, regions)
        case e.AmendRecord() | e.DropAmendment() | e.AnswerAnew():
            _answer_anew(turn, states, m, regions)
        case _:
            raise Unexpected("not_ours", f"{m.type} is not obeyed here")
    return turn.decision()
