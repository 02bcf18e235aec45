"""What a personal account earns by its fen-days (积数), as whole numbers. PURE.

A balance earns for every day at whose end it stands there: the day it comes counts, the day it
leaves does not. A day earns the rate of that day. What has accrued is kept in parts of a fen until
it is credited, rounded half up (四舍五入); what the rounding leaves is dropped.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import zip_longest
from typing import NamedTuple
from uuid import uuid5

from services.settlement.closing.days import end_of
from services.settlement.states import Holder
from shared.decision import Timer
from shared.messages import NAMESPACE
from shared.messages.settlement_interest import SettleInterest
from shared.region_file import Region
from shared.rules import InterestRule

RuleOn = Callable[[date], InterestRule | None]
"""A region's row on a day, its first one before it was in force as well."""

_YEAR_PARTS = 365 * 72
"""A year in parts of which 360 and 365 days both take whole numbers."""
PARTS = 10_000 * _YEAR_PARTS
"""So many parts are a fen."""

_ONE_DAY = timedelta(days=1)


def per_day(rule: InterestRule) -> int:
    """Parts that each fen of a balance earns a day."""
    return rule.rate_bp * (_YEAR_PARTS // rule.year_days)


class Span(NamedTuple):
    """Days from `since` until before `until`, all of one rate."""

    since: date
    until: date
    rule: InterestRule

    @property
    def days(self) -> int:
        """How many."""
        return (self.until - self.since).days

    @property
    def weight(self) -> int:
        """Parts that each fen of a balance has earned in them."""
        return self.days * per_day(self.rule)


def spans(rule_on: RuleOn, since: date, until: date) -> Iterator[Span]:
    """The days from `since` until before `until` by their rates, the latest first."""
    while since < until:
        rule = rule_on(until - _ONE_DAY)
        if rule is None or rule.since >= until:
            return
        begun = max(since, rule.since)
        yield Span(begun, until, rule)
        until = begun


def weight(found: Iterable[Span]) -> int:
    """Parts that each fen of a balance has earned in these days."""
    return sum(span.weight for span in found)


def moved(
    rule_on: RuleOn, since: date, accrued: int, balance_fen: int, moved_fen: int, on: date
) -> tuple[date, int]:
    """Until when an account has accrued, and how much, once `moved_fen` is posted to it.

    `since` is until when it had accrued. What bears an earlier date than that has been there, or
    gone, since then: it corrects what has accrued.
    """
    if on < since:
        return since, accrued + moved_fen * weight(spans(rule_on, on, since))
    return on, accrued + earned(rule_on, since, balance_fen, on)


def earned(rule_on: RuleOn, since: date, balance_fen: int, until: date) -> int:
    """The parts that a balance which stood from `since` on has earned by `until`."""
    return balance_fen * weight(spans(rule_on, since, until)) if balance_fen else 0


def fen(accrued: int) -> int:
    """The whole fen of what has accrued, half a fen upwards; below zero there is nothing yet."""
    return max(0, (2 * accrued + PARTS) // (2 * PARTS))


def settles(holder: Holder) -> Timer:
    """What the account has earned is credited when its settlement day is over."""
    assert holder.settles_on is not None
    id_ = uuid5(NAMESPACE, f"interest\x1f{holder.person}\x1f{holder.region}")
    message = SettleInterest(to=holder.region, person=holder.person, on=holder.settles_on)
    return Timer(holder.person, id_, end_of(holder.settles_on), message)


def rates(region: Region) -> Iterator[tuple[str, date, date | None, int]]:
    """What a region pays: since when, until before when, and the parts of a fen a day."""
    rows = sorted(region.interest, key=lambda rule: rule.since)
    for rule, later in zip_longest(rows, rows[1:]):
        yield region.code, rule.since, later.since if later else None, per_day(rule)
