"""Business days of a region: which one an entry belongs to, and when a day ends. PURE.

A closed day takes no entry: what comes after it belongs to the next day, and says why.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import uuid5

from shared.calendar import SHANGHAI
from shared.decision import Timer, replace
from shared.messages import NAMESPACE
from shared.messages.settlement_closing import CloseDay

LATE = "day-closed"
"""Why an entry does not bear the date on which it was made: that day was closed."""

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """Where a region stands: the last closed day, and the last day that has an entry."""

    region: str
    closed_on: date | None = None
    moved_on: date | None = None


@dataclass(frozen=True)
class Closing:
    """A day that was closed, with all days since the one closed before it."""

    region: str
    day: date
    after: date | None
    closed_at: datetime
    by: str


def dated(day: Day, today: date) -> tuple[date, str | None]:
    """The business date of what is entered `today`, and why it is another."""
    if day.closed_on is None or today > day.closed_on:
        return today, None
    return day.closed_on + _ONE_DAY, LATE


def moved(day: Day, on: date) -> Day | None:
    """The region with its first entry of a day; None where it has moved that day already."""
    if day.moved_on is not None and on <= day.moved_on:
        return None
    return replace(day, moved_on=on)


def end_of(day: date) -> datetime:
    """The instant at which a business day is over."""
    return datetime.combine(day + _ONE_DAY, time(), SHANGHAI)


def month_end(after: date | None, until: date) -> date | None:
    """The last month's end among the days that were closed."""
    following = until + _ONE_DAY
    last = following.replace(day=1) - _ONE_DAY
    return last if after is None or last > after else None


def closes(region: str, day: date) -> Timer:
    """The day is closed when it is over."""
    id_ = uuid5(NAMESPACE, f"close-day\x1f{region}\x1f{day}")
    return Timer(region, id_, end_of(day), CloseDay(to=region, day=day))
