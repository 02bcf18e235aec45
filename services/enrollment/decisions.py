"""What each command leads to: the one place where a message finds its rule."""

from services.enrollment import joins, records, releases
from services.enrollment.persons import Person, Turn
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
        e.JoinRecord,
    )
)


def decide(states: States, delivery: Delivery, regions: Regions) -> Decision:
    """What one command leads to. Raises Unexpected for what means nothing."""
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
        case e.JoinRecord():
            joins.join_record(turn, m, regions)
        case _:
            raise Unexpected("not_ours", f"{m.type} is not obeyed here")
    return turn.decision()
