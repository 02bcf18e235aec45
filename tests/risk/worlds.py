"""Corridors whose truth is known: simulated years as domain studies describe them, and what came.

Delays are 60 % up to 15 working days, 30 % up to 45, 8 % up to 90, and 2 % never. `lumps`: the
origin pays on every tenth working day only, so that claims do not come independently.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.settlement.risk import curves, forecast
from services.settlement.risk.forecast import WhatIf
from services.settlement.risk.history import NEVER, Case, Ints
from services.settlement.risk.queries import MOST_LENT

DAYS_AHEAD = 60
LIMIT_FEN = 10**15
_MEAN_FEN = 408_400


@dataclass(frozen=True)
class Kind:
    """A sort of corridor: how long its history is, how busy, whether it pays in lumps; and how many
    other corridors there are to borrow from, a year old.
    """

    days: int
    a_day: float
    lumps: bool = False
    others: int = 0

    @property
    def name(self) -> str:
        lumps = ", in lumps" if self.lumps else ""
        others = f", {self.others} others" if self.others else ""
        return f"{self.days} days, {self.a_day:g} a day{lumps}{others}"


class Truth(NamedTuple):
    """What really came in the weeks after."""

    money_in: Ints
    advanced: Ints
    exposure: Ints
    lost: int


def lived(kind: Kind, seed: int) -> tuple[list[Case], Truth]:
    """The history of a corridor up to today (day 0), and what came after."""
    rng = np.random.default_rng(seed)
    # Some corridors are slower than others: the forecast is not told.
    slow = rng.uniform(0.8, 1.25)
    by_day = rng.poisson(kind.a_day, kind.days + DAYS_AHEAD)
    day = np.repeat(np.arange(-kind.days + 1, DAYS_AHEAD + 1), by_day)
    fen = np.exp(rng.normal(np.log(_MEAN_FEN) - 0.32, 0.8, len(day))).astype(np.int64) + 1
    takes = _delays(len(day), slow, rng)
    pays = np.where(takes == NEVER, NEVER, day + takes)
    if kind.lumps:
        pays = np.where(pays == NEVER, NEVER, -(-pays // 10) * 10)
    cases = [
        Case(d, f, ((p, f),) if p <= 0 else (), 0 if p <= 0 else f)
        for d, f, p in zip(day.tolist(), fen.tolist(), pays.tolist(), strict=True)
        if d <= 0
    ]
    return cases, _truth(day, fen, pays)


def _others(kind: Kind, seed: int) -> dict[str, list[Case]]:
    """Corridors of the same distance: each as slow as it is."""
    seeds = (1_000_000 + 100 * seed + number for number in range(kind.others))
    known = {str(one): lived(Kind(250, 8), one)[0] for one in seeds}
    return {name: cases[:: 1 + 10 * len(cases) // MOST_LENT] for name, cases in known.items()}


def _delays(count: int, slow: float, rng: np.random.Generator) -> Ints:
    share = rng.random(count)
    inside = rng.random(count)
    takes = np.select(
        [share < 0.6, share < 0.9, share < 0.98],
        [1 + 15 * inside, 16 + 30 * inside, 46 + 45 * inside],
        0,
    )
    return np.where(share < 0.98, np.ceil(slow * takes), NEVER).astype(np.int64)


def _truth(day: Ints, fen: Ints, pays: Ints) -> Truth:
    def by_week(on: Ints) -> Ints:
        inside = (on >= 1) & (on <= DAYS_AHEAD)
        sums = np.bincount((on[inside] - 1) // 5, weights=fen[inside], minlength=DAYS_AHEAD // 5)
        return sums.astype(np.int64)

    ends = np.arange(5, DAYS_AHEAD + 1, 5)
    exposure = [int(fen[(day <= end) & (pays > end)].sum()) for end in ends]
    lost = int(fen[(day <= 0) & (pays == NEVER)].sum())
    return Truth(by_week(pays), by_week(day), np.array(exposure), lost)


Covered = dict[tuple[str, int], list[bool]]
"""Whether the truth lay inside the interval, by what was foretold and the interval's percent."""


def backtest(kind: Kind, corridors: int, seed: int = 1, most: int = forecast.PATHS) -> Covered:
    """Forecasts of so many corridors against what really came."""
    found: Covered = {}
    # Five working days to the week, none of them a holiday.
    ahead = np.array([7 * (n // 5) + n % 5 + 1 for n in range(DAYS_AHEAD)], dtype=np.int64)
    for number in range(corridors):
        cases, truth = lived(kind, 1000 * seed + number)
        basis = curves.basis(cases, _others(kind, 1000 * seed + number))
        if basis is None:
            continue
        rng = np.random.default_rng(number)
        told = forecast.simulate(cases, basis, ahead, LIMIT_FEN, WhatIf(), rng, most)
        weekly = ("money_in", "advanced", "exposure")
        pairs = [(name, getattr(told, name), getattr(truth, name)) for name in weekly]
        pairs.append(("lost", told.lost[:, None], np.array([truth.lost])))
        for name, paths, real in pairs:
            for level in (50, 80, 95):
                low, high = np.percentile(paths, (50 - level / 2, 50 + level / 2), axis=0)
                inside = (low <= real) & (real <= high)
                found.setdefault((name, level), []).extend(inside.tolist())
    return found


def shares(covered: Covered) -> dict[tuple[str, int], float]:
    """In percent, how often the truth lay inside."""
    return {key: 100.0 * float(np.mean(hits)) for key, hits in covered.items()}
