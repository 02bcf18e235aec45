"""Receipts that do not stay: an excess is sent back to O, or the bank takes a credit back."""

from services.settlement.books import Books
from services.settlement.compensation import postings
from services.settlement.compensation.telling import claim_of, decline, done, tell
from services.settlement.exposure import opened
from services.settlement.states import Claim, Part
from shared.decision import replace
from shared.messages.settlement_compensation import (
    ReceiptReturned,
    ReceiptTakenBack,
    ReturnReceipt,
    TakeBackReceipt,
)


def return_receipt(books: Books, m: ReturnReceipt) -> None:
    """What came in excess of the claim is owed back to O, and remitted like any payable."""
    claim = claim_of(books, m)
    part = books.part(m.receipt, m.part)
    here = part is not None and part.region == m.to and m.transfer in part.transfers
    if part is None or not here:
        decline(books, m, "unknown_receipt")
        return
    amount_fen = min(part.rest_fen, claim.excess_fen)
    if m.amount_fen is not None:
        amount_fen = min(amount_fen, m.amount_fen)
    if amount_fen <= 0:
        decline(books, m, "nothing_in_excess")
        return
    returned = replace(
        claim,
        excess_fen=claim.excess_fen - amount_fen,
        back_payable_fen=claim.back_payable_fen + amount_fen,
        sent_back_fen=claim.sent_back_fen + amount_fen,
    )
    books.keep_claim(returned)
    books.keep_part(replace(part, returned_fen=part.returned_fen + amount_fen))
    books.post(
        "send-back",
        claim.region,
        postings.sent_back(claim.origin, amount_fen),
        person=claim.person,
        subject=f"{part.receipt}/{part.part}/{part.returned_fen}",
        transfer=claim.transfer,
    )
    tell(books, ReceiptReturned, returned, amount_fen, receipt=m.receipt)
    done(books, m)


def take_back_receipt(books: Books, m: TakeBackReceipt) -> None:
    """The bank took a credit back: what it had funded is open again, and O owes it.

    Where no single receipt explains the debit it stays unexplained, for a person.
    """
    claim = claim_of(books, m)
    part = _taken_part(books, claim, m.amount_fen)
    if part is None:
        decline(books, m, "unknown_receipt")
        return
    excess_fen = min(part.rest_fen, claim.excess_fen, m.amount_fen)
    matched_fen = min(claim.matched_fen, m.amount_fen - excess_fen)
    back_fen = m.amount_fen - excess_fen - matched_fen
    reopened = reopen(books, claim, matched_fen, back_fen, excess_fen)
    books.keep_part(
        replace(
            part,
            applied_fen=part.applied_fen - matched_fen - back_fen,
            returned_fen=part.returned_fen + m.amount_fen,
        )
    )
    books.post(
        "taken-back",
        claim.region,
        postings.credit_taken_back(claim.origin, matched_fen, back_fen, m.amount_fen),
        person=claim.person,
        subject=f"{m.debit}/{m.part}",
        transfer=claim.transfer,
    )
    tell(books, ReceiptTakenBack, reopened, m.amount_fen, debit=m.debit)


def reopen(books: Books, claim: Claim, matched_fen: int, back_fen: int, excess_fen: int) -> Claim:
    """The claim without a payment: what it had funded is open again, what of it was owed back to O
    or was in excess is not any more.
    """
    reopened = replace(
        claim,
        matched_fen=claim.matched_fen - matched_fen,
        open_fen=claim.open_fen + matched_fen,
        excess_fen=claim.excess_fen - excess_fen,
        back_payable_fen=claim.back_payable_fen - back_fen,
    )
    books.keep_claim(reopened)
    corridor = books.corridor(claim.origin, claim.region)
    books.keep_corridor(opened(corridor, claim.open_fen, reopened.open_fen))
    return reopened


def _taken_part(books: Books, claim: Claim, amount_fen: int) -> Part | None:
    """The payment that the bank means: of that amount, else one that is large enough."""

    def enough(part: Part) -> bool:
        excess_fen = min(part.rest_fen, claim.excess_fen, amount_fen)
        applied_fen = amount_fen - excess_fen
        held_fen = claim.matched_fen + claim.back_payable_fen
        return part.applied_fen >= applied_fen <= held_fen

    fitting = [
        part
        for part in books.parts_of(claim.transfer)
        if part.region == claim.region and part.transfers == (claim.transfer,) and enough(part)
    ]
    fitting.sort(key=lambda part: (part.amount_fen != amount_fen, part.receipt, part.part))
    return fitting[0] if fitting else None
