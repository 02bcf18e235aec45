"""How much a destination has open in advances to one origin, against its limits.

What counts is the open exposure: an advance adds to it, a receipt frees it. When it frees, or a
suspended corridor is resumed, the oldest declined advances are offered again. Ages are counted in
the destination's working days from the day the money was announced.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from services.settlement.states import Aged, Corridor, Declined
from shared.calendar import WorkingCalendar
from shared.decision import replace
from shared.messages.settlement_limits import Suspension
from shared.rules import LimitRule

WAITING = frozenset({"limit_reached", "corridor_suspended", "age_limit"})
"""What is declined with these codes is offered again when it can be."""

MOST_OFFERED = 50
"""So many declined advances of a corridor are looked at when it frees."""

MOST_RECONSIDERED = 1000
"""So many whose advance was too large are looked at when that limit may be another."""

EASED_PERCENT = 5
"""A warning ends so far below its threshold: who stands on it is not told with every advance."""

_NATIONAL = WorkingCalendar()

BY_HAND: Literal["by_hand"] = "by_hand"


@dataclass(frozen=True, slots=True)
class Limits:
    """`open_fen` in all for a corridor, `single_fen` for one person's advance, and the rest of a
    `[[limit]]` row. `since` is the row's day.
    """

    open_fen: int
    single_fen: int
    warn_percent: tuple[int, ...] = ()
    age_days: int | None = None
    suspend_after: int | None = None
    suspend_percent: int = 100
    resume_after: int = 0
    since: date = date.min
    calendar: WorkingCalendar = _NATIONAL

    def over_age(self, announced_on: date, today: date) -> bool:
        """Whether an open advance announced then is older than any may be."""
        return self.age_days is not None and announced_on < self.calendar.earliest_within(
            today, self.age_days
        )

    def overdue(self, announced_on: date, today: date) -> bool:
        """Whether an open advance announced then should have been paid by now."""
        return self.suspend_after is not None and announced_on < self.calendar.earliest_within(
            today, self.suspend_after
        )


LimitsOf = Callable[[str, str, date], Limits]
"""The limits of the corridor (origin, destination) on a day; KeyError for an unknown region."""


def ruled_by(rule: LimitRule, calendar: WorkingCalendar) -> Limits:
    """The limits of a policy's row, in a region's working days."""
    return Limits(
        open_fen=rule.open_fen,
        single_fen=rule.single_fen,
        warn_percent=rule.warn_percent,
        age_days=rule.age_days,
        suspend_after=rule.suspend_after,
        suspend_percent=rule.suspend_percent,
        resume_after=rule.resume_after,
        since=rule.since,
        calendar=calendar,
    )


def in_force(corridor: Corridor, limits: Limits) -> Limits:
    """The limits with what two people agreed on, unless the policy has a newer row."""
    if corridor.changed_on is None or corridor.changed_on < limits.since:
        return limits
    open_fen, single_fen = corridor.changed_open_fen, corridor.changed_single_fen
    age_days = corridor.changed_age_days
    return replace(
        limits,
        open_fen=limits.open_fen if open_fen is None else open_fen,
        single_fen=limits.single_fen if single_fen is None else single_fen,
        age_days=limits.age_days if age_days is None else age_days,
        since=corridor.changed_on,
    )


def refusal(
    corridor: Corridor, limits: Limits, open_fen: int, amount_fen: int, today: date
) -> str | None:
    """Why `amount_fen` more is not advanced on a claim of which `open_fen` is open."""
    if open_fen + amount_fen > limits.single_fen:
        return "single_limit"
    if corridor.suspended is not None:
        return "corridor_suspended"
    if corridor.oldest_on is not None and limits.over_age(corridor.oldest_on, today):
        return "age_limit"
    if corridor.open_fen + amount_fen > limits.open_fen:
        return "limit_reached"
    return None


def opened(corridor: Corridor, before_fen: int, after_fen: int) -> Corridor:
    """The corridor after the open advance of one of its claims has changed."""
    return replace(
        corridor,
        open_fen=corridor.open_fen + after_fen - before_fen,
        claims=corridor.claims + (after_fen > 0) - (before_fen > 0),
    )


def offers(
    corridor: Corridor, limits: Limits, waiting: Sequence[Declined], today: date
) -> list[Declined]:
    """Which of the declined, oldest first, fit into the room that is left; none jumps the queue."""
    chosen: list[Declined] = []
    if refusal(corridor, limits, 0, 0, today) is not None:
        return chosen
    room_fen = limits.open_fen - corridor.open_fen
    for declined in waiting:
        if declined.amount_fen > room_fen:
            break
        room_fen -= declined.amount_fen
        chosen.append(declined)
    return chosen


def warned_percent(corridor: Corridor, limits: Limits) -> int:
    """The highest threshold that the open advances have crossed and not left again; 0: none."""
    found = 0
    for percent in limits.warn_percent:
        left = EASED_PERCENT if percent <= corridor.warned_percent else 0
        if corridor.open_fen * 100 >= limits.open_fen * (percent - left) and corridor.open_fen:
            found = max(found, percent)
    return found


class Look(NamedTuple):
    """What a review sees: why the corridor should be suspended, if it should."""

    code: Suspension | None
    overdue_fen: int
    oldest_on: date | None


def look(corridor: Corridor, limits: Limits, ages: Sequence[Aged], today: date) -> Look:
    """How the corridor stands; `ages` is all that is open, oldest first. What two people excused
    is no reason.
    """
    counted = [aged for aged in ages if not _excused(corridor, aged)]
    oldest_on = counted[0].announced_on if counted else None
    overdue_fen = sum(a.open_fen for a in counted if limits.overdue(a.announced_on, today))
    open_fen = sum(aged.open_fen for aged in ages)
    if oldest_on is not None and limits.over_age(oldest_on, today):
        return Look("too_old", overdue_fen, oldest_on)
    if overdue_fen and overdue_fen * 100 >= open_fen * limits.suspend_percent:
        return Look("overdue_share", overdue_fen, oldest_on)
    return Look(None, overdue_fen, oldest_on)


def _excused(corridor: Corridor, aged: Aged) -> bool:
    return corridor.excused_before is not None and aged.announced_on < corridor.excused_before


def well(corridor: Corridor, limits: Limits, today: date) -> bool:
    """Whether a suspended corridor has been well for long enough to be resumed."""
    since = corridor.well_since
    if since is None or corridor.suspended == BY_HAND:
        return False
    return limits.calendar.working_days_between(since, today) >= limits.resume_after


def first_review(limits: Limits, announced_on: date) -> date | None:
    """The day on which an open advance announced then is first too old for something."""
    ages = [age for age in (limits.suspend_after, limits.age_days) if age is not None]
    return limits.calendar.add_working_days(announced_on, min(ages) + 1) if ages else None


def next_day(limits: Limits, today: date) -> date:
    """The next day on which a corridor may be looked at."""
    return limits.calendar.add_working_days(today, 1)


def next_review(
    corridor: Corridor, limits: Limits, ages: Sequence[Aged], today: date
) -> date | None:
    """The next day on which time alone may change how the corridor stands. A suspended one is
    looked at when its origin pays, or somebody asks for an advance.
    """
    days: list[date] = []
    if corridor.suspended is not None:
        if corridor.well_since is not None and corridor.suspended != BY_HAND:
            days.append(limits.calendar.add_working_days(corridor.well_since, limits.resume_after))
        return min(days, default=None)
    counted = [aged.announced_on for aged in ages if not _excused(corridor, aged)]
    if counted and limits.age_days is not None:
        days.append(limits.calendar.add_working_days(counted[0], limits.age_days + 1))
    if counted and limits.suspend_after is not None:
        fresh = [day for day in counted if not limits.overdue(day, today)]
        days += [limits.calendar.add_working_days(d, limits.suspend_after + 1) for d in fresh[:1]]
        if len(fresh) < len(counted):
            # The rest may be paid any day: then the share of what is overdue grows.
            days.append(next_day(limits, today))
    return min((day for day in days if day > today), default=None)
