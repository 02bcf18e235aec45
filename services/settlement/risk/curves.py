"""How long money takes to come, and how much of it never does: survival curves. PURE.

Kaplan-Meier counts what is still open for as long as it has been open. How sure a curve is shows
by drawing it again from weeks of the history taken at random (a week, not a claim: an origin pays
in lumps). A short history borrows from corridors of the same distance, from another one each time,
for they differ; what takes longer than the history is old is as there, or, where nobody knows, as
anything might be.
"""

from collections.abc import Mapping, Sequence
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

LENT = 400
"""So many claims of another corridor tell how it goes on after what one knows oneself."""

HALF_LIVES = (5.0, 60.0)
"""Working days in which half of what still comes may come, where nothing tells."""


class Basis(NamedTuple):
    """What curves are drawn from."""

    own: Pieces
    borrowed: tuple[tuple[Pieces, int], ...]
    """Other corridors, each with the age of its oldest claim."""
    claims: int
    reach: int
    """The age in working days of the oldest claim of one's own."""
    mature: int
    """Claims that are old enough to tell of losses."""


def basis(own: Sequence[Case], others: Mapping[str, Sequence[Case]]) -> Basis | None:
    """What there is to draw from, other corridors by their names; None where it is not enough to
    say anything.
    """
    reach = max((-case.day for case in own), default=0)
    lent = list(others.values()) if len(own) < OWN_ALONE or reach < HORIZON else []
    settled = sum(bool(case.paid) for some in (own, *lent) for case in some)
    if settled < ENOUGH or not own:
        return None
    mature = sum(map(_mature, lent))
    return Basis(
        own=pieces(own),
        borrowed=tuple((pieces(some), max(-case.day for case in some)) for some in lent if some),
        claims=len(own),
        reach=reach,
        mature=_mature(own) + min(BORROWED, mature),
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
    best = np.mean([_one(known, np.arange(len(known.own)), rng)[-1] for _ in range(20)])
    lost = float(best) * known.mature
    found = []
    for _ in range(count):
        chosen = rng.integers(len(weeks), size=len(weeks))
        which = np.concatenate([weeks[week] for week in chosen])
        one = _one(known, which, rng)
        if known.mature >= ENOUGH_MATURE:
            # Few are lost, so that the weeks may show none: the share itself is uncertain as well.
            one = _with_lost(one, rng.beta(lost + 0.5, known.mature - lost + 0.5))
        found.append(one)
    return found


def _one(known: Basis, which: Ints, rng: np.random.Generator) -> Floats:
    """A curve of these claims and of a neighbour's, which goes on as that one does."""
    ages, arrived = known.own.of(which, rng)
    lent = known.borrowed[rng.integers(len(known.borrowed))] if known.borrowed else None
    if lent is not None and known.claims < OWN_ALONE:
        more_ages, more_arrived = lent[0].of(rng.integers(len(lent[0]), size=BORROWED), rng)
        ages, arrived = np.concatenate([ages, more_ages]), np.concatenate([arrived, more_arrived])
    one = curve(ages, arrived)
    return _gone_on(one, known.reach, lent, rng) if known.reach < HORIZON else one


def _gone_on(
    one: Floats, reach: int, lent: tuple[Pieces, int] | None, rng: np.random.Generator
) -> Floats:
    """The curve, of which nothing is known beyond the age of the oldest claim, as it may go on."""
    late = np.arange(1, HORIZON - reach + 1)
    rest: Floats | None = None
    if lent is not None and lent[1] > reach:
        theirs = curve(*lent[0].of(rng.integers(len(lent[0]), size=LENT), rng))
        rest = theirs[reach + 1 :] / theirs[reach] if theirs[reach] > 0 else None
    if rest is None:
        # The older what is missing, the likelier it never comes.
        never, (low, high) = rng.beta((reach / MATURE) ** 3 + 0.01, 1.0), np.log(HALF_LIVES)
        rest = never + (1.0 - never) * 0.5 ** (late / np.exp(rng.uniform(low, high)))
    return np.concatenate([one[: reach + 1], one[reach] * rest])


def _weeks(week: Ints) -> list[Ints]:
    order = np.argsort(week, kind="stable").astype(np.int64)
    cuts = np.flatnonzero(np.diff(week[order])) + 1
    return list(np.split(order, cuts))


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
