"""Origins that answer by hand: a request is taken at once and completed later."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from shared.calendar import SHANGHAI
from shared.decision import Unexpected
from shared.messages import Message, next_uuid
from shared.messages import enrollment as e
from tests.unit.enrollment_world import (
    BAODING,
    GUILIN,
    HEFEI,
    PERSON,
    World,
    month,
    ranges,
    transfer,
)

ASKED_ON_FRIDAY = datetime(2026, 3, 6, 9, 30, tzinfo=SHANGHAI)
DUE = datetime(2026, 3, 12, 0, 0, tzinfo=SHANGHAI)
MOMENT = timedelta(seconds=1)


def types(out: Sequence[Message]) -> list[str]:
    return [type(m).__name__ for m in out]


def asked(at: datetime = ASKED_ON_FRIDAY) -> World:
    """A stopped record of Baoding was asked for."""
    world = World(at)
    world.open(BAODING)
    world.stop(BAODING)
    assert types(world.ask(to=BAODING)) == ["ReleaseAccepted"]
    return world


def cancel(world: World) -> Sequence[Message]:
    return world.tell(e.CancelRelease(to=BAODING, person=PERSON, transfer=transfer("enroll")))


def test_a_request_is_taken_and_stays_open() -> None:
    world = asked()

    release = world.person.releases[transfer("enroll")]
    assert (release.state, release.due_at) == ("accepted", DUE)
    assert world.relation(BAODING).released is None


def test_the_handling_time_ends_with_the_third_working_day() -> None:
    world = asked()

    assert world.go_to(DUE - MOMENT) == []
    (released,) = world.go_to(DUE)

    assert isinstance(released, e.RecordReleased)
    assert (released.origin, released.version) == (BAODING, 1)
    assert released.months == ranges("2019-03..2026-02")
    assert world.relation(BAODING).released == transfer("enroll")


def test_a_clerk_may_be_quicker() -> None:
    world = asked()

    assert types(world.complete()) == ["RecordReleased"]

    assert world.timers == {}
    assert world.go_to(DUE) == []


def test_a_completed_request_is_not_released_twice() -> None:
    world = asked()
    world.complete()

    assert world.complete() == []
    world.tell(e.TerminateRecord(to=BAODING, person=PERSON, transfer=transfer("enroll")))
    assert world.complete() == []


def test_asked_again_while_it_is_open_it_is_taken_again_and_due_as_before() -> None:
    world = asked()
    world.at += timedelta(days=3)

    assert types(world.ask(to=BAODING)) == ["ReleaseAccepted"]
    assert [t.due_at for t in world.timers.values()] == [DUE]


def test_a_request_taken_back_while_it_is_open_is_forgotten() -> None:
    world = asked()

    assert types(cancel(world)) == ["ReleaseCancelled"]

    assert world.timers == {}
    assert world.complete() == []
    assert world.relation(BAODING).released is None


def test_a_record_whose_request_was_taken_back_is_free_for_another() -> None:
    world = asked()
    cancel(world)

    assert types(world.ask("other", to=BAODING, destination=HEFEI)) == ["ReleaseAccepted"]
    assert types(world.complete("other")) == ["RecordReleased"]


def test_taken_back_too_late_the_record_is_sent_once_more() -> None:
    world = asked()
    released = list(world.complete())

    assert list(cancel(world)) == released


def test_a_second_destination_is_refused_while_the_first_waits() -> None:
    world = asked()

    (refused,) = world.ask("other", to=BAODING, destination=HEFEI)

    assert isinstance(refused, e.ReleaseRefused)
    assert refused.code == "duplicate"
    assert types(world.complete()) == ["RecordReleased"]


def back_in_baoding(world: World) -> None:
    world.enroll(BAODING, "back")


def dies(world: World) -> None:
    world.register("decease", "death", to=BAODING)


def owes(world: World) -> None:
    world.contribute("due", "2026-01", BAODING, paid_on=None)
    world.contribute("due 2", "2018-01", BAODING, paid_on=None)


CHANGES: list[tuple[Callable[[World], None], str]] = [
    (back_in_baoding, "origin-not-stopped"),
    (dies, "deceased"),
    (owes, "in_arrears"),
]


@pytest.mark.parametrize(("happens", "code"), CHANGES)
def test_what_has_changed_meanwhile_is_checked_again(
    happens: Callable[[World], None], code: str
) -> None:
    world = asked()
    happens(world)

    (refused,) = world.go_to(DUE)

    assert isinstance(refused, e.ReleaseRefused)
    assert refused.code == code
    assert world.person.releases[transfer("enroll")].due_at is None
    assert world.complete() == []


def test_who_came_back_meanwhile_gets_a_new_transfer_when_they_leave_again() -> None:
    world = asked()
    back_in_baoding(world)
    world.go_to(DUE)

    world.stop(BAODING, "left again", month=month("2026-03"))

    (again,) = [m for m in world.said if isinstance(m, e.CoverStopped)]
    assert again.transfer == next_uuid(transfer("enroll"), "again")
    assert types(world.ask(to=BAODING, transfer=again.transfer)) == ["ReleaseAccepted"]


def test_a_death_while_it_is_open_is_told_to_the_transfer() -> None:
    world = asked()

    dies(world)

    told = [m.transfer for m in world.said if isinstance(m, e.PersonDeceased)]
    assert transfer("enroll") in told
    assert types(cancel(world)) == ["ReleaseCancelled"]


def test_months_that_come_while_it_is_open_are_in_the_record() -> None:
    world = asked()
    paid = world.contribute("late", "2019-02", BAODING, nature="back-paid")

    (released,) = world.complete()

    assert paid is None
    assert isinstance(released, e.RecordReleased)
    assert released.months == ranges("2019-02..2026-02")


def test_a_request_for_the_next_plan_year_does_not_become_wrong_while_it_waits() -> None:
    world = World(datetime(2026, 12, 31, 16, 0, tzinfo=SHANGHAI))
    world.open(BAODING, scheme="390", person_type="resident")
    world.stop(BAODING, scheme="390", month=None)
    world.ask(to=BAODING, scheme="390", new_scheme="390", plan_year=2027)

    out = world.go_to(datetime(2027, 1, 8, tzinfo=SHANGHAI))

    assert types(out) == ["RecordReleased"]


def test_what_is_wrong_already_is_refused_at_once() -> None:
    world = World(ASKED_ON_FRIDAY)
    world.open(BAODING)

    assert types(world.ask(to=BAODING)) == ["ReleaseRefused"]
    assert world.timers == {}


def test_where_a_machine_answers_nothing_waits() -> None:
    world = World(ASKED_ON_FRIDAY)
    world.open(GUILIN)
    world.stop(GUILIN)

    assert types(world.ask(to=GUILIN)) == ["ReleaseAccepted", "RecordReleased"]
    assert world.timers == {}


def test_baoding_answered_by_machine_before_2025() -> None:
    world = World(datetime(2024, 12, 31, 17, 0, tzinfo=SHANGHAI))
    world.open(BAODING, months=ranges("2019-03..2024-11"))
    world.stop(BAODING, month=month("2024-11"))

    assert types(world.ask(to=BAODING)) == ["ReleaseAccepted", "RecordReleased"]


def test_what_nobody_asked_for_cannot_be_completed() -> None:
    with pytest.raises(Unexpected):
        World().complete()
