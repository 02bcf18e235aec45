"""A fund's bank account is changed by two people. PURE.

The former account stays the fund's: its statements, and what others pay into it, are read as
before (`docs/decisions/0040`). A remittance that the bank returned from it is instructed again to
the account of the day of that run.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from services.settlement.books import Books
from services.settlement.netting.terms import Terms
from services.settlement.people import items
from services.settlement.people.states import item_id
from shared.messages.settlement import BankKind
from shared.messages.settlement_accounts import AccountChanged, ChangeAccount, NoteAccount

QUEUE = "bank-account"


@dataclass(frozen=True, slots=True)
class AccountChange:
    """From `since` on a region has another account of a kind."""

    region: str
    bank: BankKind
    since: date
    account_key: str
    sealed: str
    changed_at: datetime
    cause: UUID
    proposed_by: str
    approved_by: str
    reason: str
    why: str = ""


def change_account(books: Books, m: ChangeAccount, terms: Terms) -> None:
    """Keeps the change, and tells the cells that serve others. It holds from the next day at the
    earliest: whatever was paid today was paid to one account.
    """
    items.need_two(m)
    item = item_id(QUEUE, m.to, m.bank)
    since = max(m.since, books.today + timedelta(days=1))
    last = books.get(("account-change", m.to, m.bank), AccountChange)
    if books.get(("account-key", m.account_key), bool):
        items.give_back(books, item, "account_taken")
        return
    if last is not None and last.since >= since:
        items.give_back(books, item, "changed_later")
        return
    who = {"proposed_by": m.proposed_by, "approved_by": m.approved_by, "reason": m.reason}
    what = {"account_key": m.account_key, "sealed": m.sealed}
    _keep(
        books,
        AccountChange(
            region=m.to,
            bank=m.bank,
            since=since,
            changed_at=books.at,
            cause=books.cause,
            why=m.why,
            **what,
            **who,
        ),
    )
    items.settle(books, item, "obeyed")
    books.say(AccountChanged(to=m.to, bank=m.bank, since=since, **who))
    for other in terms.regions.elsewhere():
        books.say(NoteAccount(to=other, region=m.to, bank=m.bank, since=since, **what, **who))


def note_account(books: Books, m: NoteAccount) -> None:
    """A region of another cell has changed an account."""
    if not books.get(("account-key", m.account_key), bool):
        facts = m.model_dump(exclude={"to"})
        _keep(books, AccountChange(**facts, changed_at=books.at, cause=books.cause))


def _keep(books: Books, change: AccountChange) -> None:
    books.put(("account-change", change.region, change.bank), change)
    books.put(("account-key", change.account_key), True)
