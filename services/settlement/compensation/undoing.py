"""A match is undone by two people: the receipt waits for its owner again, and O's debt is open."""

from services.settlement import shares
from services.settlement.books import Books
from services.settlement.compensation import postings
from services.settlement.compensation.returning import reopen
from services.settlement.compensation.telling import claim_of, decline, done, tell
from services.settlement.funding import ask
from services.settlement.people import items
from services.settlement.receipts import facts_of, item_of
from services.settlement.reconciliation import UNDONE
from services.settlement.states import Claim, Part
from shared.decision import replace
from shared.messages.settlement_compensation import MatchUndone, UndoMatch


def undo_match(books: Books, m: UndoMatch) -> None:
    """All that a payment has paid of a claim, by new entries; what it credited stays credited."""
    claim = claim_of(books, m)
    part = books.part(m.receipt, m.part)
    here = part is not None and part.region == m.to and m.transfer in part.transfers
    share = shares.share_of(part, claim) if part and here else None
    if part is None or share is None or part.rule == "recovery":
        decline(books, m, "unknown_receipt")
        return
    applied_fen, excess_fen = share
    matched_fen = min(claim.matched_fen, applied_fen)
    back_fen = applied_fen - matched_fen
    if not applied_fen + excess_fen or back_fen > claim.back_payable_fen:
        decline(books, m, "nothing_matched" if not applied_fen else "paid_back")
        return
    reopened = reopen(books, claim, matched_fen, back_fen, excess_fen)
    books.post(
        "undo-match",
        claim.region,
        postings.unmatched(claim.origin, matched_fen, back_fen),
        person=claim.person,
        subject=f"{part.receipt}/{part.part}/{books.cause}",
        transfer=claim.transfer,
    )
    _waits_again(books, m, part, claim, applied_fen)
    tell(books, MatchUndone, reopened, matched_fen, receipt=m.receipt, part=m.part)
    done(books, m)
    _short(books, reopened)


def _waits_again(books: Books, m: UndoMatch, part: Part, claim: Claim, applied_fen: int) -> None:
    """In suspense, and on somebody's list: what people took apart no rule puts together again."""
    left = shares.without(part, claim)
    undone = {
        "transfer": str(m.transfer),
        "by": [m.proposed_by, m.approved_by],
        "reason": m.reason,
        "why": m.why,
    }
    left = replace(
        left,
        applied_fen=part.applied_fen - applied_fen,
        verdict=part.verdict if left.transfers else "unknown",
        rule=part.rule if left.transfers else UNDONE,
        evidence={**(left.evidence or {}), "undone": [*shares.undone(part), undone]},
    )
    books.keep_part(left)
    about = item_of(m.account, left)
    items.settle(books, about.item, UNDONE)
    items.open_item(books, about, left.rest_fen, facts_of(left))


def _short(books: Books, claim: Claim) -> None:
    """Where other receipts have paid a part, the rest is somebody's to settle; else O just owes."""
    if claim.matched_fen:
        ask(books, claim)
        return
    about = items.Subject("shortfall", claim.region, claim.person, str(claim.transfer))
    items.settle(books, about.item, UNDONE)
