"""Windows: open, published, final, paid. PURE.

Closing one looks at the totals of its corridors and never at a line.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from services.settlement.books import Books
from services.settlement.netting.states import (
    Line,
    Owed,
    Total,
    Window,
    WindowState,
    reference_of,
)
from services.settlement.netting.terms import Terms
from shared.decision import Timer, replace
from shared.messages import next_uuid
from shared.messages.settlement_netting import (
    FinalizeSheet,
    NextLines,
    Position,
    PostLines,
    PublishSheet,
    SettleLine,
    SheetFinal,
    SheetPublished,
)

MOST_LINES = 500
"""So many lines of a sheet are booked, or agreed with, at a time."""
AnyNext = TypeVar("AnyNext", bound=NextLines)
_FINAL = UUID("c1f3f9b2-8a43-5d53-8d0b-0f3d8b1f7c52")


def publish(books: Books, m: PublishSheet, terms: Terms) -> None:
    """Nothing more enters; the regions have some days to answer."""
    window = window_of(books, m.to, m.month)
    if window.state != "open":
        return
    totals = totals_of(books, m.to, m.month)
    answer_by = terms.answer_by(m.to, books.at)
    for total in totals:
        keep_total(books, replace(total, state="published"))
    keep_window(
        books,
        replace(window, state="published", published_on=books.today, answer_by=answer_by),
    )
    lines, positions = sum(total.lines for total in totals), positions_of(m.to, m.month, totals)
    books.say(
        SheetPublished(
            to=m.to, month=m.month, lines=lines, positions=positions, answer_by=answer_by
        )
    )
    finalize_it = FinalizeSheet(to=m.to, month=m.month)
    books.remind(Timer(window.key, next_uuid(_FINAL, window.key), answer_by, finalize_it))


def finalize(books: Books, m: FinalizeSheet, _: Terms) -> None:
    """What nobody disputes is final: positions are owed, and the lines are booked one by one."""
    window = window_of(books, m.to, m.month)
    if window.state != "published":
        return
    totals = totals_of(books, m.to, m.month)
    for total in totals:
        keep_total(books, replace(total, state="final"))
    positions = positions_of(m.to, m.month, totals)
    for position in positions:
        owes = position.payable_fen > position.receivable_fen
        payer, payee = (position.region, m.to) if owes else (m.to, position.region)
        books.put(
            ("net-position", position.reference),
            Owed(
                *(m.to, m.month, position.region, position.reference, payer, payee),
                *(position.receivable_fen, position.payable_fen),
            ),
        )
    books.put(("net-positions", m.to, m.month), tuple(one.reference for one in positions))
    nothing_to_pay = all(one.receivable_fen == one.payable_fen for one in positions)
    state: WindowState = "paid" if nothing_to_pay else "final"
    keep_window(books, replace(window, state=state, final_on=books.today))
    lines = sum(total.lines for total in totals)
    books.say(SheetFinal(to=m.to, month=m.month, lines=lines, positions=positions))
    books.say(PostLines(to=m.to, month=m.month))


def post_lines(books: Books, m: PostLines, _: Terms) -> None:
    """The next lines of a final sheet: each is booked by a message of its own, once."""
    lines: list[Line] = list(books.get(("net-next", m.to, m.month, *m.after), tuple) or ())
    for line in lines:
        books.say(
            SettleLine(
                to=line.destination,
                person=line.person,
                transfer=line.transfer,
                version=line.version,
                payer=line.origin,
                province=line.province,
                month=m.month,
            )
        )
    if more := next_lines(m, lines):
        books.say(more)
    else:
        keep_window(books, replace(window_of(books, m.to, m.month), posted=True))


def next_lines(m: AnyNext, lines: Sequence[Line]) -> AnyNext | None:
    """The same for the lines after these, if there may be any."""
    if len(lines) < MOST_LINES:
        return None
    last = lines[-1]
    after = {"person": last.person, "transfer": last.transfer, "version": last.version}
    return m.model_copy(update={f"after_{name}": value for name, value in after.items()})


def positions_of(province: str, month: int, totals: Iterable[Total]) -> tuple[Position, ...]:
    """What each region is owed and owes; their sum is zero, whatever the lines are."""
    receivable: dict[str, int] = {}
    payable: dict[str, int] = {}
    for total in totals:
        if total.lines:
            # A corridor in which more goes back than forth is owed the other way round.
            payer, payee = total.origin, total.destination
            if total.fen < 0:
                payer, payee = payee, payer
            payable[payer] = payable.get(payer, 0) + abs(total.fen)
            receivable[payee] = receivable.get(payee, 0) + abs(total.fen)
    return tuple(
        Position(
            region=region,
            receivable_fen=receivable.get(region, 0),
            payable_fen=payable.get(region, 0),
            reference=reference_of(province, month, region),
        )
        for region in sorted({*receivable, *payable})
    )


def window_of(books: Books, province: str, month: int) -> Window:
    """The window, open where nothing is known of it."""
    return books.get(("net-window", province, month), Window) or Window(province, month)


def keep_window(books: Books, window: Window) -> None:
    """Keeps what has become of a window."""
    books.put(("net-window", window.province, window.month), window)


def totals_of(books: Books, province: str, month: int) -> list[Total]:
    """The totals of all corridors in a window, in their order."""
    corridors = books.get(("net-totals", province, month), tuple) or ()
    found = [books.get(("net-total", province, month, o, d), Total) for o, d in corridors]
    return [total for total in found if total]


def keep_total(books: Books, total: Total) -> None:
    """Keeps what has become of a corridor in a window."""
    key = ("net-total", total.province, total.month, total.origin, total.destination)
    books.put(key, total)
