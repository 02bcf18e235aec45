"""What each message leads to: the one place where a message finds its rule."""

from services.enrollment import corrections, joins, movements, records, releases, restoring
from services.enrollment.persons import Person, Turn, Verdict
from shared.decision import Decision, Delivery, States, Unexpected
from shared.messages import enrollment as e
from shared.messages import settlement as s
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
        e.JoinRecord,
        s.MovementRefused,
    )
)


def _go_back(turn: Turn, m: e.RestoreRecord | e.AmendRecord, regions: Regions) -> None:
    if isinstance(m, e.AmendRecord):
        corrections.amend(turn, m, regions)
    else:
        restoring.restore(turn, m, regions)


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
        case e.RestoreRecord() | e.AmendRecord():
            _go_back(turn, m, regions)
        case e.JoinRecord():
            joins.join_record(turn, m, regions)
        case s.MovementRefused():
            verdict = states.get(("verdict", m.record))
            assert verdict is None or isinstance(verdict, Verdict)
            movements.refused(turn, verdict, m)
        case _:
            raise Unexpected("not_ours", f"{m.type} is not obeyed here")
    return turn.decision()
