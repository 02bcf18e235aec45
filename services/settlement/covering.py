"""One payment without a list: which open claims of its payer it may be for. Only ever a proposal.

Sums of claims meet in the middle: half of them added to the other half. A set is told only where
no other set covers the amount as well; more claims than `MOST` are not looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from uuid import UUID

MOST = 24
"""So many open claims of a payer at most: 2 × 4,096 sums."""


def covering(amounts: Mapping[UUID, int], total_fen: int) -> tuple[UUID, ...] | None:
    """The one set of two claims or more whose amounts add up to the total; None where there is
    none, more than one, or too many claims to be sure.
    """
    claims = sorted(amounts, key=lambda claim: (amounts[claim], claim))
    claims = [claim for claim in claims if 0 < amounts[claim] <= total_fen]
    if not 2 <= len(claims) <= MOST:
        return None
    half = len(claims) // 2
    sums: dict[int, list[tuple[UUID, ...]]] = {}
    for chosen, fen in _subsets(claims[:half], amounts):
        # Two of one sum are enough to know that it is not the only one.
        sums.setdefault(fen, []).append(chosen)
    found: list[tuple[UUID, ...]] = []
    for chosen, fen in _subsets(claims[half:], amounts):
        found += [(*first, *chosen) for first in sums.get(total_fen - fen, ())[:2]]
        if len(found) > 1:
            return None
    return found[0] if found and len(found[0]) > 1 else None


def _subsets(
    claims: Sequence[UUID], amounts: Mapping[UUID, int]
) -> Iterator[tuple[tuple[UUID, ...], int]]:
    for size in range(len(claims) + 1):
        for chosen in combinations(claims, size):
            yield chosen, sum(amounts[claim] for claim in chosen)
