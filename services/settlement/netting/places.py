"""Where lines stand: in the sheet of a window, or in none; totals are kept as they enter and leave.

What goes back follows what it goes back from: a line below zero is in a sheet only with, or after,
every line of its transfer that is above zero. PURE.
"""

from uuid import UUID

from services.settlement.books import Books
from services.settlement.netting.states import Line, Total, Window
from services.settlement.netting.terms import Terms
from shared.decision import Timer, replace
from shared.messages import next_uuid
from shared.messages.settlement_netting import PublishSheet, window_key

_CLOSED = frozenset({"final", "paid"})
_WINDOW = UUID("7d0a2f0e-64b3-5a0c-9a55-2f1c0f5b3f11")


def line_of(books: Books, person: str, transfer: UUID, version: int) -> Line | None:
    """The line of a transfer's version."""
    return books.get(("net-line", person, transfer, version), Line)


def lines_of(books: Books, person: str, transfer: UUID) -> list[Line]:
    """All lines of a transfer, in the order of their versions."""
    versions = books.get(("net-lines", person, transfer), tuple) or ()
    found = [line_of(books, person, transfer, version) for version in sorted(versions)]
    return [line for line in found if line]


def is_final(books: Books, line: Line) -> bool:
    """Whether it is in a final sheet."""
    if line.entered is None:
        return False
    total = books.get(
        ("net-total", line.province, line.entered, line.origin, line.destination), Total
    )
    return total is not None and total.state in _CLOSED


def keep(books: Books, terms: Terms, before: Line | None, after: Line) -> None:
    """Keeps what has become of a line, and sees where it and the others of its transfer stand.

    A final line keeps its place and its amount.
    """
    if before is not None and is_final(books, before):
        return
    versions = books.get(("net-lines", after.person, after.transfer), tuple) or ()
    if after.version not in versions:
        books.put(("net-lines", after.person, after.transfer), (*versions, after.version))
    _place(books, terms, before, after)
    for other in lines_of(books, after.person, after.transfer):
        if other.version != after.version and other.agreed_fen < 0 and not is_final(books, other):
            _place(books, terms, other, other)


def _place(books: Books, terms: Terms, before: Line | None, after: Line) -> None:
    if before is not None and before.entered is not None:
        changed = before.agreed_fen != after.agreed_fen
        if changed or not _may_be_in(books, after, before.entered):
            _count(books, before, before.entered, -1)
            after = replace(after, entered=None)
    month = _first_open(books, after)
    if after.entered is None and after.agreed_fen and _may_be_in(books, after, month):
        _count(books, after, month, 1, terms)
        after = replace(after, entered=month)
    books.put(("net-line", after.person, after.transfer, after.version), after)


def _may_be_in(books: Books, line: Line, month: int) -> bool:
    return all(
        other.entered is not None and other.entered <= month for other in _followed(books, line)
    )


def _followed(books: Books, line: Line) -> list[Line]:
    """The lines that a line follows, wherever they are."""
    return [
        other
        for other in (lines_of(books, line.person, line.transfer) if line.agreed_fen < 0 else ())
        if other.version != line.version
        and max(other.origin_fen or 0, other.destination_fen or 0) > 0
    ]


def _first_open(books: Books, line: Line) -> int:
    month = max([line.month, *(other.entered or 0 for other in _followed(books, line))])
    while _state(books, line, month) != "open":
        month += 1
    return month


def _state(books: Books, line: Line, month: int) -> str:
    # The total of the corridor is locked, the window's row may be older.
    total = books.get(("net-total", line.province, month, line.origin, line.destination), Total)
    if total is not None:
        return total.state
    window = books.get(("net-window", line.province, month), Window)
    return window.state if window else "open"


def _count(books: Books, line: Line, month: int, sign: int, terms: Terms | None = None) -> None:
    key = ("net-total", line.province, month, line.origin, line.destination)
    known = books.get(key, Total)
    total = known or Total(line.province, month, line.origin, line.destination)
    books.put(
        key,
        replace(total, lines=total.lines + sign, fen=total.fen + sign * line.agreed_fen),
    )
    if terms is not None and not total.lines:
        # The first line of a corridor sees to it that the sheet comes out; once more does no harm.
        window = window_key(line.province, month)
        publish = PublishSheet(to=line.province, month=month)
        due_at = terms.publish_at(line.province, month)
        books.remind(Timer(window, next_uuid(_WINDOW, window), due_at, publish))
