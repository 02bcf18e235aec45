"""What netting obeys and announces: lines of transfers, and a province's sheet of a month.

`to` is the province. Lines are keyed by their corridor, sheets and positions by their window
(`450000/2026-04`); only the final postings of a line are keyed by the person.
"""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.messages import Command, Event, Fen, Month, PersonCommand, RegionCode, Text
from shared.months import month_text

Side = Literal["origin", "destination"]


def window_key(province: str, month: int) -> str:
    """How a window is called: `450000/2026-04`."""
    return f"{province}/{month_text(month)}"


class Position(BaseModel):
    """What a region is owed and owes in a window; `reference` stands in its one payment."""

    model_config = ConfigDict(frozen=True)

    region: RegionCode
    receivable_fen: Fen
    payable_fen: Fen
    reference: UUID


class LinesCommand(Command):
    """About lines from one origin to one destination."""

    origin: RegionCode
    destination: RegionCode

    @property
    def key(self) -> str:
        return f"{self.origin}>{self.destination}"


class LineCommand(LinesCommand):
    """About the line of one transfer and version."""

    person: str
    transfer: UUID
    version: int


class ProposeLine(LineCommand):
    """What one side has for the line; below zero, the destination owes it back to the origin."""

    side: Side
    amount_fen: Fen
    released_on: date


class ShrinkLine(LinesCommand):
    """Of this transfer one side was paid, or has paid, `amount_fen` outside the sheet (below zero:
    such a payment came back).
    """

    person: str
    transfer: UUID
    side: Side
    amount_fen: Fen


class ConfirmLine(LineCommand):
    """A person of `region` agrees with a line, or takes back a dispute about it."""

    region: RegionCode
    by: Text


class DisputeLine(LineCommand):
    """A person of `region` does not agree with a line: it leaves the sheet on both sides."""

    region: RegionCode
    by: Text
    reason: Text


class LineEvent(Event):
    """About the line of one transfer and version. Not sent itself."""

    origin: RegionCode
    destination: RegionCode
    person: str
    transfer: UUID
    version: int
    region: RegionCode
    by: Text
    amount_fen: Fen

    @property
    def key(self) -> str:
        return f"{self.origin}>{self.destination}"


class LineConfirmed(LineEvent):
    """A person of `region` agreed with the line."""


class LineDisputed(LineEvent):
    """A person of `region` disputes the line; `month` is the sheet that it left."""

    reason: Text
    month: Month | None = None


class WindowCommand(Command):
    """About a province's window, the month of the releases."""

    month: Month

    @property
    def key(self) -> str:
        return window_key(self.to, self.month)


class PublishSheet(WindowCommand):
    """The day has come: nothing more enters the sheet."""


class FinalizeSheet(WindowCommand):
    """The time to answer is over: what is not disputed is final."""


class NextLines(WindowCommand):
    """About the lines of a sheet that come after this one, a batch at a time. Not sent itself."""

    after_person: str = ""
    after_transfer: UUID = UUID(int=0)
    after_version: int = 0

    @property
    def after(self) -> tuple[str, UUID, int]:
        """The line that they come after."""
        return self.after_person, self.after_transfer, self.after_version


class PostLines(NextLines):
    """Book the lines of a final sheet."""


class ConfirmSheet(NextLines):
    """A person of `region` agrees with every line of a sheet that it has a part in."""

    region: RegionCode
    by: Text


class InstructPosition(WindowCommand):
    """The payment of a net position is part of a payment file: book it as instructed."""

    payer: RegionCode
    reference: UUID
    run: Text
    amount_fen: Fen


class SettleLine(PersonCommand):
    """Book a line of a final sheet at both regions; `to` is the destination, `payer` the origin."""

    transfer: UUID
    version: int
    payer: RegionCode
    province: RegionCode
    month: Month


class WindowEvent(Event):
    """About a province's window. Not sent itself."""

    month: Month

    @property
    def key(self) -> str:
        return window_key(self.to, self.month)


class SheetPublished(WindowEvent):
    """The net sheet (轧差表) of a month is out; to be answered by `answer_by`."""

    lines: int
    positions: tuple[Position, ...]
    answer_by: datetime


class SheetFinal(WindowEvent):
    """What was not disputed is final: net payers pay."""

    lines: int
    positions: tuple[Position, ...]


class PositionPaid(WindowEvent):
    """The money of a net position has arrived where it belongs."""

    region: RegionCode
    payer: RegionCode
    payee: RegionCode
    amount_fen: Fen
