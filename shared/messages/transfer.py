"""What the transfer service obeys and announces: the saga's own part of the story."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.messages import (
    ByTwo,
    Fen,
    Month,
    PersonCommand,
    PersonEvent,
    RegionCode,
    Scheme,
    Text,
    Trigger,
)

Step = Literal["answer", "transfer-out", "transfer-in", "whole", "funds"]


class FromEnrollment(PersonCommand):
    """A command that only enrollment gives, told on enrollment's own topic: what it says about a
    person stays in one order there, and a withdrawal cannot overtake what it withdraws.
    """

    def topic(self, cell: str) -> str:
        return f"{cell}.enrollment.events"


class Apply(FromEnrollment):
    """The person, the employer or the agency asks for the transfer; D's enrollment has checked."""

    transfer: UUID
    origin: RegionCode
    scheme: Scheme
    new_scheme: Scheme
    trigger: Trigger
    account: bool
    first_month: Month | None = None
    plan_year: int | None = None
    occurred_at: datetime


class Withdraw(FromEnrollment):
    """The applicant takes the application back; free before the record is released."""

    transfer: UUID
    reason: Text | None = None


class Remind(PersonCommand):
    """A due date of the transfer has come (from a timer)."""

    transfer: UUID
    due_at: datetime


class Act(PersonCommand):
    """What an operator does with a transfer: `by` whom and `why` is kept with its steps."""

    transfer: UUID
    by: Text
    why: Text


class Pause(Act):
    """Until it is resumed the transfer takes in what comes, and holds back what it would say."""


class Resume(Act):
    """Say what was held back, in order, and go on."""


class Retry(Act):
    """Say again the last command of each leg that nobody has answered."""


class Reverse(PersonCommand, ByTwo):
    """Two people go back on a released transfer: what is unspent, and the record, are O's again.

    `reason` is a code (`fraud`, `court-order`, `error`).
    """

    transfer: UUID


class ReversalRefused(PersonEvent):
    """The transfer is not reversed: `moved-on`, `not-released`, `already-ended`, …"""

    transfer: UUID
    code: str


class Overdue(PersonEvent):
    """A step is past its due date; the region that owes it is urged."""

    transfer: UUID
    step: Step
    due_at: datetime
    region: RegionCode


class Escalated(PersonEvent):
    """A step is still missing after having been urged: level 1 agency, 2 city, 3 province."""

    transfer: UUID
    step: Step
    level: int
    region: RegionCode


class Withdrawn(PersonEvent):
    """The transfer ended before its record was released (`withdrawn`, `deceased`)."""

    transfer: UUID
    code: str


class WithdrawalRefused(PersonEvent):
    """Too late to withdraw: `already-released`."""

    transfer: UUID
    code: str


class Closed(PersonEvent):
    """Record and money are both at an end. Amounts in fen."""

    transfer: UUID
    origin: RegionCode
    record: str
    money: str
    reason: str | None
    released_fen: Fen = 0
    advanced_fen: Fen = 0
    received_fen: Fen = 0
    paid_out_fen: Fen = 0
    restored_fen: Fen = 0
    recovered_fen: Fen = 0
    written_off_fen: Fen = 0
