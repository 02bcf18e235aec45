"""A receipt makes an advance real (做实), or credits what nothing was advanced for."""

from uuid import UUID

from services.settlement import ledger, shares
from services.settlement.books import Books
from services.settlement.compensation.recovering import recover_from_credit
from services.settlement.exposure import opened
from services.settlement.onward import send_on_claim
from services.settlement.people import items
from services.settlement.reconciliation import MANUAL
from services.settlement.states import Claim, Part
from shared.decision import Unexpected, replace
from shared.messages.settlement import (
    AdvanceFunded,
    Applied,
    ApplyReceipt,
    ExcessFound,
    FundsCredited,
    ShortfallFound,
)

Legs = tuple[int, int, int, int]
"""To the advance, to what was awaited, to what was written off, to what was waived."""


def apply_receipt(books: Books, m: ApplyReceipt) -> None:
    """Applies the smaller of the receipt and the claim; the rest stays in suspense."""
    claim = books.claim(m.person, m.transfer)
    part = books.part(m.receipt, m.part)
    if claim is None or part is None:
        raise Unexpected("unknown_receipt", "no such claim or receipt was ever reserved")
    if part.reserved_fen < m.amount_fen or claim.reserved_fen < m.amount_fen:
        return  # applied before
    legs = legs_of(claim, m.amount_fen)
    to_advance_fen, to_awaited_fen, *_ = legs
    excess_fen = m.amount_fen - sum(legs)
    funded = replace(
        paid_in(books, claim, legs),
        reserved_fen=claim.reserved_fen - m.amount_fen,
        excess_fen=claim.excess_fen + excess_fen,
    )
    books.keep_claim(funded)
    if m.rule == MANUAL or shares.known(part, claim):
        part = shares.kept(part, claim, sum(legs), excess_fen, anew=m.rule == "excess-anew")
    _book(books, part, claim, m.amount_fen, legs)
    came = (sum(legs), to_awaited_fen, excess_fen)
    tell(books, funded, m.receipt, *came, late=m.late)
    ask(books, funded)
    if to_awaited_fen:
        owed_fen = recover_from_credit(books, m.person, m.to, to_awaited_fen)
        send_on_claim(books, funded, to_awaited_fen - owed_fen, 0)
    if to_advance_fen:
        free(books, claim, funded)


def legs_of(claim: Claim, amount_fen: int) -> Legs:
    """What of a payment makes an advance real, credits what was awaited, or makes a loss smaller;
    what is written off before what was waived. The rest has no claim.
    """
    to_advance_fen = min(amount_fen, claim.open_fen)
    left_fen = amount_fen - to_advance_fen
    to_awaited_fen = min(left_fen, claim.awaiting_fen)
    left_fen -= to_awaited_fen
    to_written_fen = min(left_fen, claim.written_off_fen)
    return (
        to_advance_fen,
        to_awaited_fen,
        to_written_fen,
        min(left_fen - to_written_fen, claim.waived_fen),
    )


def paid_in(books: Books, claim: Claim, legs: Legs) -> Claim:
    """The claim after a payment; the advance that is awaited no longer is declined no longer."""
    to_advance_fen, to_awaited_fen, to_written_fen, to_waived_fen = legs
    funded = replace(
        claim,
        credited_fen=claim.credited_fen + to_awaited_fen,
        awaiting_fen=claim.awaiting_fen - to_awaited_fen,
        matched_fen=claim.matched_fen + sum(legs),
        open_fen=claim.open_fen - to_advance_fen,
        written_off_fen=claim.written_off_fen - to_written_fen,
        waived_fen=claim.waived_fen - to_waived_fen,
    )
    if funded.declined and not funded.awaiting_fen:
        books.forget_declined(claim)
        return replace(funded, declined=None, declined_at=None)
    return funded


def _book(
    books: Books,
    part: Part,
    claim: Claim,
    amount_fen: int,
    legs: Legs,
) -> None:
    books.post(
        "apply",
        claim.region,
        ledger.applied(claim.origin, *legs),
        person=claim.person,
        subject=_times(part),
        transfer=claim.transfer,
    )
    books.keep_part(
        replace(
            part,
            reserved_fen=part.reserved_fen - amount_fen,
            applied_fen=part.applied_fen + sum(legs),
        )
    )


def _times(part: Part) -> str:
    """What names an application of a part: no other has begun at this amount since it was whole."""
    begun = f"{part.receipt}/{part.part}/{part.applied_fen}"
    times = len(shares.undone(part))
    return f"{begun}/{times}" if times else begun


def ask(books: Books, claim: Claim) -> None:
    """What is missing or too much is somebody's to settle, until it is not there any more."""
    subject = str(claim.transfer)
    if not (claim.unpaid_fen or claim.excess_fen or items.known(books, subject)):
        return
    for queue, amount_fen in (("shortfall", claim.unpaid_fen), ("excess", claim.excess_fen)):
        about = items.Subject(queue, claim.region, claim.person, subject)
        if amount_fen:
            facts = {"transfer": str(claim.transfer), "origin": claim.origin}
            items.open_item(books, about, amount_fen, facts)
        else:
            items.settle(books, about.item, "funded" if queue == "shortfall" else "used")


def free(books: Books, before: Claim, after: Claim) -> None:
    """The exposure has shrunk: the oldest declined advances that fit are offered again."""
    corridor = opened(books.corridor(after.origin, after.region), before.open_fen, after.open_fen)
    books.keep_corridor(corridor)
    books.offer_again(corridor)


def tell(
    books: Books,
    claim: Claim,
    receipt: UUID,
    applied_fen: int,
    credited_now_fen: int,
    excess_fen: int,
    *,
    late: bool = False,
) -> None:
    """Says what a receipt, or a net sheet, has funded."""
    found: list[type[Applied]] = []
    if credited_now_fen:
        found.append(FundsCredited)
    elif applied_fen and not claim.unpaid_fen:
        found.append(AdvanceFunded)
    if applied_fen and claim.unpaid_fen:
        found.append(ShortfallFound)
    if excess_fen:
        found.append(ExcessFound)
    for kind in found:
        books.say(
            kind(
                to=claim.region,
                person=claim.person,
                transfer=claim.transfer,
                origin=claim.origin,
                receipt=receipt,
                applied_fen=applied_fen,
                matched_fen=claim.matched_fen,
                credited_fen=claim.credited_fen,
                open_fen=claim.open_fen,
                excess_fen=claim.excess_fen,
                awaiting_fen=claim.awaiting_fen,
                lost_fen=claim.lost_fen,
                late=late,
            )
        )
