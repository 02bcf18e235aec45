"""Closing a region's day, and what is found then: its entries bear the next date from here on."""

from services.settlement.books import Books
from services.settlement.closing.days import Closing, Day
from services.settlement.people.items import Subject, open_item, settle
from shared.decision import Unexpected, replace
from shared.messages.settlement_closing import CloseDay, DayClosed, ReportBreak


def close_day(books: Books, m: CloseDay) -> None:
    """Closes the day and all before it; a day that is closed stays so."""
    day = books.get(("day", m.to), Day) or Day(m.to)
    if day.closed_on is not None and m.day <= day.closed_on:
        return
    if m.day > books.today:
        raise Unexpected("day_not_begun", f"{m.day} has not begun: today is {books.today}")
    books.put(("day", m.to), replace(day, closed_on=m.day))
    closing = Closing(m.to, m.day, day.closed_on, books.at, m.by)
    books.put(("closing", m.to, m.day), closing)
    books.say(DayClosed(to=m.to, day=m.day, after=day.closed_on, by=m.by))


def report_break(books: Books, m: ReportBreak) -> None:
    """Somebody must look at a difference, for as long as there is one."""
    break_ = Subject("break", m.to, m.about, m.subject)
    if m.amount_fen:
        open_item(books, break_, m.amount_fen, m.facts)
    else:
        settle(books, break_.item, "explained")
