"""How much a destination has open in advances to one origin, against its limits.

What counts is the open exposure: an advance adds to it, a receipt frees it. When it frees, the
oldest declined advances are offered again.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from services.settlement.states import Corridor, Declined


class Limits(NamedTuple):
    """`open_fen` in all for a corridor, `single_fen` for one person's advance."""

    open_fen: int
    single_fen: int


LimitsOf = Callable[[str, str, date], Limits]
"""The limits of the corridor (origin, destination) on a day; KeyError for an unknown region."""


def refusal(corridor: Corridor, limits: Limits, open_fen: int, amount_fen: int) -> str | None:
    """Why `amount_fen` more is not advanced on a claim of which `open_fen` is open."""
    if open_fen + amount_fen > limits.single_fen:
        return "single_limit"
    if corridor.open_fen + amount_fen > limits.open_fen:
        return "limit_reached"
    return None


def opened(corridor: Corridor, before_fen: int, after_fen: int) -> Corridor:
    """The corridor after the open advance of one of its claims has changed."""
    return replace(
        corridor,
        open_fen=corridor.open_fen + after_fen - before_fen,
        claims=corridor.claims + (after_fen > 0) - (before_fen > 0),
    )


def offers(corridor: Corridor, limits: Limits, waiting: Sequence[Declined]) -> list[Declined]:
    """Which of the declined, oldest first, fit into the room that is left; none jumps the queue."""
    room_fen = limits.open_fen - corridor.open_fen
    chosen: list[Declined] = []
    for declined in waiting:
        if declined.amount_fen > room_fen:
            break
        room_fen -= declined.amount_fen
        chosen.append(declined)
    return chosen
