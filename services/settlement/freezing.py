"""An account that is held: a court has said so, or a bill is to be settled before it leaves. PURE.

What comes in is credited, an advance too. Nothing leaves: it is not released, paid out, moved on,
taken back or recovered from, and, unless only the leaving is held, not spent. What has waited for
it goes on by itself when it is free: what is owed to where the person went, and to heirs. A release
is asked for again by the transfer, on the day that is told it.
"""

from datetime import date, datetime, time, timedelta

from services.settlement import onward
from services.settlement.books import Books
from services.settlement.people import items
from services.settlement.people.states import item_id
from shared.calendar import SHANGHAI
from shared.decision import Timer, replace
from shared.ids import uuid5
from shared.messages import NAMESPACE
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
Held = FreezeAccount | UnfreezeAccount | EndFreeze


def freeze_account(books: Books, m: FreezeAccount) -> None:
    """Holds the account; of one that is held already, what two people said last is in force."""
    items.need_two(m)
    item = item_id(QUEUE, m.to, m.person)
    if not books.holder(m.person, m.to).account:
        items.give_back(books, item, "no_account")
        return
    if m.until is not None and m.until <= books.today:
        items.give_back(books, item, "date_is_over")
        return
    holder = books.holder(m.person, m.to)
    books.keep_holder(replace(holder, frozen=m.what, frozen_on=books.today, frozen_until=m.until))
    _remind(books, m, m.until)
    items.settle(books, item, "obeyed")
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
    items.settle(books, item, "obeyed")


def end_freeze(books: Books, m: EndFreeze) -> None:
    """Its last day is over, unless two people have said otherwise since."""
    holder = books.holder(m.person, m.to)
    if holder.frozen and holder.frozen_until and holder.frozen_until <= books.today:
        _free(books, m, "over")


def withheld(books: Books, m: ReleaseFunds | PayOut) -> bool:
    """Whether the account is held: then the transfer is told when to ask again."""
    if m.transfer is None or books.release(m.person, m.transfer) is not None:
        return False
    holder = books.holder(m.person, m.to)
    if not holder.held_on(books.today):
        return False
    until = holder.frozen_until or books.today + _ASKED_AGAIN
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


def _free(books: Books, m: Held, reason: str) -> None:
    held = books.holder(m.person, m.to)
    assert held.frozen, "who is not held is not let go"
    holder = replace(held, frozen=None, frozen_on=None, frozen_until=None)
    books.keep_holder(holder)
    books.say(
        AccountUnfrozen(
            to=m.to, person=m.person, reason=reason, what=held.frozen, decided=books.cause
        )
    )
    onward.send_on(books, holder, holder.balance_fen, after=holder.reopened_at)


def _remind(books: Books, m: Held, until: date | None) -> None:
    at = datetime.combine(until, time.min, SHANGHAI) if until else None
    message = EndFreeze(to=m.to, person=m.person) if until else None
    id_ = uuid5(NAMESPACE, f"freeze\x1f{m.to}\x1f{m.person}")
    books.remind(Timer(m.person, id_, at, message))
