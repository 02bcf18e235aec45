"""What can be proposed: queues, acts and reasons, each declared here once.

An act is any declared message that two people give (`shared.messages.ByTwo`), whoever obeys it.
"""

from dataclasses import dataclass

from shared.messages import ByTwo, Message
from shared.messages.enrollment import AmendRecord, DropAmendment
from shared.messages.settlement_accounts import ChangeAccount
from shared.messages.settlement_bank import BookLine
from shared.messages.settlement_compensation import (
    Recover,
    ReturnReceipt,
    UndoMatch,
    Waive,
    WriteOff,
)
from shared.messages.settlement_freezing import FreezeAccount, UnfreezeAccount
from shared.messages.settlement_interest import CorrectInterest
from shared.messages.settlement_limits import ChangeLimit, ResumeCorridor, SuspendCorridor
from shared.messages.settlement_people import MatchReceipt
from shared.messages.transfer import Reverse

QUEUES: dict[str, tuple[str, str]] = {
    "receipt": ("到账待认领", "A receipt whose owner is not certain"),
    "unmatch": ("撤销认领", "A match to be undone"),
    "shortfall": ("到账不足", "Less has arrived than was advanced"),
    "excess": ("到账多出", "More has arrived than is owed"),
    "recovery": ("追回", "Something a person had no right to"),
    "write-off": ("核销", "A loss to be booked"),
    "waiver": ("豁免", "A claim to be forgiven"),
    "reversal": ("撤销转移", "A transfer to be reversed"),
    "limit": ("额度调整", "A corridor's limit to be changed, or its advances stopped"),
    "freeze": ("冻结", "A personal account to be held, or let go"),
    "bank-account": ("账户变更", "A bank account to be changed"),
    "interest": ("利息更正", "Interest to be corrected"),
    "correction": ("更正", "A record to be corrected"),
    "break": ("对账差异", "A difference between the books of two regions"),
    "unexplained": ("不明支出", "A debit that nobody instructed"),
    "net-line": ("轧差异议", "A disputed line of a net sheet"),
    "bank-message": ("银行来信", "Something that a bank asks or tells, above all a recall"),
    "twin": ("疑似重复入账", "A bank's line that another file seems to have told already"),
}
"""Every queue, in Chinese and English."""

REASONS: dict[str, tuple[str, str]] = {
    "evidence": ("凭证核实", "Papers or a call have shown whose it is"),
    "origin-confirmed": ("转出地确认", "The origin has confirmed it"),
    "bank-confirmed": ("银行确认", "The bank has confirmed it"),
    "demand": ("业务量变化", "More or fewer people come"),
    "does-not-pay": ("转出地逾期不付", "The origin does not pay"),
    "pays-again": ("转出地恢复支付", "The origin pays again"),
    "ordered": ("上级决定", "It was ordered from above"),
    "agreed": ("双方协议", "Both sides have agreed on it"),
    "insolvent": ("无力偿还", "Whoever owes it cannot pay"),
    "never-paid": ("长期未到账", "It was urged for long and never came"),
    "small": ("金额过小", "Collecting it would cost more than it is"),
    "fraud": ("骗取转移", "It was obtained by fraud"),
    "court-order": ("法院裁判", "A court has ordered it"),
    "unsettled": ("待结算", "A bill is to be settled first"),
    "settled": ("已结算", "It is settled"),
    "error": ("办理有误", "It was made in error"),
}
"""Why something is proposed, in Chinese and English."""


@dataclass(frozen=True, slots=True)
class Act:
    """One kind of act.

    `queue`: where it is decided, and opened if nothing is there yet; `on`: queues whose items, with
    the same subject, it may be proposed for as well. `subject`: the fields that say what it is
    about. `amount`: the field that says how much; without one the item's own amount counts.
    `by_origin`: of the two sides of a transfer only O gives it.
    """

    message: type[ByTwo]
    queue: str
    reasons: tuple[str, ...]
    subject: tuple[str, ...] = ("transfer",)
    amount: str | None = None
    on: tuple[str, ...] = ()
    by_origin: bool = False

    def subject_of(self, message: Message) -> str:
        """What a message of this kind is about."""
        return "/".join(str(getattr(message, name)) for name in self.subject)

    def amount_of(self, message: Message) -> int | None:
        """How much it moves, if it says so."""
        found = getattr(message, self.amount) if self.amount else None
        return None if found is None else abs(found)


_ACTS = (
    Act(
        MatchReceipt,
        "receipt",
        ("evidence", "origin-confirmed", "bank-confirmed"),
        subject=("receipt", "part"),
        amount="amount_fen",
    ),
    Act(
        UndoMatch,
        "unmatch",
        ("error", "evidence", "origin-confirmed", "bank-confirmed", "court-order"),
        subject=("receipt", "part", "transfer"),
    ),
    Act(
        ChangeLimit,
        "limit",
        ("demand", "does-not-pay", "pays-again", "ordered"),
        subject=("origin",),
        amount="open_fen",
    ),
    Act(SuspendCorridor, "limit", ("does-not-pay", "ordered"), subject=("origin",)),
    Act(
        ResumeCorridor,
        "limit",
        ("pays-again", "origin-confirmed", "ordered"),
        subject=("origin",),
    ),
    Act(
        WriteOff,
        "write-off",
        ("insolvent", "never-paid", "small", "court-order"),
        amount="amount_fen",
        on=("shortfall", "recovery"),
    ),
    Act(Waive, "waiver", ("agreed", "small"), amount="amount_fen", on=("shortfall",)),
    Act(Recover, "recovery", ("evidence", "agreed", "court-order"), amount="amount_fen"),
    Act(
        ReturnReceipt,
        "excess",
        ("evidence", "origin-confirmed", "bank-confirmed"),
        amount="amount_fen",
    ),
    Act(
        ChangeAccount,
        "bank-account",
        ("bank-confirmed", "evidence", "error", "ordered"),
        subject=("bank",),
    ),
    Act(
        FreezeAccount,
        "freeze",
        ("court-order", "ordered", "fraud", "unsettled"),
        subject=("person",),
    ),
    Act(
        UnfreezeAccount,
        "freeze",
        ("court-order", "ordered", "error", "settled"),
        subject=("person",),
    ),
    Act(BookLine, "twin", ("evidence", "bank-confirmed"), subject=("receipt",)),
    # What it says is all of the interest, not by how much that changes: who approves has no limit.
    Act(CorrectInterest, "interest", ("evidence", "error", "ordered"), by_origin=True),
    Act(Reverse, "reversal", ("fraud", "court-order", "error")),
    # Its amount is the difference that it makes to the account: `corrections.changes_fen`.
    Act(
        AmendRecord,
        "correction",
        ("evidence", "origin-confirmed", "error"),
        subject=("refers_to",),
    ),
    Act(
        DropAmendment,
        "correction",
        ("evidence", "origin-confirmed", "error"),
        subject=("refers_to",),
    ),
)

ACTS: dict[str, Act] = {act.message.type: act for act in _ACTS}
"""Every act by its message's type."""


def act_named(name: str) -> Act | None:
    """The act of a type, with or without its version: `settlement.match-receipt`."""
    return ACTS.get(name) or ACTS.get(f"{name}.v1")
