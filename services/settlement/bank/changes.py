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
    """From `since` on a region has another account of a kind; the last word on a day counts."""

    region: str
    bank: BankKind
    cause: UUID
    since: date
    account_key: str
    sealed: str
    changed_at: datetime
    proposed_by: str
    approved_by: str
    reason: str
    why: str = ""


def change_account(books: Books, m: ChangeAccount, terms: Terms) -> None:
    """Keeps the change, and tells the cells that serve others. It holds from the next day at the
    earliest: whatever was paid today was paid to one account. What does not hold yet may be
    replaced, and a fund may go back to an account that it had.
    """
    items.need_two(m)
    item = item_id(QUEUE, m.to, m.bank)
    since = max(m.since, books.today + timedelta(days=1))
    last = _last(books, m.to, m.bank)
    owner = books.get(("account-key", m.account_key), tuple) or (m.to, m.bank)
    if owner != (m.to, m.bank) or (last is not None and last.account_key == m.account_key):
        items.give_back(books, item, "account_taken")
        return
    if last is not None and last.since > since:
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
    items.settle_approved(books, item, m.type)
    books.say(AccountChanged(to=m.to, bank=m.bank, since=since, **who))
    for other in terms.regions.elsewhere():
        books.say(NoteAccount(to=other, region=m.to, bank=m.bank, since=since, **what, **who))


def note_account(books: Books, m: NoteAccount) -> None:
    """A region of another cell has changed an account."""
    last = _last(books, m.region, m.bank)
    if last is None or (last.since, last.account_key) != (m.since, m.account_key):
        facts = m.model_dump(exclude={"to"})
        _keep(books, AccountChange(**facts, changed_at=books.at, cause=books.cause))


def _last(books: Books, region: str, bank: BankKind) -> AccountChange | None:
    key = books.get(("account-change", region, bank), tuple)
    return books.get(key, AccountChange) if key else None


def _keep(books: Books, change: AccountChange) -> None:
    key = ("change", change.region, change.bank, change.cause)
    books.put(key, change)
    books.put(("account-change", change.region, change.bank), key)
    books.put(("account-key", change.account_key), (change.region, change.bank))
