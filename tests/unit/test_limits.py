"""Corridors are warned about, suspended while their origin does not pay, and resumed."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.settlement.exposure import (
    Limits,
    Look,
    first_review,
    in_force,
    look,
    next_review,
    refusal,
    warned_percent,
)
from services.settlement.states import Aged, Corridor
from shared.calendar import WorkingCalendar
from shared.decision import Unexpected
from shared.messages import Message
from shared.messages.settlement import AdvanceCredited, AdvanceDeclined, OfferAgain
from shared.messages.settlement_limits import (
    ChangeLimit,
    CorridorResumed,
    CorridorSuspended,
    ExposureWarned,
    LimitChanged,
    ResumeCorridor,
    ReviewCorridor,
    SuspendCorridor,
)
from tests.unit.settlement_world import (
    A,
    B,
    World,
    credit,
    detail,
    only,
    open_account,
    receipt,
    some_id,
)

# Every day of it is worked, so that days can be counted on one's fingers.
WORKED = WorkingCalendar({date(2026, 1, 1) + timedelta(days=n): True for n in range(900)})
TODAY = date(2026, 6, 1)
LIMITS = Limits(
    1000,
    300,
    warn_percent=(80, 95),
    age_days=60,
    suspend_after=20,
    suspend_percent=30,
    calendar=WORKED,
)
TWO: dict[str, Any] = {"to": B, "origin": A, "proposed_by": "x", "approved_by": "y", "reason": "r"}


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def aged(*rows: tuple[int, int]) -> list[Aged]:
    """Open advances as (days ago, fen), oldest first."""
    return [Aged(A, B, ago(days), fen, 1) for days, fen in rows]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((), Look(None, 0, None)),
        (((20, 100),), Look(None, 0, ago(20))),
        (((21, 100),), Look("overdue_share", 100, ago(21))),
        (((21, 29), (5, 71)), Look(None, 29, ago(21))),
        (((21, 30), (5, 70)), Look("overdue_share", 30, ago(21))),
        (((60, 1), (5, 99)), Look(None, 1, ago(60))),
        (((61, 1), (5, 99)), Look("too_old", 1, ago(61))),
    ],
)
def test_a_corridor_is_suspended_by_age_or_by_the_share_that_is_overdue(
    rows: tuple[tuple[int, int], ...], expected: Look
) -> None:
    assert look(Corridor(A, B), LIMITS, aged(*rows), TODAY) == expected


def test_what_two_people_excused_is_no_reason() -> None:
    corridor = Corridor(A, B, excused_before=ago(25))

    assert look(corridor, LIMITS, aged((61, 90), (5, 10)), TODAY) == Look(None, 0, ago(5))
    assert look(corridor, LIMITS, aged((61, 30), (24, 70)), TODAY).code == "overdue_share"


@pytest.mark.parametrize(
    ("corridor", "rows", "expected"),
    [
        (Corridor(A, B), (), None),
        (Corridor(A, B), ((5, 100),), TODAY + timedelta(days=16)),
        (Corridor(A, B), ((21, 10), (5, 90)), TODAY + timedelta(days=1)),
        (Corridor(A, B, excused_before=ago(6)), ((40, 9), (5, 9)), TODAY + timedelta(days=16)),
        (Corridor(A, B, suspended="too_old"), ((70, 100),), None),
        (Corridor(A, B, suspended="by_hand"), ((5, 100),), None),
        (Corridor(A, B, suspended="too_old", well_since=TODAY), (), TODAY + timedelta(days=3)),
    ],
)
def test_the_clock_looks_again_on_the_first_day_that_may_change_something(
    corridor: Corridor, rows: tuple[tuple[int, int], ...], expected: date | None
) -> None:
    limits = Limits(1000, 300, (), 60, 20, 30, 3, calendar=WORKED)

    assert next_review(corridor, limits, aged(*rows), TODAY) == expected


def test_without_a_rule_about_age_nothing_is_ever_looked_at() -> None:
    limits = Limits(1000, 300)

    assert first_review(limits, TODAY) is None
    assert next_review(Corridor(A, B), limits, aged((500, 1)), TODAY) is None
    assert look(Corridor(A, B), limits, aged((500, 1)), TODAY).code is None


@pytest.mark.parametrize(
    ("open_fen", "before", "after"),
    [
        (0, 0, 0),
        (799, 0, 0),
        (800, 0, 80),
        (1000, 0, 95),
        (949, 95, 95),
        (900, 95, 95),
        (899, 95, 80),
        (750, 80, 80),
        (749, 80, 0),
        (0, 95, 0),
    ],
)
def test_a_threshold_is_crossed_once_and_left_five_percent_below(
    open_fen: int, before: int, after: int
) -> None:
    corridor = Corridor(A, B, open_fen, warned_percent=before)

    assert warned_percent(corridor, LIMITS) == after


def test_what_two_people_set_holds_until_the_policy_has_a_newer_row() -> None:
    limits = Limits(1000, 300, age_days=60, since=date(2026, 1, 1))
    changed = Corridor(A, B, changed_on=date(2026, 5, 1), changed_open_fen=500)
    newer = Limits(2000, 300, since=date(2026, 5, 2))

    found = in_force(changed, limits)

    assert (found.open_fen, found.single_fen, found.age_days) == (500, 300, 60)
    assert in_force(changed, newer) is newer


@pytest.mark.parametrize(
    ("corridor", "code"),
    [
        (Corridor(A, B, 100, 1, oldest_on=ago(60)), None),
        (Corridor(A, B, 100, 1, oldest_on=ago(61)), "age_limit"),
        (Corridor(A, B, suspended="by_hand"), "corridor_suspended"),
    ],
)
def test_the_corridor_itself_may_refuse(corridor: Corridor, code: str | None) -> None:
    assert refusal(corridor, LIMITS, 0, 100, TODAY) == code


# --- stories ----------------------------------------------------------------------------------


def person(number: int) -> str:
    return f"{number:032x}"


def transfer(number: int) -> Any:  # noqa: ANN401 a UUID
    return some_id(f"transfer {number}")


def asked(number: int, amount_fen: int = 100) -> list[Message]:
    """Somebody arrives, and is to be advanced."""
    opened = open_account(B, person=person(number), record=some_id(f"open {number}"))
    return [opened, credit(amount_fen, transfer(number), person=person(number))]


def paid(number: int, amount_fen: int = 100) -> Message:
    return receipt(f"paid {number}", detail(amount_fen, transfer(number), payer_region=A))


def corridor_of(world: World) -> Corridor:
    found = world.states.get(("corridor", A, B), Corridor(A, B))
    assert isinstance(found, Corridor)
    return found


def test_an_origin_that_does_not_pay_is_suspended_and_resumed_when_it_does() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1), *asked(2))

    suspended = only(CorridorSuspended, world.wait(25))
    declined = world.send(*asked(3), *asked(4, 90))
    nothing = [m for m in world.send(paid(1)) if isinstance(m, CorridorResumed)]
    resumed = world.send(paid(2))

    assert (suspended.code, suspended.overdue_fen) == ("overdue_share", 200)
    codes = [m.code for m in declined if isinstance(m, AdvanceDeclined)]
    assert codes == ["corridor_suspended"] * 2
    assert nothing == []
    assert only(CorridorResumed, resumed).code == "paid"
    offered = [m.transfer for m in world.said if isinstance(m, OfferAgain)]
    assert offered == [transfer(3), transfer(4)]
    credited = [m.transfer for m in resumed if isinstance(m, AdvanceCredited)]
    assert credited == [transfer(3), transfer(4)]


def test_people_of_a_suspended_corridor_are_credited_when_their_own_money_comes() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1))
    world.wait(25)

    world.send(*asked(2))
    before = world.balance(B, person(2))
    world.send(paid(2))

    assert (before, world.balance(B, person(2))) == (0, 100)
    assert corridor_of(world).suspended == "overdue_share"


def test_the_age_limit_declines_before_the_clock_has_looked() -> None:
    world = World(limits=Limits(1000, 300, age_days=5, calendar=WORKED))
    world.send(*asked(1))
    world.later += timedelta(days=10)  # the timer is late

    said = world.send(*asked(2))

    assert only(AdvanceDeclined, said).code == "age_limit"
    assert only(CorridorSuspended, said).code == "too_old"


def test_what_was_paid_in_time_holds_nobody_up_though_the_clock_has_not_looked() -> None:
    world = World(limits=Limits(1000, 300, age_days=5, calendar=WORKED))
    world.send(*asked(1))
    world.later += timedelta(days=3)
    world.send(*asked(2), paid(1))
    world.later += timedelta(days=4)

    said = world.send(*asked(3))

    assert [m.transfer for m in said if isinstance(m, AdvanceCredited)] == [transfer(3)]


def test_a_resumed_corridor_waits_for_its_working_days() -> None:
    limits = Limits(1000, 300, (), 60, 20, 30, 3, calendar=WORKED)
    world = World(limits=limits)
    world.send(*asked(1))
    world.wait(25)
    world.send(paid(1))

    before = corridor_of(world).suspended
    said = world.wait(4)

    assert before == "overdue_share"
    assert only(CorridorResumed, said).code == "paid"


def test_two_people_suspend_and_only_two_people_resume() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1))

    suspended = only(CorridorSuspended, world.send(SuspendCorridor(**TWO)))
    again = world.send(SuspendCorridor(**TWO))
    world.send(*asked(2), ReviewCorridor(to=B, origin=A), paid(1))
    still = corridor_of(world).suspended
    resumed = world.send(ResumeCorridor(**TWO))

    assert (suspended.code, suspended.proposed_by, suspended.approved_by) == ("by_hand", "x", "y")
    assert again == []
    assert still == "by_hand"
    assert only(CorridorResumed, resumed).code == "by_hand"
    assert only(AdvanceCredited, resumed).transfer == transfer(2)
    assert world.send(ResumeCorridor(**TWO)) == []


def test_what_is_overdue_when_two_people_resume_is_excused_and_later_debts_are_not() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1))
    world.wait(25)

    world.send(ResumeCorridor(**TWO))
    credited = only(AdvanceCredited, world.send(*asked(2)))
    later = only(CorridorSuspended, world.wait(25))

    assert credited.transfer == transfer(2)
    assert (later.code, later.overdue_fen) == ("overdue_share", 100)


def test_two_people_raise_a_limit_and_the_oldest_declined_are_advanced() -> None:
    world = World(limits=LIMITS)
    world.send(*[m for n in range(4) for m in asked(n, 300)], *asked(4, 200))

    said = world.send(ChangeLimit(**TWO, open_fen=1200))

    assert only(LimitChanged, said).open_fen == 1200
    assert [m.transfer for m in said if isinstance(m, AdvanceCredited)] == [transfer(3)]
    world.send(ChangeLimit(**TWO))
    assert only(AdvanceDeclined, world.send(*asked(5, 1))).code == "limit_reached"


@pytest.mark.parametrize(
    "message",
    [
        SuspendCorridor(**{**TWO, "approved_by": "x"}),
        ResumeCorridor(**{**TWO, "approved_by": "x"}),
        ChangeLimit(**{**TWO, "approved_by": "x"}),
        ChangeLimit(**TWO, open_fen=-1),
    ],
)
def test_one_person_alone_or_a_limit_below_zero_is_refused(message: Message) -> None:
    with pytest.raises(Unexpected):
        World(limits=LIMITS).send(message)


def test_crossings_are_told_once_up_and_once_back_down() -> None:
    world = World(limits=LIMITS)
    for number in range(4):
        world.send(*asked(number, 240))
    for number in range(4):
        world.send(paid(number, 240))

    told = [(m.percent, m.rising) for m in world.said if isinstance(m, ExposureWarned)]

    assert told == [(95, True), (0, False)]
