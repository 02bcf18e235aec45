"""How much of a payment went to which transfer, where people have said so.

What the books match by themselves goes to one transfer whole, so that nothing has to be written
down. PURE.
"""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from services.settlement.states import Claim, Part
from shared.decision import replace

_KEPT = "shares"


def _shares(part: Part) -> dict[UUID, Mapping[str, int]]:
    told = cast("Any", (part.evidence or {}).get(_KEPT, ()))
    return {UUID(share["transfer"]): share for share in told}


def known(part: Part, claim: Claim) -> bool:
    """Whether it is written down how much of the part the claim got."""
    return claim.transfer in _shares(part)


def kept(part: Part, claim: Claim, applied_fen: int, excess_fen: int, *, anew: bool) -> Part:
    """The part, with what of it was applied to a claim and what was too much; `anew`: out of what
    had been too much before.
    """
    shares = _shares(part)
    before = shares.get(claim.transfer, {"applied_fen": 0, "excess_fen": 0})
    used_fen = applied_fen + excess_fen if anew else 0
    shares[claim.transfer] = {
        "applied_fen": before["applied_fen"] + applied_fen,
        "excess_fen": before["excess_fen"] + excess_fen - used_fen,
    }
    return _with(part, shares)


def share_of(part: Part, claim: Claim) -> tuple[int, int] | None:
    """What of the part was applied to a claim, and what is too much of it; None where the books
    have matched several at once and did not write it down.
    """
    shares = _shares(part)
    if claim.transfer in shares:
        share = shares[claim.transfer]
        return share["applied_fen"], min(share["excess_fen"], part.rest_fen, claim.excess_fen)
    alone = [transfer for transfer in part.transfers if transfer not in shares]
    if alone != [claim.transfer]:
        return None
    applied_fen = part.applied_fen - sum(share["applied_fen"] for share in shares.values())
    others_fen = sum(share["excess_fen"] for share in shares.values())
    return applied_fen, min(max(0, part.rest_fen - others_fen), claim.excess_fen)


def without(part: Part, claim: Claim) -> Part:
    """The part without a claim's share."""
    shares = {t: share for t, share in _shares(part).items() if t != claim.transfer}
    left = tuple(transfer for transfer in part.transfers if transfer != claim.transfer)
    return replace(_with(part, shares), transfers=left)


def undone(part: Part) -> list[object]:
    """Which matches of the part were undone, and by whom; it was whole again after each."""
    return list(cast("Any", (part.evidence or {}).get("undone", ())))


def _with(part: Part, shares: Mapping[UUID, Mapping[str, int]]) -> Part:
    told = [{**share, "transfer": str(transfer)} for transfer, share in shares.items()]
    return replace(part, evidence={**(part.evidence or {}), _KEPT: told})
