"""What settlement obeys and announces: releases, advances, receipts, payouts, remittances."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.messages import (
    Command,
    Event,
    Fen,
    PersonCommand,
    PersonEvent,
    RegionCode,
    Text,
)

BankKind = Literal["income", "expense", "fiscal"]


class OpenAccount(PersonCommand):
    """A relation begins at `to`: the person's account there (if any) and how to find them.

    `record` is the upstream record; `balance_fen` the opening balance; `sealed` name and phone
    under the person's data key; `name_keys` the blind keys of the name.
    """

    record: UUID
    account: bool
    balance_fen: Fen = 0
    sealed: str | None = None
    name_keys: tuple[str, ...] = ()


class CorrectBalance(PersonCommand):
    """An opening balance was recorded wrongly: the new balance replaces the old whole."""

    record: UUID
    refers_to: UUID
    balance_fen: Fen


class Contribute(PersonCommand):
    """A contribution is credited to the personal account."""

    record: UUID
    amount_fen: Fen


class Spend(PersonCommand):
    """The person pays from the personal account. What was spent before the account was released,
    and is told after it, corrects the release (`spent_on`).
    """

    record: UUID
    amount_fen: Fen
    spent_on: date | None = None


class Refund(PersonCommand):
    """A spend is given back, in whole or in part; `refers_to` is the spend's record."""

    record: UUID
    refers_to: UUID
    amount_fen: Fen


class AccountMoved(PersonEvent):
    """The personal account changed by contribution, spend, refund or opening."""

    record: UUID
    what: Literal["open", "contribute", "spend", "refund", "correct"]
    amount_fen: Fen
    balance_fen: Fen


class MovementRefused(PersonEvent):
    """The personal account did not change: said until enrollment was asked to answer anew."""

    record: UUID
    what: Literal["open", "contribute", "spend", "refund", "correct"]
    code: str


class ReleaseFunds(PersonCommand):
    """D's transfer asks O (`to`) to empty the personal account and owe the money to D.

    `opened_at` is when the transfer was opened: what O is credited by an earlier one goes on.
    """

    transfer: UUID
    destination: RegionCode
    opened_at: datetime | None = None


class FundsReleased(PersonEvent):
    """O's account is empty; principal and interest are owed to D. `unfunded_fen` of it is money
    that O itself advanced and still awaits.
    """

    transfer: UUID
    origin: RegionCode
    version: int
    principal_fen: Fen
    interest_fen: Fen
    unfunded_fen: Fen
    released_on: date

    @property
    def owed_fen(self) -> int:
        """What O owes to D."""
        return self.principal_fen + self.interest_fen


class NothingToRelease(PersonEvent):
    """There is no money to move: `no_account`, `zero_balance`, `kept_at_origin`."""

    transfer: UUID
    origin: RegionCode
    code: str


class FundsWithheld(PersonEvent):
    """O holds the money back for now (`account_frozen`); asked again on `until`."""

    transfer: UUID
    origin: RegionCode
    code: str
    until: date


class FundsCorrected(PersonEvent):
    """After the release O owes more, or less (`delta_fen` below zero): next version.

    `interest_fen` of the difference is interest, whichever way it goes.
    """

    transfer: UUID
    origin: RegionCode
    version: int
    delta_fen: Fen
    released_on: date
    interest_fen: Fen = 0


class CreditAdvance(PersonCommand):
    """Credit the person at D (`to`) now, against a receivable from O (预划).

    With `advance` false the money is only announced: an expected receipt without an advance.
    Version 1 is the release; a higher version adds `amount_fen` to it (a correction up).
    """

    transfer: UUID
    origin: RegionCode
    version: int
    amount_fen: Fen
    released_on: date
    advance: bool
    opened_at: datetime | None = None


class AdvanceCredited(PersonEvent):
    """The money is in the person's account at D, before O's money came.

    `moved_on`: it went on to the next region in the same transaction (A→B→C), none of it stays.
    """

    transfer: UUID
    origin: RegionCode
    version: int
    amount_fen: Fen
    credited_fen: Fen
    open_fen: Fen
    moved_on: bool = False


class AdvanceDeclined(PersonEvent):
    """No advance (`limit_reached`, `single_limit`, `switched_off`, `no_account`): the money is
    awaited and will be credited when it arrives.
    """

    transfer: UUID
    origin: RegionCode
    version: int
    code: str
    awaiting_fen: Fen


class OfferAgain(PersonCommand):
    """A limit has room again: credit the declined advance, unless it was funded meanwhile."""

    transfer: UUID
    origin: RegionCode


class Detail(BaseModel):
    """One payment inside a bank entry. `references` are transfer ids found in the references and
    the remark; `name_keys` blind keys of the names found there, the most specific first.
    """

    model_config = ConfigDict(frozen=True)

    amount_fen: Fen
    references: tuple[UUID, ...] = ()
    name_keys: tuple[str, ...] = ()
    payer_region: RegionCode | None = None
    return_code: str | None = None


class BankCommand(Command):
    """A line of a bank statement, keyed by the agency's own bank account (`450100:income`)."""

    account: str
    bank: BankKind

    @property
    def key(self) -> str:
        return self.account


class OpenBank(BankCommand):
    """The opening balance of the first statement of an account."""

    balance_fen: Fen
    booked_on: date


class RecordReceipt(BankCommand):
    """A credit. `receipt` is a `uuid5` of account and bank reference; the line itself is sealed
    with the statement key of its month. `reversal`: the bank takes back an earlier debit.
    """

    receipt: UUID
    amount_fen: Fen
    booked_on: date
    value_on: date | None = None
    details: tuple[Detail, ...]
    reversal: bool = False
    sealed: str | None = None


class RecordDebit(BankCommand):
    """A debit: a remittance that left, a sweep, a fee, or something nobody instructed.

    `counter` is the agency's own account that the money went to (a sweep), if it is one.
    """

    receipt: UUID
    amount_fen: Fen
    booked_on: date
    value_on: date | None = None
    details: tuple[Detail, ...]
    counter: BankKind | None = None
    fee: bool = False
    reversal: bool = False
    sealed: str | None = None


class ApplyReceipt(PersonCommand):
    """A receipt was matched to this person's transfer: apply up to `amount_fen` of it."""

    transfer: UUID
    origin: RegionCode
    receipt: UUID
    part: int
    amount_fen: Fen
    rule: str
    late: bool = False


class Applied(PersonEvent):
    """What all funding events say: the whole claim after this receipt. Not sent itself.

    `lost_fen`: what of the claim stays written off or waived. `late`: the receipt came after the
    working days that the transfer may take. `awaiting_fen`: what of it was not advanced and is
    still to come.
    """

    transfer: UUID
    origin: RegionCode
    receipt: UUID
    applied_fen: Fen
    matched_fen: Fen
    credited_fen: Fen
    open_fen: Fen
    excess_fen: Fen
    lost_fen: Fen | None = None
    late: bool = False
    awaiting_fen: Fen = 0


class AdvanceFunded(Applied):
    """All of the advance has arrived (做实)."""


class FundsCredited(Applied):
    """Money arrived for which nothing had been advanced; it is credited now."""


class ShortfallFound(Applied):
    """Less than the claim has arrived so far; the rest stays open."""


class ExcessFound(Applied):
    """More than the claim has arrived (or it arrived twice): `excess_fen` stays in suspense."""


class ReceiptUnmatched(Event):
    """A receipt that a person must look at: `unknown`, `ambiguous`, `duplicate`, `returned`."""

    account: str
    receipt: UUID
    code: Text
    amount_fen: Fen
    late: bool = False

    @property
    def key(self) -> str:
        return self.account


class PayOut(PersonCommand):
    """Pay the personal account at `to` out to the person or the heirs."""

    transfer: UUID | None = None
    destination: RegionCode | None = None
    record: UUID | None = None
    reason: Literal["no-account-at-destination", "deceased"]
    opened_at: datetime | None = None


class PaidOut(PersonEvent):
    """The account was paid out. For a transfer, `to` is its destination, and `total_fen` is all
    that was paid out for it so far.
    """

    transfer: UUID | None = None
    region: RegionCode
    amount_fen: Fen
    reason: str
    total_fen: Fen | None = None


class InstructRemittance(PersonCommand):
    """The remittance of this transfer is part of a payment file: book it as instructed."""

    transfer: UUID
    destination: RegionCode
    run: Text
    amount_fen: Fen


class RemittanceInstructed(PersonEvent):
    """O's bank was told to pay D."""

    transfer: UUID
    destination: RegionCode
    run: Text
    amount_fen: Fen


class RemittanceDebited(PersonEvent):
    """O's bank has paid."""

    transfer: UUID
    destination: RegionCode
    receipt: UUID
    amount_fen: Fen


class RemittanceReturned(PersonEvent):
    """The payment came back to O's bank: it is owed, and instructed, again."""

    transfer: UUID
    destination: RegionCode
    receipt: UUID
    amount_fen: Fen
    code: Text | None = None
