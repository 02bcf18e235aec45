"""Contribution months: an integer `year * 12 + month - 1` inside, `YYYY-MM` outside.

A history is a tuple of inclusive ranges, sorted, merged and never overlapping or touching.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]

MONTHS_PER_YEAR = 12
# Before the first and after the last there is no insurance to speak of: such a month is a typo.
FIRST_YEAR, LAST_YEAR = 1950, 2199

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


class MonthError(ValueError):
    """The text is not a month or a list of ranges of months; `code` is `bad_month`."""

    def __init__(self, code: str = "bad_month") -> None:
        """Keep the code; the text is whatever a sender wrote and is not repeated."""
        super().__init__(code)
        self.code = code


def parse_month(text: str) -> int:
    """The month of `YYYY-MM`; raises MonthError."""
    found = _MONTH.fullmatch(text)
    if found is None or not FIRST_YEAR <= int(found.group(1)) <= LAST_YEAR:
        raise MonthError
    return int(found.group(1)) * MONTHS_PER_YEAR + int(found.group(2)) - 1


def month_text(month: int) -> str:
    """`YYYY-MM` of a month."""
    year, index = divmod(month, MONTHS_PER_YEAR)
    return f"{year:04d}-{index + 1:02d}"


def month_of(day: date) -> int:
    """The month a day lies in; an instant is first turned into a day by its caller."""
    return day.year * MONTHS_PER_YEAR + day.month - 1


def days_of(month: int) -> tuple[date, date]:
    """The first and the last day of a month."""
    first, following = (date(*_year_and_month(n), 1) for n in (month, month + 1))
    return first, following - timedelta(days=1)


def _year_and_month(month: int) -> tuple[int, int]:
    year, index = divmod(month, MONTHS_PER_YEAR)
    return year, index + 1


def parse_ranges(text: str) -> Ranges:
    """Ranges of `2019-03..2024-12;2025-02`; no text is no months; raises MonthError."""
    if not text.strip():
        return ()
    return merge(_range(part.strip()) for part in text.split(";"))


def _range(part: str) -> tuple[int, int]:
    first, dots, last = part.partition("..")
    start = parse_month(first)
    end = parse_month(last) if dots else start
    if end < start:
        raise MonthError
    return start, end


def ranges_text(ranges: Iterable[tuple[int, int]]) -> list[str]:
    """One text per range, `2019-03..2026-03`, or `2019-03` where it is a single month."""
    return [
        month_text(first) if first == last else f"{month_text(first)}..{month_text(last)}"
        for first, last in ranges
    ]


def merge(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same months as sorted ranges that neither overlap nor touch."""
    return _merged(tuple(ranges))


# One person's history is asked for again and again while a message about it is decided.
@lru_cache(maxsize=4096)
def _merged(ranges: Ranges) -> Ranges:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def union(one: Ranges, other: Ranges) -> Ranges:
    """Months in either history; a month paid twice counts once."""
    return merge((*one, *other))


def overlap(one: Ranges, other: Ranges) -> Ranges:
    """Months in both histories: paid twice, one of the two is to be refunded."""
    return merge((max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) <= min(b, d))


def without(one: Ranges, other: Ranges) -> Ranges:
    """Months of the first history that are not in the second."""
    left = list(one)
    for c, d in other:
        pieces = [piece for a, b in left for piece in ((a, min(b, c - 1)), (max(a, d + 1), b))]
        left = [(a, b) for a, b in pieces if a <= b]
    return merge(left)


def add_month(ranges: Ranges, month: int) -> Ranges:
    """The history with one more month."""
    return merge((*ranges, (month, month)))


def contains(ranges: Ranges, month: int) -> bool:
    """Whether the month was paid."""
    return any(first <= month <= last for first, last in ranges)


def count(ranges: Ranges) -> int:
    """How many months there are."""
    return sum(last - first + 1 for first, last in ranges)


def consecutive(ranges: Ranges, last: int) -> int:
    """How many months without a break end with the month `last`; 0 if it was not paid."""
    return next((last - first + 1 for first, end in ranges if first <= last <= end), 0)


def gap(last_paid_month: int, first_month_at_destination: int) -> int:
    """Whole months without contribution between the two; 0 where they join or overlap."""
    return max(0, first_month_at_destination - last_paid_month - 1)
