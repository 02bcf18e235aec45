"""What a bank says besides its entries: of our payment files, of returns, and what it asks."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from shared.messages import ByTwo, Event, Fen, PersonCommand, PersonEvent, RegionCode, Text
from shared.messages.settlement import BankCommand

NoteKind = Literal["recall", "resolution", "status", "return"]


class AdjustOpening(BankCommand):
    """Entries from before the opening balance came to light: it was less by `-delta_fen`.

    `cause` is the file of them.
    """

    cause: UUID
    delta_fen: Fen
    booked_on: date


class ReportRemittance(PersonCommand):
    """O's bank says what it does with a payment of a run: takes it, waits, or rejects it."""

    transfer: UUID
    run: Text
    status: Literal["accepted", "pending", "rejected"]
    code: Text = ""


class RemittanceAccepted(PersonEvent):
    """O's bank has taken the payment."""

    transfer: UUID
    destination: RegionCode
    run: Text


class RemittanceRejected(PersonEvent):
    """O's bank has not paid and will not: it is owed, and instructed, again."""

    transfer: UUID
    destination: RegionCode
    run: Text
    amount_fen: Fen
    code: Text = ""


class AnnounceReturn(PersonCommand):
    """O's bank says that a payment comes back, before its statement shows it (pacs.004)."""

    transfer: UUID
    announcement: UUID
    amount_fen: Fen
    code: Text = ""


class NoteBankMessage(BankCommand):
    """The bank asks or tells something that a person must see: above all that somebody wants back
    what we received (`recall`).
    """

    note: UUID
    kind: NoteKind
    code: Text = ""
    amount_fen: Fen | None = None
    transfers: tuple[UUID, ...] = ()
    run: Text = ""
    reference: Text = ""


class HoldLine(BankCommand):
    """A line seems to be one that another kind of file has told already (`twin`), and nothing but
    the bank's reference could tell: it is not booked until two people say that it is another.
    `line` is the `message` that would book it.
    """

    receipt: UUID
    twin: UUID
    amount_fen: Fen
    message: Text
    line: dict[str, JsonValue]


class BookLine(ByTwo, BankCommand):
    """Two people say of a line that is held: it is `another`, and is booked, or the same."""

    receipt: UUID
    another: bool


class BankMessageNoted(Event):
    """Something waits for a person: see `note`."""

    account: str
    note: UUID
    kind: NoteKind
    code: Text = ""
    amount_fen: Fen | None = None

    @property
    def key(self) -> str:
        return self.account


class AnswerBankMessage(BankCommand):
    """A person has dealt with it: `agreed` to what was asked, or not, or there was nothing to."""

    note: UUID
    agreed: bool
    answered_by: Text
    why: Text


class BankMessageAnswered(Event):
    """A person has dealt with what the bank asked or told."""

    account: str
    note: UUID
    kind: NoteKind
    agreed: bool
    answered_by: Text

    @property
    def key(self) -> str:
        return self.account
