"""What settlement obeys and announces when a region's day ends."""

from datetime import date

from pydantic import Field, JsonValue

from shared.messages import Command, Event, Fen, Text


class CloseDay(Command):
    """The region's books take no more entries of `day` or before; keyed by region.

    From the end-of-day timer, or asked for `by` an accountant, who may end a day early.
    """

    day: date
    by: Text = ""

    @property
    def key(self) -> str:
        return self.to


class ReportBreak(Command):
    """Something does not agree that has to: both sides of a corridor, a balance and its postings.

    Somebody has to look at it until `amount_fen` is zero. Keyed by what it is `about`.
    """

    about: Text
    subject: Text
    amount_fen: Fen
    facts: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.about


class DayClosed(Event):
    """The day is closed: later entries bear the next date. `after` was closed before."""

    day: date
    after: date | None = None
    by: Text = ""

    @property
    def key(self) -> str:
        return self.to
