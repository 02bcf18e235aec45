"""D's side: what was credited is taken back, by O's correction down or by a reversal.

First what was only announced, then what is unspent (other money counts as spent first). What a
correction finds spent, the person had no right to and owes (`recoverable`); what a reversal finds
spent was the person's own money and stays claimed from O.
"""

from collections.abc import Iterator

from services.settlement import ledger
from services.settlement.books import Books
from services.settlement.compensation import postings
from services.settlement.compensation.restoring import correct_down
from services.settlement.compensation.telling import claim_of, tell
from services.settlement.exposure import WAITING
from services.settlement.funding import free
from services.settlement.onward import release_after
from services.settlement.states import Claim
from shared.decision import Unexpected, replace
from shared.messages.settlement_compensation import (
    AdjustAdvance,
    AdvanceAdjusted,
    AdvanceReversed,
    ReverseAdvance,
)

Legs = tuple[tuple[str, int], ...]
"""Accounts with what is posted to each."""


def adjust_advance(books: Books, m: AdjustAdvance) -> None:
    """O owes less than it said: takes the difference back, once per version."""
    if m.amount_fen <= 0:
        raise Unexpected("bad_amount", "a correction down takes back more than nothing")
    claim = claim_of(books, m)
    if m.version in claim.versions:
        tell(books, AdvanceAdjusted, claim, m.amount_fen, version=m.version, unspent_fen=0)
        return
    here_fen = min(m.amount_fen, claim.announced_fen)
    # What a reversal has given back already is not taken once more.
    gone_fen = min(m.amount_fen - here_fen, claim.restored_fen)
    claim = replace(
        claim,
        versions=(*claim.versions, m.version),
        restored_fen=claim.restored_fen - gone_fen,
        lowered_fen=claim.lowered_fen + m.amount_fen,
    )
    back_fen = _back_from_next(books, claim, here_fen - claim.awaiting_fen)
    credited_fen = max(0, here_fen - claim.awaiting_fen)
    # What came back only passes through, even where the account is held.
    unspent_fen = min(max(_unspent(books, claim), back_fen), credited_fen)
    taken = _take(books, claim, here_fen, unspent_fen, "adjust", m.version)
    tell(books, AdvanceAdjusted, taken, m.amount_fen, version=m.version, unspent_fen=unspent_fen)


def reverse_advance(books: Books, m: ReverseAdvance) -> None:
    """Takes back what is unspent, once per reversal; O restores it."""
    claim = claim_of(books, m)
    if m.number <= claim.reversals:
        tell(books, AdvanceReversed, claim, claim.restored_fen, number=m.number)
        return
    unspent_fen = 0 if release_after(books, claim) else _unspent(books, claim)
    amount_fen = claim.awaiting_fen + unspent_fen
    claim = replace(
        claim, reversals=m.number, restored_fen=claim.restored_fen + amount_fen, advance=False
    )
    taken = _take(books, claim, amount_fen, unspent_fen, "reverse", m.number)
    tell(books, AdvanceReversed, taken, amount_fen, number=m.number)


def _unspent(books: Books, claim: Claim) -> int:
    """The smaller of what may leave the account and what this transfer has credited."""
    free_fen = books.free_fen(claim.person, claim.region)
    return min(free_fen, claim.credited_fen - claim.undue_fen)


def _back_from_next(books: Books, claim: Claim, wanted_fen: int) -> int:
    """A→B→C: what went on to C is taken back from C first. Gives how much that was."""
    release = release_after(books, claim)
    if release is None or release.paid_out:
        return 0
    missing_fen = wanted_fen - _unspent(books, claim)
    amount_fen = max(0, min(missing_fen, release.owed_fen))
    if amount_fen:
        correct_down(books, release, amount_fen)
    return amount_fen


def _take(
    books: Books, claim: Claim, amount_fen: int, unspent_fen: int, kind: str, version: int
) -> Claim:
    """Takes `amount_fen` back: awaited first, `unspent_fen` of the rest from the account."""
    awaited_fen = min(claim.awaiting_fen, amount_fen)
    credited_fen = amount_fen - awaited_fen
    open_fen, written_fen, waived_fen, back_fen = _sources(claim, credited_fen)
    taken = replace(
        claim,
        announced_fen=claim.announced_fen - amount_fen,
        awaiting_fen=claim.awaiting_fen - awaited_fen,
        credited_fen=claim.credited_fen - unspent_fen,
        undue_fen=claim.undue_fen + credited_fen - unspent_fen,
        open_fen=claim.open_fen - open_fen,
        written_off_fen=claim.written_off_fen - written_fen,
        waived_fen=claim.waived_fen - waived_fen,
        matched_fen=claim.matched_fen - back_fen,
        back_payable_fen=claim.back_payable_fen + back_fen,
    )
    taken = _still_declined(books, taken)
    books.keep_claim(taken)
    against = (
        (ledger.advance(claim.origin), open_fen),
        (ledger.WRITE_OFF, written_fen),
        (ledger.WAIVED, waived_fen),
        (ledger.payable(claim.origin), back_fen),
    )
    books.post(
        kind,
        claim.region,
        _postings(claim.origin, awaited_fen, unspent_fen, against),
        person=claim.person,
        subject=claim.transfer,
        version=version,
        transfer=claim.transfer,
    )
    if open_fen:
        free(books, claim, taken)
    return taken


def _sources(claim: Claim, credited_fen: int) -> tuple[int, int, int, int]:
    """Against what a credit is taken back: what O still owes, what was given up as a loss or was
    waived, and what O has paid and D owes back.
    """
    open_fen = min(claim.open_fen, credited_fen)
    written_fen = min(claim.written_off_fen, credited_fen - open_fen)
    waived_fen = min(claim.waived_fen, credited_fen - open_fen - written_fen)
    return open_fen, written_fen, waived_fen, credited_fen - open_fen - written_fen - waived_fen


def _postings(origin: str, awaited_fen: int, unspent_fen: int, against: Legs) -> ledger.Postings:
    from_account, from_debt = _split(against, unspent_fen)
    return (
        *postings.taken_from_awaiting(origin, awaited_fen),
        *postings.taken_from_person(ledger.PERSONAL, from_account),
        *postings.taken_from_person(ledger.RECOVERABLE, from_debt),
    )


def _still_declined(books: Books, claim: Claim) -> Claim:
    """What waits for the limit waits with what is left of it."""
    if claim.declined is None:
        return claim
    if not claim.awaiting_fen:
        books.forget_declined(claim)
        return replace(claim, declined=None, declined_at=None)
    if claim.declined in WAITING:
        books.queue(claim)
    return claim


def _split(legs: Legs, first_fen: int) -> tuple[Legs, Legs]:
    """The legs up to `first_fen`, and the rest of them."""

    def cut() -> Iterator[tuple[str, int, int]]:
        left_fen = first_fen
        for account, amount_fen in legs:
            taken_fen = min(left_fen, amount_fen)
            left_fen -= taken_fen
            yield account, taken_fen, amount_fen - taken_fen

    cuts = tuple(cut())
    return tuple((a, fen) for a, fen, _ in cuts), tuple((a, fen) for a, _, fen in cuts)
