"""Corridors are warned about, suspended while their origin does not pay, and resumed."""

from datetime import date, timedelta

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
from tests.unit.settlement_world import (
    A,
    B,
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
