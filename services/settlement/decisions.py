"""What one message leads to in the books: every command and the act it asks for."""

from collections.abc import Callable
from typing import Any

from services.settlement import (
    accounts,
    claims,
    earning,
    freezing,
    funding,
    limits,
    matches,
    payments,
    receipts,
    releases,
)
from services.settlement.bank import acts as bank
from services.settlement.bank import changes
from services.settlement.books import Books
from services.settlement.closing.close import close_day, report_break
from services.settlement.compensation import (
    correcting,
    losses,
    recovering,
    restoring,
    returning,
    taking_back,
    undoing,
)
from services.settlement.exposure import LimitsOf
from services.settlement.journal import PolicyOf
from services.settlement.netting import clearing, lines, positions, windows
from services.settlement.netting.following import follow
from services.settlement.netting.terms import NEVER, Terms
from services.settlement.people import corrections, proposals
from shared.decision import Decision, Delivery, States, Unexpected
from shared.messages import Message
from shared.messages.settlement import (
    ApplyReceipt,
    Contribute,
    CorrectBalance,
    CreditAdvance,
    InstructRemittance,
    OfferAgain,
    OpenAccount,
    OpenBank,
    PayOut,
    RecordDebit,
    RecordReceipt,
    Refund,
    ReleaseFunds,
    Spend,
)
from shared.messages.settlement_accounts import ChangeAccount, NoteAccount
from shared.messages.settlement_bank import (
    AdjustOpening,
    AnnounceReturn,
    AnswerBankMessage,
    BookLine,
    HoldLine,
    NoteBankMessage,
    ReportRemittance,
)
from shared.messages.settlement_closing import CloseDay, ReportBreak
from shared.messages.settlement_compensation import (
    AdjustAdvance,
    BookWaiver,
    Recover,
    RestoreFunds,
    ReturnReceipt,
    ReverseAdvance,
    TakeBackReceipt,
    UndoMatch,
    Waive,
    WriteOff,
)
from shared.messages.settlement_freezing import EndFreeze, FreezeAccount, UnfreezeAccount
from shared.messages.settlement_interest import CorrectInterest, SettleInterest
from shared.messages.settlement_limits import (
    ChangeLimit,
    ResumeCorridor,
    ReviewCorridor,
    SuspendCorridor,
)
from shared.messages.settlement_netting import (
    ConfirmLine,
    ConfirmSheet,
    DisputeLine,
    FinalizeSheet,
    InstructPosition,
    PostLines,
    ProposeLine,
    PublishSheet,
    SettleLine,
    ShrinkLine,
)
from shared.messages.settlement_people import (
    Approve,
    AskCorrection,
    CloseCorrection,
    MatchReceipt,
    Propose,
    Reject,
)

# The argument of each is the class it stands under; a dict cannot say so.
_ACTS: dict[type[Message], Callable[[Books, Any], None]] = {
    OpenAccount: accounts.open_account,
    CorrectBalance: accounts.correct_balance,
    Contribute: accounts.contribute,
    Spend: accounts.spend,
    Refund: accounts.refund,
    ReleaseFunds: releases.release_funds,
    PayOut: releases.pay_out,
    SettleInterest: earning.settle_interest,
    CreditAdvance: claims.credit_advance,
    FreezeAccount: freezing.freeze_account,
    UnfreezeAccount: freezing.unfreeze_account,
    EndFreeze: freezing.end_freeze,
    OfferAgain: claims.offer_again,
    ApplyReceipt: funding.apply_receipt,
    RecordReceipt: receipts.record_receipt,
    RecordDebit: payments.record_debit,
    OpenBank: payments.open_bank,
    InstructRemittance: payments.instruct_remittance,
    CloseDay: close_day,
    ReportBreak: report_break,
    ReviewCorridor: limits.review_corridor,
    ChangeLimit: limits.change_limit,
    SuspendCorridor: limits.suspend_corridor,
    ResumeCorridor: limits.resume_corridor,
    AdjustOpening: bank.adjust_opening,
    ReportRemittance: bank.report_remittance,
    AnnounceReturn: bank.announce_return,
    NoteAccount: changes.note_account,
    NoteBankMessage: bank.note_bank_message,
    AnswerBankMessage: bank.answer_bank_message,
    HoldLine: bank.hold_line,
    BookLine: bank.book_line,
    Propose: proposals.propose,
    Approve: proposals.approve,
    Reject: proposals.reject,
    AskCorrection: corrections.ask_correction,
    CloseCorrection: corrections.close_correction,
    MatchReceipt: matches.match_receipt,
    AdjustAdvance: taking_back.adjust_advance,
    ReverseAdvance: taking_back.reverse_advance,
    RestoreFunds: restoring.restore_funds,
    WriteOff: losses.write_off,
    Waive: losses.waive,
    BookWaiver: restoring.book_waiver,
    Recover: recovering.recover,
    ReturnReceipt: returning.return_receipt,
    CorrectInterest: correcting.correct_interest,
    TakeBackReceipt: returning.take_back_receipt,
    UndoMatch: undoing.undo_match,
}
_BY_TERMS: dict[type[Message], Callable[[Books, Any, Terms], None]] = {
    ChangeAccount: changes.change_account,
    ProposeLine: lines.propose,
    ShrinkLine: lines.shrink,
    ConfirmLine: lines.confirm,
    ConfirmSheet: lines.confirm_sheet,
    DisputeLine: lines.dispute,
    PublishSheet: windows.publish,
    FinalizeSheet: windows.finalize,
    PostLines: windows.post_lines,
    SettleLine: clearing.settle_line,
    InstructPosition: positions.instruct_position,
}

HANDLES = frozenset(command.type for command in (*_ACTS, *_BY_TERMS))


def decide(
    states: States,
    delivery: Delivery,
    limits_of: LimitsOf,
    policy_of: PolicyOf,
    terms: Terms = NEVER,
) -> Decision:
    """New states, entries and messages. Raises Unexpected for what can mean nothing."""
    message, books = delivery.message, Books(states, delivery, limits_of, policy_of)
    if act := _ACTS.get(type(message)):
        act(books, message)
    elif by_terms := _BY_TERMS.get(type(message)):
        by_terms(books, message, terms)
    else:
        raise Unexpected("not_ours", f"{message.type} is no command to the books")
    follow(books, message, terms)
    return books.close()
