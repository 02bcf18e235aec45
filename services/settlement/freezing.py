"""An account that is held: a court has said so, or a bill is to be settled before it leaves. PURE.

What comes in is credited, an advance too. Nothing leaves: it is not released, paid out, moved on,
taken back or recovered from, and, unless only the leaving is held, not spent. When it is free the
person's debts are paid first; then what has waited goes on by itself, with its interest: what is
owed to where the person went, and to heirs. A release is asked for again by the transfer, on the
day that is told it.
"""

from datetime import date, datetime, time, timedelta

from services.settlement import onward
from services.settlement.books import Books
from services.settlement.compensation.recovering import recover_from_credit
from services.settlement.earning import earn
from services.settlement.people import items
from services.settlement.people.states import item_id
from shared.calendar import SHANGHAI
from shared.decision import Timer, replace
from shared.ids import uuid5
from shared.messages import NAMESPACE, PersonCommand
from shared.messages.settlement import FundsWithheld, PayOut, ReleaseFunds
from shared.messages.settlement_freezing import (
    AccountFrozen,
    AccountUnfrozen,
    EndFreeze,
    FreezeAccount,
    UnfreezeAccount,
)

QUEUE = "freeze"
_ASKED_AGAIN = timedelta(days=30)
"""At the latest: two people may let it go before its day."""


def freeze_account(books: Books, m: FreezeAccount) -> None:
    """Holds the account; of one that is held already, what two people said last is in force."""
    items.need_two(m)
    item = item_id(QUEUE, m.to, m.person)
    holder = books.holder(m.person, m.to)
    if not holder.account:
        items.give_back(books, item, "no_account")
        return
    if m.until is not None and m.until <= books.today:
        items.give_back(books, item, "date_is_over")
        return
    renewed = holder.held_on(books.today) and holder.frozen == m.what
    since = holder.frozen_on if renewed else books.today
    books.keep_holder(replace(holder, frozen=m.what, frozen_on=since, frozen_until=m.until))
    _remind(books, m, m.until)
    items.settle_approved(books, item, m.type)
    books.say(
        AccountFrozen(
            to=m.to,
            person=m.person,
            what=m.what,
            until=m.until,
            reason=m.reason,
            decided=books.cause,
        )
    )


def unfreeze_account(books: Books, m: UnfreezeAccount) -> None:
    """Two people let the account go."""
    items.need_two(m)
    item = item_id(QUEUE, m.to, m.person)
    if books.holder(m.person, m.to).frozen is None:
        items.give_back(books, item, "not_frozen")
        return
    _remind(books, m, None)
    _free(books, m, m.reason)
    items.settle_approved(books, item, m.type)


def end_freeze(books: Books, m: PersonCommand) -> None:
    """Its last day is over, unless two people have said otherwise since. Whatever takes from the
    account looks first, for it may come before the reminder.
    """
    holder, today = books.holder(m.person, m.to), books.today
    if isinstance(m, EndFreeze) and m.until:  # the clock may have been set back since it was due
        today = max(today, m.until)
    if holder.frozen and holder.frozen_until and holder.frozen_until <= today:
        _free(books, m, "over")


def withheld(books: Books, m: ReleaseFunds | PayOut) -> bool:
    """Whether the account is held: then the transfer is told when to ask again."""
    end_freeze(books, m)
    if m.transfer is None or books.release(m.person, m.transfer) is not None:
        return False
    holder = books.holder(m.person, m.to)
    if not holder.held_on(books.today):
        return False
    until = min(holder.frozen_until or date.max, books.today + _ASKED_AGAIN)
    books.say(
        FundsWithheld(
            to=m.destination or m.to,
            person=m.person,
            transfer=m.transfer,
            origin=m.to,
            code="account_frozen",
            until=until,
        )
    )
    return True


def _free(books: Books, m: PersonCommand, reason: str) -> None:
    held = books.holder(m.person, m.to)
    assert held.frozen, "who is not held is not let go"
    books.keep_holder(replace(held, frozen=None, frozen_on=None, frozen_until=None))
    books.say(
        AccountUnfrozen(
            to=m.to, person=m.person, reason=reason, what=held.frozen, decided=books.cause
        )
    )
    interest_fen = 0
    if onward.leaves(books, held, after=held.reopened_at):
        interest_fen = earn(books, m.person, m.to, books.cause)
    recover_from_credit(books, m.person, m.to, books.free_fen(m.person, m.to))
    free = books.holder(m.person, m.to)
    onward.send_on(books, free, free.balance_fen, interest_fen, after=free.reopened_at)


def _remind(books: Books, m: PersonCommand, until: date | None) -> None:
    at = datetime.combine(until, time.min, SHANGHAI) if until else None
    message = EndFreeze(to=m.to, person=m.person, until=until) if until else None
    id_ = uuid5(NAMESPACE, f"freeze\x1f{m.to}\x1f{m.person}")
    books.remind(Timer(m.person, id_, at, message))
