"""What people decide about receipts: whose money one is. No automatic run undoes it."""

from services.settlement.books import Books
from services.settlement.people import items
from services.settlement.people.states import item_id, part_subject
from services.settlement.receipts import facts_of, item_of, tell_claim
from services.settlement.reconciliation import verdict_of
from services.settlement.states import Claim, Part
from shared.decision import replace
from shared.messages.settlement_people import MatchReceipt

MANUAL = "manual"
"""The rule of a part that people have matched."""


def match_receipt(books: Books, m: MatchReceipt) -> None:
    """Reserves what is left of a part for the claim that two people have named."""
    items.need_two(m)
    part = books.part(m.receipt, m.part)
    claim = books.claimed(m.transfer)
    code = _refusal(m, part, claim)
    item = item_id("receipt", m.to, part_subject(m.receipt, m.part))
    if part is None or claim is None or code is not None:
        items.give_back(books, item, code or "unknown_receipt")
        return
    amount_fen = min(part.rest_fen, m.amount_fen or part.rest_fen)
    left = replace(
        part,
        reserved_fen=part.reserved_fen + amount_fen,
        verdict=verdict_of(amount_fen, claim),
        rule=MANUAL,
        evidence={
            **(part.evidence or {}),
            "decided_by": [m.proposed_by, m.approved_by],
            "reason": m.reason,
            "why": m.why,
        },
        transfers=tuple(dict.fromkeys((*part.transfers, claim.transfer))),
    )
    books.keep_part(left)
    books.keep_claim(replace(claim, reserved_fen=claim.reserved_fen + amount_fen))
    tell_claim(books, part, claim, amount_fen, MANUAL)
    items.settle(books, item, "matched")
    if left.rest_fen:
        items.open_item(books, item_of(m.account, left), left.rest_fen, facts_of(left))


def _refusal(m: MatchReceipt, part: Part | None, claim: Claim | None) -> str | None:
    if part is None or part.region != m.to:
        return "unknown_receipt"
    if claim is None:
        return "unknown_claim"
    if claim.region != m.to:
        return "other_region"
    return None if part.rest_fen > 0 else "nothing_left"
