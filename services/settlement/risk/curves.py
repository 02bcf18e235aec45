"""How long money takes to come, and how much of it never does: survival curves. PURE.

Kaplan-Meier counts what is still open for as long as it has been open. How sure a curve is shows
by drawing it again from weeks of the history taken at random (a week, not a claim: an origin pays
in lumps). A short history borrows from corridors of the same distance.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import CensoredData, ecdf

from services.settlement.risk.history import NEVER, Case, Floats, Ints, Pieces, pieces

HORIZON = 250
"""Working days, about a year: what has not come by then counts as not coming."""

ENOUGH = 50
"""So many claims, of one's own or borrowed, before anything is said."""

BORROWED = 50
"""What other corridors say counts as much as so many claims of one's own."""

OWN_ALONE = 500
"""From so many claims on nothing is borrowed."""

MATURE = 60
"""Working days after which what is missing tells of what will never come."""


ENOUGH_MATURE = 20
"""So many claims of that age before anything is said about losses."""


class Basis(NamedTuple):
    """What curves are drawn from."""

    own: Pieces
    borrowed: Pieces | None
    claims: int
    reach: int
    """The age in working days of the oldest claim."""
    mature: int
    """Claims that are old enough to tell of losses."""


def basis(own: Sequence[Case], others: Sequence[Case]) -> Basis | None:
    """What there is to draw from; None where it is not enough to say anything."""
    lent = list(others) if len(own) < OWN_ALONE else []
    counted = [*own, *lent]
    settled = sum(bool(case.paid) for case in counted)
    if settled < ENOUGH or not own:
        return None
    return Basis(
        own=pieces(own),
        borrowed=pieces(lent) if lent else None,
        claims=len(own),
        reach=max(-case.day for case in counted),
        mature=sum(case.day <= -MATURE for case in own) + min(BORROWED, _mature(lent)),
    )


def _mature(found: Sequence[Case]) -> int:
    return sum(case.day <= -MATURE for case in found)


def curve(ages: Ints, arrived: NDArray[np.bool_]) -> Floats:
    """The share that is still missing after 0, 1, … HORIZON working days."""
    if not arrived.any():
        return np.ones(HORIZON + 1)
    data = CensoredData(uncensored=ages[arrived], right=ages[~arrived])
    found: Floats = ecdf(data).sf.evaluate(np.arange(HORIZON + 1))
    return np.clip(found, 0.0, 1.0)


def drawn(known: Basis, count: int, rng: np.random.Generator) -> list[Floats]:
    """Curves as they might have been, had the weeks of the history fallen otherwise."""
    weeks = _weeks(known.own.week)
    best = curve(*_sample(known, np.arange(len(known.own)), rng))
    lost = float(best[-1]) * known.mature
    found = []
    for _ in range(count):
        chosen = rng.integers(len(weeks), size=len(weeks))
        which = np.concatenate([weeks[week] for week in chosen])
        one = curve(*_sample(known, which, rng))
        # Few are lost, so that the weeks may show none: the share itself is uncertain as well.
        share = rng.beta(lost + 0.5, known.mature - lost + 0.5)
        found.append(_with_lost(one, share))
    return found


def _weeks(week: Ints) -> list[Ints]:
    order = np.argsort(week, kind="stable").astype(np.int64)
    cuts = np.flatnonzero(np.diff(week[order])) + 1
    return list(np.split(order, cuts))


def _sample(known: Basis, which: Ints, rng: np.random.Generator) -> tuple[Ints, NDArray[np.bool_]]:
    ages, arrived = known.own.of(which, rng)
    if known.borrowed is None:
        return ages, arrived
    lent = rng.integers(len(known.borrowed), size=BORROWED)
    more_ages, more_arrived = known.borrowed.of(lent, rng)
    return np.concatenate([ages, more_ages]), np.concatenate([arrived, more_arrived])


def _with_lost(one: Floats, share: float) -> Floats:
    """The curve with another share that never comes, the rest as it was."""
    lost = one[-1]
    if lost >= 1.0:
        return one
    scaled: Floats = share + (1.0 - share) * (one - lost) / (1.0 - lost)
    return scaled


def delays(one: Floats, ages: Ints, rng: np.random.Generator) -> Ints:
    """In how many working days from now money of these ages comes; NEVER, or 1 at least. What is
    announced tomorrow has the age -1.
    """
    left = np.where(ages < 0, 1.0, one[np.clip(ages, 0, HORIZON)])
    level = left * rng.random(len(ages))
    came = np.searchsorted(-one, -level, side="left").astype(np.int64)
    gone = (came > HORIZON) | (came <= ages)
    return np.where(gone, NEVER, came - ages)
