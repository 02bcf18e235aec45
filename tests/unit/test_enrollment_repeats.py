"""What an origin answers when it is asked, told or corrected once more."""

from collections.abc import Sequence

from shared.messages import Message
from shared.messages import enrollment as e
from tests.unit.enrollment_world import (
    HEFEI,
    NANNING,
    PERSON,
    ZHENGZHOU,
    World,
    month,
    ranges,
    transfer,
)


def types(out: Sequence[Message]) -> list[str]:
    return [type(m).__name__ for m in out]


def stopped() -> World:
    world = World()
    world.open()
    world.stop()
    return world


def test_months_of_an_earlier_move_go_on_to_the_next_region() -> None:
    world = stopped()
    world.ask()
    world.enroll()
    world.stop(region=NANNING, name="stop 2", month=month("2026-03"))
    released = world.ask("on", to=NANNING, destination=HEFEI)[-1]

    out = world.join("2019-03..2026-02")

    assert isinstance(released, e.RecordReleased)
    assert released.months == ranges("2026-03")
    assert types(out) == ["RecordJoined", "RecordCorrected"]
    corrected = out[-1]
    assert isinstance(corrected, e.RecordCorrected)
    assert (corrected.to, corrected.version) == (HEFEI, 2)
    assert corrected.months == ranges("2019-03..2026-03")


def test_months_that_join_again_go_on_only_once() -> None:
    world = stopped()
    world.ask()
    world.enroll()
    world.stop(region=NANNING, name="stop 2", month=month("2026-03"))
    world.ask("on", to=NANNING, destination=HEFEI)
    world.join("2019-03..2026-02")

    assert types(world.join("2019-03..2026-02")) == ["RecordJoined"]


def test_refused_twice_the_origin_says_the_same() -> None:
    world = World()

    assert world.ask() == world.ask()


def test_cancelled_twice_is_cancelled_once() -> None:
    world = World()
    cancel = e.CancelRelease(to=ZHENGZHOU, person=PERSON, transfer=transfer("enroll"))
    world.ask()

    assert types(world.tell(cancel)) == types(world.tell(cancel)) == ["ReleaseCancelled"]
    assert types(world.ask()) == ["ReleaseCancelled"]


def test_a_stop_opens_only_what_waited_for_it() -> None:
    world = World()
    world.ask("early")
    world.open()
    world.ask("waits")
    world.ask("resident", scheme="390")
    world.register("suspend", "s", to=ZHENGZHOU, scheme="310")

    again = [m.refused for m in world.said if isinstance(m, e.CoverStopped)]

    assert again == [transfer("waits")]
    assert world.relation(ZHENGZHOU).last_month == month("2026-02")


def test_the_end_of_an_unknown_transfer_ends_nothing() -> None:
    world = stopped()

    world.tell(e.TerminateRecord(to=ZHENGZHOU, person=PERSON, transfer=transfer("other")))

    assert world.relation(ZHENGZHOU).state == "suspended"


def test_a_death_where_nobody_is_known_is_refused() -> None:
    assert World().register("decease", "death") == "not_enrolled"


def test_an_empty_record_is_a_record() -> None:
    world = World()
    world.open(months=())
    world.stop(month=None)

    released = world.ask()[-1]

    assert isinstance(released, e.RecordReleased)
    assert (released.months, released.last_month) == ((), None)
