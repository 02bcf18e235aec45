"""Interest is credited: at the settlement day, and when an account is emptied."""

from uuid import UUID

from services.settlement import interest, ledger
from services.settlement.books import Books
from services.settlement.compensation.recovering import recover_from_credit
from services.settlement.onward import send_on
from services.settlement.states import Reckoning
from shared.decision import replace
from shared.messages.settlement_interest import InterestCredited, SettleInterest


def settle_interest(books: Books, m: SettleInterest) -> None:
    """Credits what the account has earned, once for each settlement day, and waits for the next."""
    holder = books.holder(m.person, m.to)
    if holder.settles_on != m.on:
        return
    books.keep_holder(replace(holder, settles_on=None))
    amount_fen = earn(books, m.person, m.to, m.on)
    books.keep_earning(books.holder(m.person, m.to))
    holder = books.holder(m.person, m.to)
    send_on(books, holder, amount_fen, amount_fen, after=holder.reopened_at)


def earn(
    books: Books, person: str, region: str, subject: object, transfer: UUID | None = None
) -> int:
    """Credits what the account has earned until today; gives what is left of it once the person's
    debts are paid.
    """
    holder = books.holder(person, region)
    until = books.business_day(region)
    _, accrued = books.accrued(holder, until)
    amount_fen = interest.fen(accrued)
    if not amount_fen:
        return 0
    books.post(
        "interest",
        region,
        ledger.earned(amount_fen),
        person=person,
        subject=subject,
        transfer=transfer,
    )
    credited = replace(books.holder(person, region), accrued=0)
    books.keep_holder(credited)
    entry = ledger.entry_id(person, region, "interest", str(subject), 0)
    reckoning = Reckoning(person, entry, region, until, accrued, amount_fen)
    books.put(("reckoning", person, entry), reckoning)
    books.say(
        InterestCredited(
            to=region,
            person=person,
            until=until,
            amount_fen=amount_fen,
            balance_fen=credited.balance_fen,
            transfer=transfer,
        )
    )
    return amount_fen - recover_from_credit(books, person, region, amount_fen)
