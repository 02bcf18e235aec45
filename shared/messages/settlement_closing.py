"""What settlement obeys and announces when a region's day ends."""

from datetime import date

from shared.messages import Command, Event, Text


class CloseDay(Command):
    """The region's books take no more entries of `day` or before; keyed by region.

    From the end-of-day timer, or asked for `by` an accountant, who may end a day early.
    """

    day: date
    by: Text = ""

    @property
    def key(self) -> str:
        return self.to


class DayClosed(Event):
    """The day is closed: later entries bear the next date. `after` was closed before."""

    day: date
    after: date | None = None
    by: Text = ""

    @property
    def key(self) -> str:
        return self.to
