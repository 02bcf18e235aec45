"""Working days and deadlines."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendar import SHANGHAI, WorkingCalendar, shanghai_day

NATIONAL = WorkingCalendar()

days = st.dates(date(2024, 1, 1), date(2028, 12, 31))
instants = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001 the strategy adds the zone
    datetime(2028, 12, 31),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, SHANGHAI]),
)
counts = st.integers(0, 40)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 3, 2), True),  # a Monday
        (date(2026, 3, 7), False),  # a Saturday
        (date(2025, 10, 1), False),  # National Day, a Wednesday
        (date(2025, 10, 11), True),  # a Saturday made up for it
        (date(2025, 9, 28), True),  # a Sunday made up for it
    ],
)
def test_holidays_and_make_up_days_count(day: date, worked: bool) -> None:  # noqa: FBT001 a table
    assert NATIONAL.is_working_day(day) is worked


def test_a_year_not_published_yet_is_monday_to_friday_and_says_so() -> None:
    assert NATIONAL.knows(2026)
    assert not NATIONAL.knows(2061)
    assert not NATIONAL.is_working_day(date(2061, 10, 1) + timedelta(days=0))  # a Saturday
    assert NATIONAL.is_working_day(date(2061, 10, 3))  # a Monday, surely a holiday once published


def test_a_regions_own_days_come_first() -> None:
    own = WorkingCalendar({date(2026, 3, 2): False, date(2026, 3, 7): True})

    assert not own.is_working_day(date(2026, 3, 2))
    assert own.is_working_day(date(2026, 3, 7))
    assert own.add_working_days(date(2026, 2, 28), 1) == date(2026, 3, 3)


def test_a_long_holiday_stretches_a_count() -> None:
    # Accepted on Friday 26 September 2025; Sunday 28 is worked, 1 to 8 October are not.
    assert NATIONAL.add_working_days(date(2025, 9, 26), 3) == date(2025, 9, 30)
    assert NATIONAL.add_working_days(date(2025, 9, 26), 4) == date(2025, 10, 9)
    assert NATIONAL.add_working_days(date(2025, 9, 26), 6) == date(2025, 10, 11)


def test_no_working_days_from_a_day_is_that_day() -> None:
    assert NATIONAL.add_working_days(date(2026, 3, 7), 0) == date(2026, 3, 7)


def test_working_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        NATIONAL.add_working_days(date(2026, 3, 7), -1)


def test_a_deadline_is_the_midnight_after_its_last_working_day() -> None:
    friday = datetime(2026, 3, 6, 16, 59, tzinfo=SHANGHAI)

    assert NATIONAL.deadline(friday, 1) == datetime(2026, 3, 10, tzinfo=SHANGHAI)


def test_a_deadline_counts_from_the_day_in_shanghai() -> None:
    # 17:00 in UTC is past midnight in Shanghai.
    late = datetime(2026, 3, 2, 17, tzinfo=UTC)

    assert shanghai_day(late) == date(2026, 3, 3)
    assert NATIONAL.deadline(late, 1) == datetime(2026, 3, 5, tzinfo=SHANGHAI)


def test_an_instant_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        NATIONAL.deadline(datetime(2026, 3, 2), 1)  # noqa: DTZ001 the point of the test


@given(instants, counts)
def test_a_deadline_grows_with_its_working_days(at: datetime, working_days: int) -> None:
    sooner = NATIONAL.deadline(at, working_days)
    later = NATIONAL.deadline(at, working_days + 1)

    assert at < sooner < later


@given(instants, instants, counts)
def test_who_starts_earlier_is_due_no_later(one: datetime, other: datetime, n: int) -> None:
    first, second = sorted((one, other))

    assert NATIONAL.deadline(first, n) <= NATIONAL.deadline(second, n)


@given(days, st.integers(1, 40))
def test_counting_back_what_was_added_gives_the_same(day: date, n: int) -> None:
    last = NATIONAL.add_working_days(day, n)

    assert NATIONAL.is_working_day(last)
    assert NATIONAL.working_days_between(day, last) == n
    assert NATIONAL.working_days_between(last, day) == 0
