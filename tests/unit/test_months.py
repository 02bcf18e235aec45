"""Contribution months and histories."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import months

JANUARY_2020 = 2020 * 12

month_numbers = st.integers(JANUARY_2020, JANUARY_2020 + 60)
histories = st.lists(
    st.tuples(month_numbers, st.integers(0, 14)).map(lambda pair: (pair[0], sum(pair))), max_size=6
).map(months.merge)


def days_of(ranges: months.Ranges) -> set[int]:
    """The months themselves, the slow and obvious way."""
    return {month for first, last in ranges for month in range(first, last + 1)}


def test_a_month_is_read_and_shown() -> None:
    assert months.parse_month("2020-01") == JANUARY_2020
    assert months.month_text(JANUARY_2020 + 11) == "2020-12"
    assert months.month_of(date(2026, 3, 31)) == months.parse_month("2026-03")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-00",
        "2026-13",
        "2026-3",
        "26-03",
        "2026/03",
        "0001-01",
        "２０２６-03",
        "2026-03 ",
    ],
)
def test_what_is_not_a_month_is_refused(text: str) -> None:
    with pytest.raises(months.MonthError) as refused:
        months.parse_month(text)

    assert refused.value.code == "bad_month"


def test_ranges_are_sorted_and_merged() -> None:
    ranges = months.parse_ranges("2025-02..2025-06; 2019-03..2024-12;2025-01;2025-05..2025-08")

    assert months.ranges_text(ranges) == ["2019-03..2025-08"]


def test_a_single_month_is_shown_alone() -> None:
    ranges = months.parse_ranges("2019-03..2024-12;2025-02")

    assert months.ranges_text(ranges) == ["2019-03..2024-12", "2025-02"]
    assert months.count(ranges) == 71


def test_no_text_is_no_months() -> None:
    assert months.parse_ranges("") == ()


@pytest.mark.parametrize(
    "text", ["2025-02..2025-01", "2025-02..", "..2025-02", "2025-02;", "2025-02,2025-03"]
)
def test_broken_ranges_are_refused(text: str) -> None:
    with pytest.raises(months.MonthError):
        months.parse_ranges(text)


@pytest.mark.parametrize(
    ("last_paid", "first", "gap"),
    [
        ("2026-02", "2026-03", 0),
        ("2026-02", "2026-04", 1),
        ("2026-02", "2026-06", 3),
        ("2026-02", "2026-07", 4),
        ("2025-12", "2026-01", 0),
        ("2026-03", "2026-03", 0),
        ("2026-05", "2026-03", 0),
    ],
)
def test_a_gap_is_the_whole_months_between(last_paid: str, first: str, gap: int) -> None:
    assert months.gap(months.parse_month(last_paid), months.parse_month(first)) == gap


def test_consecutive_months_end_at_a_break() -> None:
    ranges = months.parse_ranges("2023-01..2023-06;2024-01..2025-12")

    assert months.consecutive(ranges, months.parse_month("2025-12")) == 24
    assert months.consecutive(ranges, months.parse_month("2024-06")) == 6
    assert months.consecutive(ranges, months.parse_month("2023-07")) == 0


@given(histories)
def test_a_history_shown_is_read_back(ranges: months.Ranges) -> None:
    assert months.parse_ranges(";".join(months.ranges_text(ranges))) == ranges


@given(histories)
def test_ranges_are_sorted_and_never_touch(ranges: months.Ranges) -> None:
    assert all(one[1] + 1 < other[0] for one, other in pairwise(ranges))


@given(histories, histories)
def test_histories_behave_like_sets_of_months(one: months.Ranges, other: months.Ranges) -> None:
    assert days_of(months.union(one, other)) == days_of(one) | days_of(other)
    assert days_of(months.overlap(one, other)) == days_of(one) & days_of(other)
    assert days_of(months.without(one, other)) == days_of(one) - days_of(other)
    assert months.count(one) == len(days_of(one))


@given(histories, month_numbers)
def test_a_month_added_is_contained(ranges: months.Ranges, month: int) -> None:
    longer = months.add_month(ranges, month)

    assert months.contains(longer, month)
    assert months.contains(ranges, month) == (longer == ranges)
    assert days_of(longer) == days_of(ranges) | {month}
