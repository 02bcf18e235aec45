"""What will not come: written off (the loss is booked) or waived (D forgives O)."""

from services.settlement import ledger
from services.settlement.books import Books
from services.settlement.compensation import postings
from services.settlement.compensation.recovering import recover_from_credit
from services.settlement.compensation.telling import claim_of, decline, done, tell
from services.settlement.funding import free
from services.settlement.onward import send_on_claim
from services.settlement.states import Claim
from shared.decision import replace
from shared.messages.settlement_compensation import (
    BookWaiver,
    Waive,
    Waived,
    WriteOff,
    WrittenOff,
)


def write_off(books: Books, m: WriteOff) -> None:
    """Books a loss, of the claim on O or of what the person owes."""
    claim = claim_of(books, m)
    if m.what == "person":
        _excuse(books, m, claim)
        return
    amount_fen = _given_up(claim, m.amount_fen)
    if amount_fen <= 0:
        decline(books, m, "nothing_open")
        return
    lost = replace(claim, written_off_fen=claim.written_off_fen + amount_fen)
    changed = _give_up(books, claim, lost, amount_fen, ledger.WRITE_OFF)
    tell(books, WrittenOff, changed, amount_fen, what="claim", reason=m.reason)
    done(books, m)
    _credited(books, claim, changed)


def waive(books: Books, m: Waive) -> None:
    """Forgives O what is open, and tells O, which books its side."""
    claim = claim_of(books, m)
    amount_fen = _given_up(claim, m.amount_fen)
    if amount_fen <= 0:
        decline(books, m, "nothing_open")
        return
    lost = replace(claim, waived_fen=claim.waived_fen + amount_fen)
    changed = _give_up(books, claim, lost, amount_fen, ledger.WAIVED)
    tell(books, Waived, changed, amount_fen, reason=m.reason)
    done(books, m)
    books.say(
        BookWaiver(
            to=claim.origin,
            person=claim.person,
            transfer=claim.transfer,
            destination=claim.region,
            amount_fen=amount_fen,
            total_fen=changed.waived_fen,
        )
    )
    _credited(books, claim, changed)


def _given_up(claim: Claim, wanted_fen: int | None) -> int:
    return claim.unpaid_fen if wanted_fen is None else min(wanted_fen, claim.unpaid_fen)


def _give_up(books: Books, before: Claim, lost: Claim, amount_fen: int, contra: str) -> Claim:
    """Of the open advance first; what was only awaited is credited, for the person's right does
    not depend on O's paying.
    """
    open_fen = min(before.open_fen, amount_fen)
    awaited_fen = amount_fen - open_fen
    changed = replace(
        lost,
        open_fen=before.open_fen - open_fen,
        awaiting_fen=before.awaiting_fen - awaited_fen,
        credited_fen=before.credited_fen + awaited_fen,
    )
    if changed.declined and not changed.awaiting_fen:
        changed = replace(changed, declined=None, declined_at=None)
        books.forget_declined(before)
    books.keep_claim(changed)
    lose = postings.written_off if contra == ledger.WRITE_OFF else postings.waived
    account = ledger.advance(before.origin) if contra == ledger.WRITE_OFF else before.origin
    books.post(
        "write-off" if contra == ledger.WRITE_OFF else "waive",
        before.region,
        (*lose(account, open_fen), *postings.given_up(contra, before.origin, awaited_fen)),
        person=before.person,
        subject=f"{before.transfer}/{books.cause}",
        transfer=before.transfer,
    )
    if open_fen:
        free(books, before, changed)
    return changed


def _credited(books: Books, before: Claim, after: Claim) -> None:
    credited_fen = after.credited_fen - before.credited_fen
    if credited_fen:
        owed_fen = recover_from_credit(books, after.person, after.region, credited_fen)
        send_on_claim(books, after, credited_fen - owed_fen, 0)


def _excuse(books: Books, m: WriteOff, claim: Claim) -> None:
    owed_fen = claim.recoverable_fen
    amount_fen = owed_fen if m.amount_fen is None else min(m.amount_fen, owed_fen)
    if amount_fen <= 0:
        decline(books, m, "nothing_to_recover")
        return
    excused = replace(claim, excused_fen=claim.excused_fen + amount_fen)
    books.keep_claim(excused)
    books.post(
        "excuse",
        claim.region,
        postings.written_off(ledger.RECOVERABLE, amount_fen),
        person=claim.person,
        subject=f"{claim.transfer}/{books.cause}",
        transfer=claim.transfer,
    )
    tell(books, WrittenOff, excused, amount_fen, what="person", reason=m.reason)
    done(books, m)
