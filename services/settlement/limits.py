"""A corridor is suspended while its origin does not pay, and resumed when it does, by the clock
and by receipts; or two people decide, and change its limits.
"""

from datetime import timedelta
from typing import Literal

from services.settlement import exposure
from services.settlement.books import Books
from services.settlement.exposure import BY_HAND, Look
from services.settlement.people import items
from services.settlement.people.states import item_id
from services.settlement.states import Corridor
from shared.decision import Unexpected, replace
from shared.messages import ByTwo
from shared.messages.settlement_limits import (
    ChangeLimit,
    CorridorResumed,
    CorridorSuspended,
    LimitChanged,
    ResumeCorridor,
    ReviewCorridor,
    SuspendCorridor,
    Suspension,
)


def review_corridor(books: Books, m: ReviewCorridor) -> None:
    """Looks how old what is open is: suspends, resumes, and offers again what was declined."""
    _reconsider(books, books.corridor(m.origin, m.to))
    _review(books, books.corridor(m.origin, m.to))


def change_limit(books: Books, m: ChangeLimit) -> None:
    """What two people set holds from now; the exposure may lie above a lower limit for a while."""
    _decided(books, m)
    given = {"open_fen": m.open_fen, "single_fen": m.single_fen, "age_days": m.age_days}
    if any(value is not None and value < 0 for value in given.values()):
        raise Unexpected("bad_amount", "a limit is not below zero")
    corridor = replace(
        books.corridor(m.origin, m.to),
        changed_on=books.today,
        changed_open_fen=m.open_fen,
        changed_single_fen=m.single_fen,
        changed_age_days=m.age_days,
    )
    books.record(corridor, "limit-changed", m.reason, {**given, **_people(m)})
    books.say(
        LimitChanged(
            to=m.to,
            origin=m.origin,
            open_fen=m.open_fen,
            single_fen=m.single_fen,
            age_days=m.age_days,
            proposed_by=m.proposed_by,
            approved_by=m.approved_by,
            reason=m.reason,
        )
    )
    books.keep_corridor(corridor)
    _reconsider(books, corridor)
    _review(books, books.corridor(m.origin, m.to))


def _reconsider(books: Books, corridor: Corridor) -> None:
    """Whose advance was too large, and is not any more, waits with those whom the corridor's limit
    kept waiting: since when it was declined.
    """
    single_fen = books.limits(corridor.origin, corridor.destination).single_fen
    for claim in books.too_large(corridor.origin, corridor.destination):
        if claim.open_fen + claim.awaiting_fen <= single_fen:
            books.queue(claim)


def suspend_corridor(books: Books, m: SuspendCorridor) -> None:
    """Stops advances until two people resume them; a suspension by the clock becomes theirs."""
    _decided(books, m)
    corridor = books.corridor(m.origin, m.to)
    if corridor.suspended != BY_HAND:
        _suspend(books, corridor, BY_HAND, _look(books, corridor), m)
        _review(books, books.corridor(m.origin, m.to))


def resume_corridor(books: Books, m: ResumeCorridor) -> None:
    """Advances are made again, whatever is overdue: what is so now is excused."""
    _decided(books, m)
    corridor = books.corridor(m.origin, m.to)
    if corridor.suspended is None:
        return
    limits = books.limits(m.origin, m.to)
    days = [a.announced_on for a in books.ages(m.origin, m.to)]
    late = [d for d in days if limits.overdue(d, books.today) or limits.over_age(d, books.today)]
    if late:
        corridor = replace(corridor, excused_before=late[-1] + timedelta(days=1))
    _resume(books, corridor, "by_hand", _look(books, corridor), m)
    _review(books, books.corridor(m.origin, m.to))


def _decided(books: Books, m: ChangeLimit | SuspendCorridor | ResumeCorridor) -> None:
    """Raises Unexpected for what one person decides; the item that two decided on is settled."""
    items.need_two(m)
    items.settle_approved(books, item_id("limit", m.to, m.origin), m.type)


def _people(m: ByTwo | None) -> dict[str, str]:
    if m is None:
        return {}
    return {
        "proposed_by": m.proposed_by,
        "approved_by": m.approved_by,
        "reason": m.reason,
        "why": m.why,
    }


def _look(books: Books, corridor: Corridor) -> Look:
    limits = books.limits(corridor.origin, corridor.destination)
    ages = books.ages(corridor.origin, corridor.destination)
    return exposure.look(corridor, limits, ages, books.today)


def _review(books: Books, corridor: Corridor) -> None:
    look = _look(books, corridor)
    corridor = replace(
        corridor, oldest_on=look.oldest_on, reviewed_on=books.today, review_asked=False
    )
    if look.code is None and corridor.suspended not in {None, BY_HAND}:
        corridor = replace(corridor, well_since=corridor.well_since or books.today)
    elif look.code is not None:
        corridor = replace(corridor, well_since=None)
    limits = books.limits(corridor.origin, corridor.destination)
    books.keep_corridor(corridor)
    if look.code is not None and corridor.suspended is None:
        _suspend(books, corridor, look.code, look)
    elif exposure.well(corridor, limits, books.today):
        _resume(books, corridor, "paid", look)
    corridor = books.corridor(corridor.origin, corridor.destination)
    ages = books.ages(corridor.origin, corridor.destination)
    due_on = exposure.next_review(corridor, limits, ages, books.today)
    if books.too_large(corridor.origin, corridor.destination):
        # A row of the policy may let them be advanced, any day.
        tomorrow = exposure.next_day(limits, books.today)
        due_on = min(due_on or tomorrow, tomorrow)
    if due_on != corridor.review_on:
        corridor = books.remind_review(corridor, due_on)
        books.keep_corridor(corridor)
    books.offer_again(corridor)


def _suspend(
    books: Books, corridor: Corridor, code: Suspension, look: Look, m: ByTwo | None = None
) -> None:
    corridor = replace(corridor, suspended=code, suspended_at=books.at, well_since=None)
    books.keep_corridor(corridor)
    books.record(corridor, "suspended", code, {**_grounds(corridor, look), **_people(m)})
    books.say(
        CorridorSuspended(
            to=corridor.destination,
            origin=corridor.origin,
            code=code,
            open_fen=corridor.open_fen,
            overdue_fen=look.overdue_fen,
            oldest_on=look.oldest_on,
            proposed_by=m.proposed_by if m else "",
            approved_by=m.approved_by if m else "",
            reason=m.reason if m else "",
        )
    )


def _resume(
    books: Books,
    corridor: Corridor,
    code: Literal["paid", "by_hand"],
    look: Look,
    m: ByTwo | None = None,
) -> None:
    corridor = replace(corridor, suspended=None, suspended_at=None, well_since=None)
    books.keep_corridor(corridor)
    books.record(corridor, "resumed", code, {**_grounds(corridor, look), **_people(m)})
    books.say(
        CorridorResumed(
            to=corridor.destination,
            origin=corridor.origin,
            code=code,
            open_fen=corridor.open_fen,
            overdue_fen=look.overdue_fen,
            proposed_by=m.proposed_by if m else "",
            approved_by=m.approved_by if m else "",
            reason=m.reason if m else "",
        )
    )


def _grounds(corridor: Corridor, look: Look) -> dict[str, object]:
    return {
        "open_fen": corridor.open_fen,
        "overdue_fen": look.overdue_fen,
        "oldest_on": look.oldest_on and look.oldest_on.isoformat(),
    }
