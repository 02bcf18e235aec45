"""Lines: each side proposes what it has; what both have alike enters the sheet of its month.

A line that one side has alone, that the two have unequally or that somebody disputes is in no
window, so that nothing has to be moved when a window closes: where both agree, it enters the first
open window not before the month of its release. That is how it rolls over, on both sides at once.
PURE.
"""

from itertools import count
from typing import Any, Literal
from uuid import UUID

from services.settlement.books import Books
from services.settlement.netting.places import is_final, keep, line_of, lines_of
from services.settlement.netting.states import Answer, Line
from services.settlement.netting.terms import Terms
from services.settlement.netting.windows import next_lines
from shared.decision import replace
from shared.messages.settlement_netting import (
    ConfirmLine,
    ConfirmSheet,
    DisputeLine,
    LineCommand,
    LineConfirmed,
    LineDisputed,
    ProposeLine,
    ShrinkLine,
    Side,
)
from shared.months import month_of

_OTHERS = 1001
"""Beyond all versions, so that what goes back is booked after what it goes back from."""


def propose(books: Books, m: ProposeLine, terms: Terms) -> None:
    """One side has `amount_fen` (more) for the line."""
    month = month_of(m.released_on)
    version, known = m.version, line_of(books, m.person, m.transfer, m.version)
    if known is not None and is_final(books, known):
        # A reversal is no version of its own: what goes back of a final line is another line.
        version, known = _another(books, m.person, m.transfer)
    line = known or Line(m.person, m.transfer, version, m.to, m.origin, m.destination, month)
    line = replace(line, month=max(line.month, month))
    keep(books, terms, known, _more(line, m.side, m.amount_fen))


def shrink(books: Books, m: ShrinkLine, terms: Terms) -> None:
    """Money is money: what was paid outside is netted no more, the earliest versions first."""
    known = lines_of(books, m.person, m.transfer)
    free = [line for line in known if not is_final(books, line)]
    left_fen = m.amount_fen
    if left_fen < 0 and free:
        keep(books, terms, free[-1], _more(free[-1], m.side, -left_fen))
    elif left_fen < 0 or not known:
        # Come back after all was final, or paid before it was proposed: a line of its own.
        version, _ = _another(books, m.person, m.transfer) if known else (1, None)
        month = month_of(books.today)
        line = Line(m.person, m.transfer, version, m.to, m.origin, m.destination, month)
        keep(books, terms, None, _more(line, m.side, -left_fen))
    for line in free if left_fen > 0 else ():
        take_fen = min(left_fen, max(0, _of(line, m.side) or 0))
        left_fen -= take_fen
        if take_fen:
            keep(books, terms, line, _more(line, m.side, -take_fen))


def confirm(books: Books, m: ConfirmLine, terms: Terms) -> None:
    """A person agrees; whose dispute it was takes it back."""
    line = _answerable(books, m)
    if line is None:
        return
    disputes = tuple(region for region in line.disputes if region != m.region)
    confirms = tuple(sorted({*line.confirms, m.region}))
    keep(books, terms, line, replace(line, disputes=disputes, confirms=confirms))
    _remember(books, m, line, "confirm", None)
    books.say(LineConfirmed(**_told(m, line)))


def dispute(books: Books, m: DisputeLine, terms: Terms) -> None:
    """The line leaves the sheet on both sides, and enters one again when that is settled."""
    line = _answerable(books, m)
    if line is None or m.region in line.disputes:
        return
    disputes = tuple(sorted({*line.disputes, m.region}))
    confirms = tuple(region for region in line.confirms if region != m.region)
    keep(books, terms, line, replace(line, disputes=disputes, confirms=confirms))
    _remember(books, m, line, "dispute", m.reason)
    books.say(LineDisputed(**_told(m, line), reason=m.reason, month=line.entered))


def confirm_sheet(books: Books, m: ConfirmSheet, _: Terms) -> None:
    """Agrees with the next lines, each by a message of its own; those it has agreed with already
    need none, and what is final takes no answer.
    """
    lines: list[Line] = list(books.get(("net-next", m.to, m.month, *m.after), tuple) or ())
    for line in lines:
        if m.region in {line.origin, line.destination} and m.region not in line.confirms:
            books.say(
                ConfirmLine(
                    to=line.province,
                    origin=line.origin,
                    destination=line.destination,
                    person=line.person,
                    transfer=line.transfer,
                    version=line.version,
                    region=m.region,
                    by=m.by,
                )
            )
    if more := next_lines(m, lines):
        books.say(more)


def _remember(
    books: Books,
    m: ConfirmLine | DisputeLine,
    line: Line,
    verdict: Literal["confirm", "dispute"],
    why: str | None,
) -> None:
    answer = Answer(
        cause=books.cause,
        transfer=line.transfer,
        version=line.version,
        province=line.province,
        month=line.entered,
        region=m.region,
        verdict=verdict,
        by=m.by,
        why=why,
        at=books.at,
    )
    books.put(("net-answer", answer.cause), answer)


def _told(m: ConfirmLine | DisputeLine, line: Line) -> dict[str, Any]:
    fields = ("to", "origin", "destination", "person", "transfer", "version", "region", "by")
    return {name: getattr(m, name) for name in fields} | {"amount_fen": line.shown_fen}


def _answerable(books: Books, m: LineCommand) -> Line | None:
    """The line, unless it is final: an answer that comes too late changes nothing."""
    line = line_of(books, m.person, m.transfer, m.version)
    return None if line is None or is_final(books, line) else line


def _of(line: Line, side: Side) -> int | None:
    return line.origin_fen if side == "origin" else line.destination_fen


def _more(line: Line, side: Side, amount_fen: int) -> Line:
    total_fen = (_of(line, side) or 0) + amount_fen
    if side == "origin":
        return replace(line, origin_fen=total_fen)
    return replace(line, destination_fen=total_fen)


def _another(books: Books, person: str, transfer: UUID) -> tuple[int, Line | None]:
    """The line of a transfer for what belongs to none of its versions and is not final yet."""
    for version in count(_OTHERS):
        line = line_of(books, person, transfer, version)
        if line is None or not is_final(books, line):
            return version, line
    raise AssertionError
