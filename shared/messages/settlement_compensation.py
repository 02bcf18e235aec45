"""How the books go back: corrections, reversals, recoveries, losses, and money that returns.

What moves money by the will of people is `ByTwo`; what follows from a decision of another region
or of the bank is a plain command.
"""

from typing import Literal
from uuid import UUID

from shared.messages import ByTwo, Fen, PersonCommand, PersonEvent, RegionCode, Text


class AdjustAdvance(PersonCommand):
    """O has corrected its release down: D (`to`) takes `amount_fen` back, once per version."""

    transfer: UUID
    origin: RegionCode
    version: int
    amount_fen: Fen


class ReverseAdvance(PersonCommand):
    """The transfer is reversed: D (`to`) takes back what is unspent. `number` counts the reversals
    of a transfer: money that O announces after one is reversed by the next.
    """

    transfer: UUID
    origin: RegionCode
    number: int


class RestoreFunds(PersonCommand):
    """What D took back by a reversal is O's (`to`) person's again."""

    transfer: UUID
    destination: RegionCode
    number: int
    amount_fen: Fen


class WriteOff(PersonCommand, ByTwo):
    """What will not come is booked as a loss: of the `claim` on O, or of what the `person` owes.

    Without `amount_fen` it is all that is open.
    """

    transfer: UUID
    origin: RegionCode
    what: Literal["claim", "person"] = "claim"
    amount_fen: Fen | None = None


class Waive(PersonCommand, ByTwo):
    """D (`to`) forgives O what is open of its claim, all of it or `amount_fen`."""

    transfer: UUID
    origin: RegionCode
    amount_fen: Fen | None = None


class BookWaiver(PersonCommand):
    """D has forgiven O (`to`) a claim: O owes it no longer. `total_fen`: all that D has waived."""

    transfer: UUID
    destination: RegionCode
    amount_fen: Fen
    total_fen: Fen


class Recover(PersonCommand, ByTwo):
    """By demand: what a person owes is taken from the account, never below zero, or from a receipt
    that the person has paid in.
    """

    transfer: UUID
    origin: RegionCode
    amount_fen: Fen | None = None
    receipt: UUID | None = None
    part: int = 0


class ReturnReceipt(PersonCommand, ByTwo):
    """What a receipt brought in excess of this transfer's claim is owed back to O."""

    transfer: UUID
    origin: RegionCode
    receipt: UUID
    part: int = 0
    amount_fen: Fen | None = None


class TakeBackReceipt(PersonCommand):
    """The bank has taken back a credit that was applied to this transfer; `debit` is its line."""

    transfer: UUID
    origin: RegionCode
    debit: UUID
    part: int
    amount_fen: Fen


class UndoMatch(PersonCommand, ByTwo):
    """What a receipt has paid of this transfer was somebody else's: it is in suspense again, and
    O's debt open. `account` is the bank account that it came to.
    """

    transfer: UUID
    origin: RegionCode
    account: str
    receipt: UUID
    part: int = 0


class ClaimChanged(PersonEvent):
    """What all events about a claim's compensation say: the claim after it. Not sent itself.

    amount_fen: what this moved · undue_fen: what the person had no right to, in total ·
    recoverable_fen: what of it is still owed · lost_fen: claim on O given up · written_off_fen: all
    losses, of the claim and of the person's debt · sent_back_fen: receipts that went back to O.
    """

    transfer: UUID
    origin: RegionCode
    amount_fen: Fen
    credited_fen: Fen
    awaiting_fen: Fen
    matched_fen: Fen
    open_fen: Fen
    excess_fen: Fen
    undue_fen: Fen
    recoverable_fen: Fen
    recovered_fen: Fen
    lost_fen: Fen
    written_off_fen: Fen
    sent_back_fen: Fen


class AdvanceAdjusted(ClaimChanged):
    """O's correction down is taken back; `unspent_fen` of it from the account."""

    version: int
    unspent_fen: Fen


class AdvanceReversed(ClaimChanged):
    """What is unspent is taken back, and is O's to restore; the spent part stays claimed from O."""

    number: int


class FundsRestored(PersonEvent):
    """O's person has the money again: `amount_fen` now, `total_fen` in all of this transfer."""

    transfer: UUID
    origin: RegionCode
    number: int
    amount_fen: Fen
    total_fen: Fen


class WrittenOff(ClaimChanged):
    """A loss is booked."""

    what: Literal["claim", "person"]
    reason: Text


class Waived(ClaimChanged):
    """D has forgiven O what was open."""

    reason: Text


class Recovered(ClaimChanged):
    """A person has paid a debt, from a later credit or by demand."""

    by_demand: bool = False


class ReceiptReturned(ClaimChanged):
    """An excess is owed back to O, and no longer in suspense."""

    receipt: UUID


class MatchUndone(ClaimChanged):
    """Two people have undone a match: O owes it again, and the receipt waits for its owner."""

    receipt: UUID
    part: int


class ReceiptTakenBack(ClaimChanged):
    """The bank has taken a matched credit back: O owes it again."""

    debit: UUID


class ActDeclined(PersonEvent):
    """What two people decided could not be done (`nothing_open`, `nothing_to_recover`, …)."""

    transfer: UUID
    act: Text
    code: Text
