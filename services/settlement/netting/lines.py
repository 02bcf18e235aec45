"""Lines: each side proposes what it has; what both have alike enters the sheet of its month.

A line that one side has alone, that the two have unequally or that somebody disputes is in no
window, so that nothing has to be moved when a window closes: where both agree, it enters the first
open window not before the month of its release. That is how it rolls over, on both sides at once.
The totals of a corridor are kept as its lines enter and leave. PURE.
"""

from typing import Any
from uuid import UUID

from services.settlement.books import Books
from services.settlement.netting.states import Line, Total, Window
from services.settlement.netting.terms import Terms
from shared.decision import Timer, replace
from shared.messages import next_uuid
from shared.messages.settlement_netting import (
    ConfirmLine,
    DisputeLine,
    LineCommand,
    LineConfirmed,
    LineDisputed,
    ProposeLine,
    PublishSheet,
    ShrinkLine,
    Side,
    window_key,
)
from shared.months import month_of

_CLOSED = frozenset({"final", "paid"})


def propose(books: Books, m: ProposeLine, terms: Terms) -> None:
    """One side has `amount_fen` (more) for the line."""
    month = month_of(m.released_on)
    known = _line(books, m.person, m.transfer, m.version)
    line = known or Line(m.person, m.transfer, m.version, m.to, m.origin, m.destination, month)
    line = replace(line, month=max(line.month, month))
    _keep(books, terms, known, _more(line, m.side, m.amount_fen))


def shrink(books: Books, m: ShrinkLine, terms: Terms) -> None:
    """Money is money: what was paid outside is netted no more, the earliest versions first."""
    known = _lines(books, m.person, m.transfer)
    free = [line for line in known if not _is_final(books, line)]
    left_fen = m.amount_fen
    if left_fen < 0 and free:
        _keep(books, terms, free[-1], _more(free[-1], m.side, -left_fen))
    elif left_fen < 0 or not known:
        # Paid before it was proposed, or come back after all was final: a line of its own.
        version = min([0, *(line.version for line in known)]) - 1 if known else 1
        month = month_of(books.today)
        line = Line(m.person, m.transfer, version, m.to, m.origin, m.destination, month)
        _keep(books, terms, None, _more(line, m.side, -left_fen))
    for line in free if left_fen > 0 else ():
        take_fen = min(left_fen, max(0, _of(line, m.side) or 0))
        left_fen -= take_fen
        if take_fen:
            _keep(books, terms, line, _more(line, m.side, -take_fen))


def confirm(books: Books, m: ConfirmLine, terms: Terms) -> None:
    """A person agrees; whose dispute it was takes it back."""
    line = _answerable(books, m)
    if line is None:
        return
    disputes = tuple(region for region in line.disputes if region != m.region)
    confirms = tuple(sorted({*line.confirms, m.region}))
    _keep(books, terms, line, replace(line, disputes=disputes, confirms=confirms))
    books.say(LineConfirmed(**_told(m, line)))


def dispute(books: Books, m: DisputeLine, terms: Terms) -> None:
    """The line leaves the sheet on both sides, and enters one again when that is settled."""
    line = _answerable(books, m)
    if line is None or m.region in line.disputes:
        return
    disputes = tuple(sorted({*line.disputes, m.region}))
    confirms = tuple(region for region in line.confirms if region != m.region)
    _keep(books, terms, line, replace(line, disputes=disputes, confirms=confirms))
    books.say(LineDisputed(**_told(m, line), reason=m.reason, month=line.entered))


def _told(m: ConfirmLine | DisputeLine, line: Line) -> dict[str, Any]:
    fields = ("to", "origin", "destination", "person", "transfer", "version", "region", "by")
    return {name: getattr(m, name) for name in fields} | {"amount_fen": line.shown_fen}


def _answerable(books: Books, m: LineCommand) -> Line | None:
    """The line, unless it is final: an answer that comes too late changes nothing."""
    line = _line(books, m.person, m.transfer, m.version)
    return None if line is None or _is_final(books, line) else line


def _of(line: Line, side: Side) -> int | None:
    return line.origin_fen if side == "origin" else line.destination_fen


def _more(line: Line, side: Side, amount_fen: int) -> Line:
    total_fen = (_of(line, side) or 0) + amount_fen
    if side == "origin":
        return replace(line, origin_fen=total_fen)
    return replace(line, destination_fen=total_fen)


def _line(books: Books, person: str, transfer: UUID, version: int) -> Line | None:
    return books.get(("net-line", person, transfer, version), Line)


def _lines(books: Books, person: str, transfer: UUID) -> list[Line]:
    versions = books.get(("net-lines", person, transfer), tuple) or ()
    found = [_line(books, person, transfer, version) for version in sorted(versions)]
    return [line for line in found if line]


def _is_final(books: Books, line: Line) -> bool:
    if line.entered is None:
        return False
    total = books.get(
        ("net-total", line.province, line.entered, line.origin, line.destination), Total
    )
    return total is not None and total.state in _CLOSED


def _keep(books: Books, terms: Terms, before: Line | None, after: Line) -> None:
    """Keeps the line, where both agree in a sheet. A final line keeps its place and amount."""
    if before is not None and _is_final(books, before):
        return
    if before is not None and before.entered is not None and before.agreed_fen != after.agreed_fen:
        _count(books, before, before.entered, -1)
        after = replace(after, entered=None)
    if after.entered is None and after.agreed_fen:
        month = _first_open(books, after)
        _count(books, after, month, 1, terms)
        after = replace(after, entered=month)
    books.put(("net-line", after.person, after.transfer, after.version), after)
    versions = books.get(("net-lines", after.person, after.transfer), tuple) or ()
    if after.version not in versions:
        books.put(("net-lines", after.person, after.transfer), (*versions, after.version))


def _first_open(books: Books, line: Line) -> int:
    month = line.month
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


_WINDOW = UUID("7d0a2f0e-64b3-5a0c-9a55-2f1c0f5b3f11")
