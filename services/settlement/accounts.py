"""Personal accounts: opening, correcting, contributing, spending, giving back.

What comes to an account after its balance was released goes on to where the person went.
"""

from typing import Literal

from services.settlement import freezing, ledger
from services.settlement.books import Books
from services.settlement.compensation.recovering import recover_from_credit
from services.settlement.compensation.restoring import take_from_releases
from services.settlement.onward import later_release, send_on
from services.settlement.states import Movement
from shared.decision import Unexpected, replace
from shared.messages.enrollment import AnswerAnew
from shared.messages.settlement import (
    AccountMoved,
    Contribute,
    CorrectBalance,
    OfferAgain,
    OpenAccount,
    Refund,
    Spend,
)

Moving = OpenAccount | CorrectBalance | Contribute | Spend | Refund
What = Literal["open", "contribute", "spend", "refund", "correct"]
_WHAT: dict[type[Moving], What] = {
    OpenAccount: "open",
    CorrectBalance: "correct",
    Contribute: "contribute",
    Spend: "spend",
    Refund: "refund",
}


def open_account(books: Books, m: OpenAccount) -> None:
    """A relation begins; its opening balance is credited, and declined advances are offered."""
    if m.balance_fen < 0:
        raise Unexpected("bad_amount", "an opening balance below zero")
    if books.movement(m.person, m.record):
        return
    holder = books.holder(m.person, m.to)
    books.keep_holder(
        replace(
            holder,
            account=holder.account or m.account,
            opened=m.record,
            reopened_at=books.at if holder.opened else None,
            sealed=m.sealed or holder.sealed,
            name_keys=m.name_keys or holder.name_keys,
        )
    )
    if m.balance_fen and not m.account:
        _refuse(books, m, "no_account")
    else:
        _credit(books, m, ledger.opened(m.balance_fen), m.balance_fen)
    for claim in books.claims(m.person, m.to):
        if claim.awaiting_fen:
            books.say(
                OfferAgain(to=m.to, person=m.person, transfer=claim.transfer, origin=claim.origin)
            )


def correct_balance(books: Books, m: CorrectBalance) -> None:
    """An opening balance was another one: the difference is credited or taken back."""
    if m.balance_fen < 0:
        raise Unexpected("bad_amount", "an opening balance below zero")
    if books.movement(m.person, m.record):
        return
    first = books.movement(m.person, m.refers_to)
    if first is None or first.what != "open" or first.region != m.to:
        _refuse(books, m, "unknown_record")
        return
    delta_fen = m.balance_fen - first.amount_fen
    if not _covered(books, m, -delta_fen):
        _refuse(books, m, "insufficient_balance")
        return
    books.keep_movement(replace(first, amount_fen=m.balance_fen, code=None))
    _credit(books, m, ledger.opened(delta_fen), delta_fen)


def contribute(books: Books, m: Contribute) -> None:
    """A contribution comes in."""
    _above_zero(m.amount_fen)
    if books.movement(m.person, m.record):
        return
    if not books.holder(m.person, m.to).account:
        _refuse(books, m, "no_account")
        return
    _credit(books, m, ledger.contributed(m.amount_fen), m.amount_fen)


def spend(books: Books, m: Spend) -> None:
    """The person pays, at most what is there."""
    _above_zero(m.amount_fen)
    if books.movement(m.person, m.record):
        return
    freezing.end_freeze(books, m)
    holder = books.holder(m.person, m.to)
    if not holder.account:
        _refuse(books, m, "no_account")
    elif not holder.may_spend(m.spent_on or books.today):
        _refuse(books, m, "account_frozen")
    elif not _covered(books, m, m.amount_fen):
        _refuse(books, m, "insufficient_balance")
    else:
        _move(books, m, ledger.spent(m.amount_fen), m.amount_fen)


def _covered(books: Books, m: CorrectBalance | Spend, wanted_fen: int) -> bool:
    """Whether the account holds so much, or can take it back from what it has released: what
    moves an account after the release corrects the release.
    """
    holder = books.holder(m.person, m.to)
    missing_fen = wanted_fen - holder.balance_fen
    if missing_fen <= 0:
        return True
    latest = later_release(books, holder, None)
    if isinstance(m, Spend) and not (latest and m.spent_on and m.spent_on < latest.released_on):
        return False
    return take_from_releases(books, holder, missing_fen)


def refund(books: Books, m: Refund) -> None:
    """A spend comes back, in whole or in part."""
    _above_zero(m.amount_fen)
    if books.movement(m.person, m.record):
        return
    paid = books.movement(m.person, m.refers_to)
    if paid is None or paid.what != "spend" or paid.code or paid.region != m.to:
        _refuse(books, m, "unknown_record")
    elif paid.refunded_fen + m.amount_fen > paid.amount_fen:
        _refuse(books, m, "refund_too_large")
    else:
        books.keep_movement(replace(paid, refunded_fen=paid.refunded_fen + m.amount_fen))
        _credit(books, m, ledger.refunded(m.amount_fen), m.amount_fen)


def _above_zero(amount_fen: int) -> None:
    if amount_fen <= 0:
        raise Unexpected("bad_amount", f"{amount_fen} fen is no amount to move")


def _credit(books: Books, m: Moving, postings: ledger.Postings, amount_fen: int) -> None:
    _move(books, m, postings, amount_fen)
    if amount_fen > 0:
        amount_fen -= recover_from_credit(books, m.person, m.to, amount_fen)
        holder = books.holder(m.person, m.to)
        send_on(books, holder, amount_fen, after=holder.reopened_at)


def _move(books: Books, m: Moving, postings: ledger.Postings, amount_fen: int) -> None:
    what = _WHAT[type(m)]
    books.post(what, m.to, postings, person=m.person, subject=m.record)
    books.keep_movement(Movement(m.person, m.record, m.to, what, amount_fen))
    if not amount_fen:
        return
    books.say(
        AccountMoved(
            to=m.to,
            person=m.person,
            record=m.record,
            what=what,
            amount_fen=amount_fen,
            balance_fen=books.holder(m.person, m.to).balance_fen,
        )
    )


def _refuse(books: Books, m: Moving, code: str) -> None:
    what = _WHAT[type(m)]
    amount_fen = 0 if isinstance(m, OpenAccount | CorrectBalance) else m.amount_fen
    books.keep_movement(Movement(m.person, m.record, m.to, what, amount_fen, code=code))
    books.say(AnswerAnew(to=m.to, person=m.person, record=m.record, what=what, code=code))
