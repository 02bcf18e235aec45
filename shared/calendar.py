"""Working days of the mainland calendar, holidays and make-up days included, and deadlines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")

_DAY = timedelta(days=1)
_SATURDAY = 5
# Some ten years of days: a deadline asks for twenty of them, a thousand times a second.
_DAYS_KEPT = 4096


@lru_cache(maxsize=256)
def knows(year: int) -> bool:
    """Whether the holidays of the year are published; the government does so each autumn."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@lru_cache(maxsize=_DAYS_KEPT)
def _earliest_within(calendar: "WorkingCalendar", day: date, working_days: int) -> date:
    left = working_days
    while True:
        left -= calendar.is_working_day(day)
        if left < 0:
            return day
        day -= _DAY


@lru_cache(maxsize=_DAYS_KEPT)
def _is_national_working_day(day: date) -> bool:
    if knows(day.year):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < _SATURDAY


@lru_cache(maxsize=1024)
def shanghai_day(at: datetime) -> date:
    """The day in Shanghai of an instant; raises ValueError if the instant has no offset."""
    if at.utcoffset() is None:
        message = "an instant needs an offset"
        raise ValueError(message)
    return at.astimezone(SHANGHAI).date()


@dataclass(frozen=True, slots=True, eq=False)
class WorkingCalendar:
    """The national calendar with a region's own days over it: day to whether it is worked."""

    holidays: Mapping[date, bool] = field(default_factory=lambda: MappingProxyType({}))
    _counted: dict[tuple[date, int], date] = field(default_factory=dict, compare=False, repr=False)

    def knows(self, year: int) -> bool:
        """Whether the year's holidays are known; else Monday to Friday are taken as worked."""
        return knows(year)

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on the day."""
        own = self.holidays.get(day)
        return _is_national_working_day(day) if own is None else own

    def add_working_days(self, day: date, working_days: int) -> date:
        """The n-th working day after a day, which itself is not counted; 0 is the day itself."""
        if working_days < 0:
            message = "working days are counted forwards"
            raise ValueError(message)
        last = self._counted.get((day, working_days))
        if last is None:
            if len(self._counted) >= _DAYS_KEPT:
                self._counted.clear()
            last = self._counted[day, working_days] = self._count(day, working_days)
        return last

    def _count(self, day: date, working_days: int) -> date:
        left = working_days
        while left:
            day += _DAY
            left -= self.is_working_day(day)
        return day

    def deadline(self, at: datetime, working_days: int) -> datetime:
        """The end of the n-th working day after the day of `at`: midnight that follows it."""
        last = self.add_working_days(shanghai_day(at), working_days)
        return datetime.combine(last + _DAY, time.min, SHANGHAI)

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days lie after `start` up to and with `end`; 0 if it is no later."""
        days = (start + _DAY * n for n in range(1, (end - start).days + 1))
        return sum(map(self.is_working_day, days))

    def earliest_within(self, day: date, working_days: int) -> date:
        """The first day from which at most so many working days have passed up to `day`: what is
        of an earlier day is older than that.
        """
        return _earliest_within(self, day, working_days)
