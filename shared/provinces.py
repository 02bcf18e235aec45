"""A province that nets what its regions owe each other: it has books and a bank, and no insured."""

from datetime import date, datetime, time

from pydantic import Field

from shared.calendar import SHANGHAI
from shared.months import days_of
from shared.region_file import Entity
from shared.rules import Rule, WorkingDays


class NettingRule(Rule):
    """When a province publishes its net sheets: a day of the next month, the working days in which
    the regions answer (silence is consent), and those in which the positions are paid after that.
    """

    kind = "netting"

    publish_day: int = Field(ge=1, le=28)
    answer_working_days: WorkingDays
    payment_working_days: WorkingDays


class Province(Entity):
    """A province that nets what its regions owe each other. Its code is its own province."""

    netting: tuple[NettingRule, ...] = Field(min_length=1)

    def netting_on(self, day: date) -> NettingRule:
        """The rule of a day; the oldest holds for all before it."""
        ordered = sorted(self.netting, key=lambda rule: rule.since)
        return next((rule for rule in reversed(ordered) if rule.since <= day), ordered[0])

    def publish_at(self, month: int) -> datetime:
        """When the sheet of a month comes out: on a day of the next."""
        first, _ = days_of(month + 1)
        day = first.replace(day=self.netting_on(first).publish_day)
        return datetime.combine(day, time.min, SHANGHAI)
