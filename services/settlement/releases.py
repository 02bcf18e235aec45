"""O's side: the personal account is emptied, and owed to D or paid out."""

from uuid import UUID

from services.settlement import freezing, ledger
from services.settlement.books import Books
from services.settlement.compensation.recovering import recover_from_credit
from services.settlement.earning import earn
from services.settlement.exposure import opened
from services.settlement.states import Claim, Release
from shared.decision import Unexpected, replace
from shared.messages.settlement import (
    AdvanceCredited,
    FundsReleased,
    NothingToRelease,
    PaidOut,
    PayOut,
    ReleaseFunds,
)


def release_funds(books: Books, m: ReleaseFunds) -> None:
    """Empties the account, once per transfer; asked again, it answers the same."""
    if m.destination == m.to:
        raise Unexpected("same_region", "a region does not release to itself")
    if freezing.withheld(books, m):
        return
    if (known := books.release(m.person, m.transfer)) is not None:
        _answer(books, known)
        return
    release = _asked(books, m, m.transfer, m.destination)
    interest_fen = earn(books, m.person, m.to, m.transfer, m.transfer)
    for claim in _going_along(books, release):
        _advance_for_release(books, claim)
        recover_from_credit(books, m.person, m.to, claim.awaiting_fen)
    balance_fen = books.holder(m.person, m.to).balance_fen
    if balance_fen:
        unfunded_fen = sum(claim.open_fen for claim in _going_along(books, release))
        release = replace(
            release,
            version=1,
            principal_fen=balance_fen - interest_fen,
            interest_fen=interest_fen,
            unfunded_fen=min(unfunded_fen, balance_fen),
            released_fen=balance_fen,
            payable_fen=balance_fen,
        )
        books.post(
            "release",
            m.to,
            ledger.released(m.destination, balance_fen - interest_fen, interest_fen),
            person=m.person,
            subject=m.transfer,
            version=1,
            transfer=m.transfer,
        )
    else:
        release = replace(release, code=_why_nothing(books, m.person, m.to))
    books.keep_release(release)
    _answer(books, release)


def pay_out(books: Books, m: PayOut) -> None:
    """Pays the account to the person (D has no account for it) or to the heirs."""
    if m.transfer is None:
        _pay_heirs(books, m)
        return
    if freezing.withheld(books, m):
        return
    known = books.release(m.person, m.transfer)
    if known is not None:
        _answer(books, known)
        return
    release = _asked(books, m, m.transfer, m.destination or m.to)
    release = replace(release, paid_out=True)
    interest_fen = earn(books, m.person, m.to, m.transfer, m.transfer)
    balance_fen = books.holder(m.person, m.to).balance_fen
    if balance_fen:
        release = replace(
            release,
            version=1,
            principal_fen=balance_fen - interest_fen,
            interest_fen=interest_fen,
            released_fen=balance_fen,
            paid_out_fen=balance_fen,
        )
        books.post(
            "payout",
            m.to,
            ledger.paid_out(balance_fen - interest_fen, interest_fen),
            person=m.person,
            subject=m.transfer,
            version=1,
            transfer=m.transfer,
        )
    else:
        release = replace(release, code=_why_nothing(books, m.person, m.to))
    books.keep_release(release)
    _answer(books, release)


def _asked(
    books: Books,
    m: ReleaseFunds | PayOut,
    transfer: UUID,
    destination: str,
) -> Release:
    return Release(
        person=m.person,
        transfer=transfer,
        region=m.to,
        destination=destination,
        opened_at=m.opened_at or books.at,
        released_on=books.today,
    )


def _going_along(books: Books, release: Release) -> list[Claim]:
    opened = (release.opened_at, release.transfer)
    claims = books.claims(release.person, release.region)
    return [claim for claim in claims if (claim.opened_at, claim.transfer) < opened]


def _why_nothing(books: Books, person: str, region: str) -> str:
    return "zero_balance" if books.holder(person, region).account else "no_account"


def _advance_for_release(books: Books, claim: Claim) -> None:
    """What is awaited becomes an advance, without regard to the limit: it leaves at once, so
    that nothing of it becomes spendable here.
    """
    if not claim.awaiting_fen:
        return
    amount_fen = claim.awaiting_fen
    credited = replace(
        claim,
        credited_fen=claim.credited_fen + amount_fen,
        awaiting_fen=0,
        open_fen=claim.open_fen + amount_fen,
        declined=None,
        declined_at=None,
    )
    books.keep_claim(credited)
    books.forget_declined(claim)
    corridor = books.corridor(claim.origin, claim.region)
    books.keep_corridor(opened(corridor, claim.open_fen, credited.open_fen))
    books.post(
        "advance-onward",
        claim.region,
        ledger.advanced(claim.origin, 0, amount_fen),
        person=claim.person,
        subject=f"{claim.transfer}/{claim.ever_credited_fen}",
        transfer=claim.transfer,
    )
    books.say(
        AdvanceCredited(
            to=claim.region,
            person=claim.person,
            transfer=claim.transfer,
            origin=claim.origin,
            version=max(claim.versions),
            amount_fen=amount_fen,
            credited_fen=credited.credited_fen,
            open_fen=credited.open_fen,
            moved_on=True,
        )
    )


def _pay_heirs(books: Books, m: PayOut) -> None:
    books.keep_holder(replace(books.holder(m.person, m.to), deceased=True))
    freezing.end_freeze(books, m)
    if books.holder(m.person, m.to).held_on(books.today):
        return
    subject = m.record or books.cause
    interest_fen = earn(books, m.person, m.to, subject)
    holder = books.holder(m.person, m.to)
    if not holder.balance_fen:
        return
    books.post(
        "payout",
        m.to,
        ledger.paid_out(holder.balance_fen - interest_fen, interest_fen),
        person=m.person,
        subject=subject,
    )
    books.say(
        PaidOut(
            to=m.to,
            person=m.person,
            region=m.to,
            amount_fen=holder.balance_fen,
            reason=m.reason,
        )
    )


def _answer(books: Books, release: Release) -> None:
    if release.code is not None:
        books.say(
            NothingToRelease(
                to=release.destination,
                person=release.person,
                transfer=release.transfer,
                origin=release.region,
                code=release.code,
            )
        )
    elif release.paid_out:
        books.say(
            PaidOut(
                to=release.destination,
                person=release.person,
                transfer=release.transfer,
                region=release.region,
                amount_fen=release.principal_fen + release.interest_fen,
                reason="no-account-at-destination",
                total_fen=release.paid_out_fen,
            )
        )
    else:
        books.say(
            FundsReleased(
                to=release.destination,
                person=release.person,
                transfer=release.transfer,
                origin=release.region,
                version=1,
                principal_fen=release.principal_fen,
                interest_fen=release.interest_fen,
                unfunded_fen=release.unfunded_fen,
                released_on=release.released_on,
            )
        )
