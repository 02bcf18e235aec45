"""What people decide about receipts: whose money one is. No automatic run undoes it."""

from collections.abc import Sequence

from services.settlement.books import Books
from services.settlement.people import items
from services.settlement.people.states import item_id, part_subject
from services.settlement.receipts import facts_of, item_of, tell_claim
from services.settlement.reconciliation import MANUAL, verdict_of
from services.settlement.states import Claim, Part
from services.settlement.verdicts import is_late
from shared.decision import replace
from shared.messages.settlement_people import MatchReceipt


def match_receipt(books: Books, m: MatchReceipt) -> None:
    """Reserves what is left of a part for the claims that two people have named."""
    items.need_two(m)
    item = item_id("receipt", m.to, part_subject(m.receipt, m.part))
    part = books.part(m.receipt, m.part)
    named = dict.fromkeys((m.transfer, *m.others))
    claims = [claim for transfer in named if (claim := books.claimed(transfer))]
    code = _refusal(m, part, claims, len(named))
    if part is None or code is not None:
        items.give_back(books, item, code or "unknown_receipt")
        return
    shares = _shares(m, part, claims)
    reserved_fen = sum(fen for _, fen in shares)
    late = [is_late(books, books.receipt(m.receipt), claim) for claim, _ in shares]
    left = replace(
        part,
        reserved_fen=part.reserved_fen + reserved_fen,
        verdict=verdict_of(reserved_fen, claims[0]) if len(claims) == 1 else "exact",
        rule=MANUAL,
        evidence={
            **(part.evidence or {}),
            "decided_by": [m.proposed_by, m.approved_by],
            "reason": m.reason,
            "why": m.why,
            **({"late": True} if any(late) else {}),
        },
        transfers=tuple(dict.fromkeys((*part.transfers, *named))),
    )
    books.keep_part(left)
    for (claim, fen), is_so in zip(shares, late, strict=True):
        books.keep_claim(replace(claim, reserved_fen=claim.reserved_fen + fen))
        tell_claim(books, part, claim, fen, MANUAL, late=is_so)
    items.settle(books, item, "matched")
    if left.rest_fen:
        items.open_item(books, item_of(m.account, left), left.rest_fen, facts_of(left))


def _shares(m: MatchReceipt, part: Part, claims: Sequence[Claim]) -> list[tuple[Claim, int]]:
    """One claim gets all that is meant; several each what is open of them, while it lasts."""
    left_fen = min(part.rest_fen, m.amount_fen or part.rest_fen)
    if len(claims) == 1:
        return [(claims[0], left_fen)]
    shares = []
    for claim in claims:
        fen = min(left_fen, claim.available_fen)
        left_fen -= fen
        shares += [(claim, fen)] if fen else []
    return shares


def _refusal(m: MatchReceipt, part: Part | None, claims: Sequence[Claim], named: int) -> str | None:
    if part is None or part.region != m.to:
        return "unknown_receipt"
    if len(claims) < named:
        return "unknown_claim"
    if any(claim.region != m.to for claim in claims):
        return "other_region"
    if m.amount_fen is not None and m.amount_fen <= 0:
        return "bad_amount"
    nothing = part.rest_fen <= 0 or (named > 1 and not any(c.available_fen for c in claims))
    return "nothing_left" if nothing else None
