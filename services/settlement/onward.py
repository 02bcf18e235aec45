"""Money that comes after its account was released goes on to where the person went.

A→B→C: what B credits by A→B, once C has asked B, is owed to C. Only along a transfer opened later
than what credits, or A→B→A would never end.
"""

from datetime import datetime

from services.settlement import ledger
from services.settlement.books import Books
from services.settlement.states import Claim, Holder, Release
from shared.decision import replace
from shared.messages.settlement import FundsCorrected, PaidOut


def later_release(books: Books, holder: Holder, after: datetime | None) -> Release | None:
    """The first release of the region that was opened after `after` (any, if that is None).

    One that was reversed takes nothing along any more.
    """
    for release in books.releases(holder.person, holder.region):
        if not release.restorations and (after is None or release.opened_at > after):
            return release
    return None


def release_after(books: Books, claim: Claim) -> Release | None:
    """The first release that takes along what `claim` credits."""
    return _after(books, claim)


def _after(books: Books, side: Claim | Release) -> Release | None:
    for release in books.releases(side.person, side.region):
        later = (release.opened_at, release.transfer) > (side.opened_at, side.transfer)
        if later and not release.restorations:
            return release
    return None


def leaves(books: Books, holder: Holder, *, after: datetime | None) -> bool:
    """Whether what is credited at `holder` goes on: a later transfer has left, or to heirs."""
    return holder.deceased or later_release(books, holder, after) is not None


def send_on(
    books: Books,
    holder: Holder,
    amount_fen: int,
    interest_fen: int = 0,
    *,
    after: datetime | None,
) -> None:
    """Moves on what was credited at `holder` just now, if a later transfer has left;
    `interest_fen` of it is interest.
    """
    if amount_fen <= 0 or holder.held_on(books.today):
        return
    release = later_release(books, holder, after)
    if release is not None:
        release = replace(release, corrected_fen=release.corrected_fen + interest_fen)
        add(books, release, amount_fen, interest_fen=interest_fen)
    elif holder.deceased:
        _to_heirs(books, holder, amount_fen, interest_fen)


def send_on_claim(books: Books, claim: Claim, amount_fen: int, unfunded_fen: int) -> None:
    """Moves on what `claim` credited just now, if a later transfer has left."""
    _go_on(books, claim, amount_fen, unfunded_fen)


def go_on_from(books: Books, release: Release, amount_fen: int) -> None:
    """Moves on what came back to O from `release` just now, if a later transfer has left."""
    _go_on(books, release, amount_fen, 0)


def _go_on(books: Books, side: Claim | Release, amount_fen: int, unfunded_fen: int) -> None:
    holder = books.holder(side.person, side.region)
    if amount_fen <= 0 or holder.held_on(books.today):
        return
    release = _after(books, side)
    if release is not None:
        add(books, release, amount_fen, unfunded_fen)
        return
    if holder.deceased:
        _to_heirs(books, holder, amount_fen)


def add(
    books: Books, release: Release, amount_fen: int, unfunded_fen: int = 0, interest_fen: int = 0
) -> None:
    """Releases `amount_fen` more, `interest_fen` of it interest: the next version of it."""
    version = release.version + 1
    grown = replace(release, version=version, released_fen=release.released_fen + amount_fen)
    parts = amount_fen - interest_fen, interest_fen
    if release.paid_out:
        grown = replace(grown, paid_out_fen=release.paid_out_fen + amount_fen)
        postings, kind = ledger.paid_out(*parts), "payout"
    else:
        grown = replace(
            grown,
            payable_fen=release.payable_fen + amount_fen,
            unfunded_fen=release.unfunded_fen + unfunded_fen,
        )
        postings, kind = ledger.released(release.destination, *parts), "release"
    books.keep_release(grown)
    books.post(
        kind,
        release.region,
        postings,
        person=release.person,
        subject=release.transfer,
        version=version,
        transfer=release.transfer,
    )
    if release.paid_out:
        books.say(_paid_out(grown, amount_fen))
    else:
        books.say(announce(books, grown, amount_fen, interest_fen))


def announce(
    books: Books, release: Release, delta_fen: int, interest_fen: int = 0
) -> FundsCorrected:
    """What O says when it owes more, or less, than it said before."""
    return FundsCorrected(
        to=release.destination,
        person=release.person,
        transfer=release.transfer,
        origin=release.region,
        version=release.version,
        delta_fen=delta_fen,
        interest_fen=interest_fen,
        released_on=books.today,
    )


def _paid_out(release: Release, amount_fen: int) -> PaidOut:
    return PaidOut(
        to=release.destination,
        person=release.person,
        transfer=release.transfer,
        region=release.region,
        amount_fen=amount_fen,
        reason="no-account-at-destination",
        total_fen=release.paid_out_fen,
    )


def _to_heirs(books: Books, holder: Holder, amount_fen: int, interest_fen: int = 0) -> None:
    books.post(
        "payout",
        holder.region,
        ledger.paid_out(amount_fen - interest_fen, interest_fen),
        person=holder.person,
        subject=books.cause,
    )
    books.say(
        PaidOut(
            to=holder.region,
            person=holder.person,
            region=holder.region,
            amount_fen=amount_fen,
            reason="deceased",
        )
    )
