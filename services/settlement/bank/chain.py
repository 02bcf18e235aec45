"""The statements of an account as one chain: each begins where the one before it ended. PURE.

A gap is not kept, it is seen: it is there as long as the statement that fills it is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Link:
    """A statement with its balances. `number` is the bank's (0: none), `page` within it."""

    statement: str
    closed_on: date
    number: int
    page: int
    opening_fen: int
    closing_fen: int | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two statements that follow each other here. `missing` are the bank's numbers."""

    before: Link
    after: Link
    closed_fen: int
    opened_fen: int
    missing: tuple[int, int] | None

    @property
    def of_money(self) -> bool:
        """Whether entries are missing, and not only a statement without any."""
        return self.closed_fen != self.opened_fen


def gap(before: Link | None, after: Link | None) -> Gap | None:
    """What is missing between two statements, if anything is."""
    if before is None or after is None:
        return None
    closed_fen = before.closing_fen if before.closing_fen is not None else after.opening_fen
    missing = _missing(before, after)
    if closed_fen == after.opening_fen and missing is None:
        return None
    return Gap(before, after, closed_fen, after.opening_fen, missing)


def _missing(before: Link, after: Link) -> tuple[int, int] | None:
    # Banks begin anew with the year.
    if not before.number or not after.number or before.closed_on.year != after.closed_on.year:
        return None
    first, last = before.number + 1, after.number - 1
    return (first, last) if first <= last else None


def gaps(chain: Iterable[Link]) -> list[Gap]:
    """All that is missing in a chain in its order."""
    return [found for one, other in pairwise(chain) if (found := gap(one, other)) is not None]
