"""What the books say when a claim was compensated, or could not be."""

from typing import TypeVar
from uuid import UUID

from services.settlement.books import Books
from services.settlement.people import items
from services.settlement.people.acts import ACTS
from services.settlement.people.states import item_id
from services.settlement.states import Claim
from shared.decision import Unexpected
from shared.messages import ByTwo
from shared.messages.settlement_compensation import (
    ActDeclined,
    AdjustAdvance,
    ClaimChanged,
    Recover,
    ReturnReceipt,
    ReverseAdvance,
    TakeBackReceipt,
    UndoMatch,
    Waive,
    WriteOff,
)
from shared.messages.settlement_interest import CorrectInterest

OfClaim = (
    AdjustAdvance
    | ReverseAdvance
    | WriteOff
    | Waive
    | Recover
    | ReturnReceipt
    | TakeBackReceipt
    | UndoMatch
)
Decided = OfClaim | CorrectInterest
Kind = TypeVar("Kind", bound=ClaimChanged)


def claim_of(books: Books, m: OfClaim) -> Claim:
    """The claim that a command is about. Raises Unexpected where nothing was ever announced, and
    for what moves money by the will of one person alone.
    """
    if isinstance(m, ByTwo):
        items.need_two(m)
    claim = books.claim(m.person, m.transfer)
    if claim is None or (claim.region, claim.origin) != (m.to, m.origin):
        raise Unexpected("unknown_transfer", "nothing was announced for this transfer here")
    return claim


def tell(books: Books, kind: type[Kind], claim: Claim, amount_fen: int, **others: object) -> None:
    """Says what has become of a claim."""
    facts = {
        "to": claim.region,
        "person": claim.person,
        "transfer": claim.transfer,
        "origin": claim.origin,
        "amount_fen": amount_fen,
        "credited_fen": claim.credited_fen,
        "awaiting_fen": claim.awaiting_fen,
        "matched_fen": claim.matched_fen,
        "open_fen": claim.open_fen,
        "excess_fen": claim.excess_fen,
        "undue_fen": claim.undue_fen,
        "recoverable_fen": claim.recoverable_fen,
        "recovered_fen": claim.recovered_fen,
        "lost_fen": claim.lost_fen,
        "written_off_fen": claim.lost_fen + claim.excused_fen,
        "sent_back_fen": claim.sent_back_fen,
    }
    books.say(kind.model_validate({**facts, **others}))
    _ask(books, claim)


def _ask(books: Books, claim: Claim) -> None:
    """What the person owes is somebody's to recover; what is settled waits for nobody."""
    about = claim.region, claim.person, str(claim.transfer)
    facts = {"transfer": str(claim.transfer), "origin": claim.origin}
    owed = items.Subject("recovery", *about)
    if claim.recoverable_fen:
        items.open_item(books, owed, claim.recoverable_fen, facts)
    else:
        items.settle(books, owed.item, "settled")
    if not claim.unpaid_fen:
        items.settle(books, items.Subject("shortfall", *about).item, "settled")
    if not claim.excess_fen:
        items.settle(books, items.Subject("excess", *about).item, "settled")


def done(books: Books, m: Decided) -> None:
    """What two people decided is done: nothing is left of the item that they decided."""
    for item in _items(m):
        items.settle_approved(books, item, type(m).type)


def _items(m: Decided) -> list[UUID]:
    act = ACTS[type(m).type]
    return [item_id(queue, m.to, act.subject_of(m)) for queue in (act.queue, *act.on)]


def decline(books: Books, m: Decided, code: str) -> None:
    """Says that what two people decided changes nothing any more."""
    for item in _items(m) if type(m).type in ACTS else ():
        items.give_back(books, item, code)
    books.say(
        ActDeclined(to=m.to, person=m.person, transfer=m.transfer, act=type(m).type, code=code)
    )
