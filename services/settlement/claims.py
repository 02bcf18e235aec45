"""D's side: what O announces is advanced (预划), or awaited and offered again."""

from services.settlement import ledger
from services.settlement.books import Books
from services.settlement.compensation.recovering import recover_from_credit
from services.settlement.exposure import WAITING, opened, refusal
from services.settlement.onward import release_after, send_on_claim
from services.settlement.receipts import reserve_waiting
from services.settlement.states import Claim
from shared.decision import Unexpected, replace
from shared.messages.settlement import (
    AdvanceCredited,
    AdvanceDeclined,
    CreditAdvance,
    OfferAgain,
)


def credit_advance(books: Books, m: CreditAdvance) -> None:
    """Credits what O has announced, or remembers it as awaited; once per transfer and version."""
    if m.amount_fen <= 0 or m.origin == m.to:
        raise Unexpected("bad_amount", "an advance is above zero, from another region")
    known = books.claim(m.person, m.transfer)
    if known is not None and m.version in known.versions:
        _answer(books, known, m.version, m.amount_fen)
        return
    claim = known or _announced(books, m)
    if (claim.region, claim.origin) != (m.to, m.origin):
        raise Unexpected("another_corridor", "the transfer's claim is on another corridor")
    claim = replace(
        claim,
        versions=(*claim.versions, m.version),
        announced_fen=claim.announced_fen + m.amount_fen,
        advance=m.advance,
    )
    leaving = release_after(books, claim)
    goes_on = leaving is not None and not leaving.paid_out
    wanted_fen = claim.awaiting_fen + m.amount_fen
    code = None if goes_on else _refusal(books, claim, wanted_fen)
    claim = books.judged(claim, code)
    if code is None:
        _credit(books, claim, m.amount_fen, "advance", str(m.transfer), m.version)
    else:
        _await(books, claim, m.amount_fen, m.version, code)
    claim = books.claim(m.person, m.transfer) or claim
    _answer(books, claim, m.version, wanted_fen if code is None else m.amount_fen)
    owed_fen = recover_from_credit(books, m.person, m.to, wanted_fen) if code is None else 0
    if goes_on:
        send_on_claim(books, claim, wanted_fen - owed_fen, wanted_fen - owed_fen)
    reserve_waiting(books, books.claim(m.person, m.transfer) or claim)


def _announced(books: Books, m: CreditAdvance) -> Claim:
    return Claim(
        person=m.person,
        transfer=m.transfer,
        region=m.to,
        origin=m.origin,
        opened_at=m.opened_at or books.at,
        announced_on=books.today,
        released_on=m.released_on,
    )


def _refusal(books: Books, claim: Claim, wanted_fen: int) -> str | None:
    holder = books.holder(claim.person, claim.region)
    if holder.deceased:
        return "deceased"
    if not claim.advance:
        return "switched_off"
    if not holder.account:
        return "no_account"
    if release_after(books, claim) is not None:
        return "switched_off"
    corridor = books.corridor(claim.origin, claim.region)
    limits = books.limits(claim.origin, claim.region)
    return refusal(corridor, limits, claim.open_fen, wanted_fen, books.today)


def _credit(
    books: Books, claim: Claim, amount_fen: int, kind: str, subject: str, version: int
) -> None:
    """Credits `amount_fen` that is new, and all that was only awaited."""
    was_awaited_fen = claim.awaiting_fen
    more_fen = amount_fen + was_awaited_fen
    credited = replace(
        claim,
        credited_fen=claim.credited_fen + more_fen,
        awaiting_fen=0,
        open_fen=claim.open_fen + more_fen,
        declined=None,
        declined_at=None,
    )
    corridor = books.corridor(claim.origin, claim.region)
    books.keep_corridor(opened(corridor, claim.open_fen, credited.open_fen))
    books.keep_claim(credited)
    if claim.declined is not None:
        books.forget_declined(claim)
    books.post(
        kind,
        claim.region,
        ledger.advanced(claim.origin, amount_fen, was_awaited_fen),
        person=claim.person,
        subject=subject,
        version=version,
        transfer=claim.transfer,
    )


def _await(books: Books, claim: Claim, amount_fen: int, version: int, code: str) -> None:
    claim = replace(claim, awaiting_fen=claim.awaiting_fen + amount_fen)
    _decline(books, claim, code)
    books.post(
        "announce",
        claim.region,
        ledger.announced(claim.origin, amount_fen),
        person=claim.person,
        subject=claim.transfer,
        version=version,
        transfer=claim.transfer,
    )


def _decline(books: Books, claim: Claim, code: str) -> None:
    claim = replace(claim, declined=code, declined_at=claim.declined_at or books.at)
    books.keep_claim(claim)
    if code in WAITING:
        books.queue(claim)
        return
    books.forget_declined(claim)
    if code == "single_limit":
        books.look_tomorrow(claim.origin, claim.region)


def _answer(books: Books, claim: Claim, version: int, amount_fen: int) -> None:
    if claim.declined is None:
        books.say(
            AdvanceCredited(
                to=claim.region,
                person=claim.person,
                transfer=claim.transfer,
                origin=claim.origin,
                version=version,
                amount_fen=amount_fen,
                credited_fen=claim.credited_fen,
                open_fen=claim.open_fen,
            )
        )
        return
    books.say(
        AdvanceDeclined(
            to=claim.region,
            person=claim.person,
            transfer=claim.transfer,
            origin=claim.origin,
            version=version,
            code=claim.declined,
            awaiting_fen=claim.awaiting_fen,
        )
    )


def offer_again(books: Books, m: OfferAgain) -> None:
    """Credits a declined advance, unless it was funded meanwhile or is still refused."""
    claim = books.claim(m.person, m.transfer)
    if claim is None:
        return
    if not claim.awaiting_fen:
        books.forget_declined(claim)
        return
    code = _refusal(books, claim, claim.awaiting_fen)
    claim = books.judged(claim, code)
    version = max(claim.versions)
    if code is None:
        awaited_fen = claim.awaiting_fen
        subject = f"{claim.transfer}/{claim.ever_credited_fen}"
        _credit(books, claim, 0, "advance-offered", subject, 0)
        claim = books.claim(m.person, m.transfer) or claim
        _answer(books, claim, version, awaited_fen)
        recover_from_credit(books, m.person, m.to, awaited_fen)
    else:
        _decline(books, claim, code)
        if code != claim.declined:
            _answer(books, books.claim(m.person, m.transfer) or claim, version, 0)
    reserve_waiting(books, books.claim(m.person, m.transfer) or claim)
