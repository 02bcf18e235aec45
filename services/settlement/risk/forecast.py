"""The weeks to come of a corridor, many times over: exposure, money in and out, and losses. PURE.

Each path takes its own curve (how sure the history is), its own weeks of arrivals, and its own
luck; what the paths say together is the forecast, the spread between them its uncertainty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from services.settlement.risk import curves, paths
from services.settlement.risk.history import NEVER, Case, Floats, Ints
from services.settlement.risk.paths import Book, Path, Trust

WEEKS = 12
PATHS = 400
FEWEST_PATHS = 50
# So many claims in all paths together: a large corridor needs fewer paths, it varies less.
MOST_CLAIMS = 3_000_000
WINDOW = 250
"""Arrivals are drawn from the last so many working days."""

FEWEST_PAYDAYS = 4
"""So many days on which an origin paid before they are seen as a habit."""

ALWAYS = Trust()
"""Never suspended."""

FEWEST_DAYS = 20
"""So many working days of arrivals before any are foretold."""


@dataclass(frozen=True)
class WhatIf:
    """Another limit, an origin that pays nothing for some days from today, more arrivals."""

    limit_fen: int | None = None
    stops_paying_days: int = 0
    arrivals: int = 1


class Outcome(NamedTuple):
    """One row per path: by week what comes, what is advanced, what is open at its end, and whether
    the corridor is suspended then; of what is open today what never comes, and of those to come the
    share advanced on their day.
    """

    money_in: Ints
    advanced: Ints
    exposure: Ints
    suspended: Ints
    lost: Ints
    same_day: Floats


def simulate(
    known: Sequence[Case],
    basis: curves.Basis,
    ahead: Ints,
    limit_fen: int,
    what_if: WhatIf,
    rng: np.random.Generator,
    most: int = PATHS,
    trust: Trust = ALWAYS,
) -> Outcome:
    """Many futures. `ahead`: how many days from today each working day to come is."""
    week_of = (ahead - 1) // 7
    arrivals = _recent(known)
    expected = len(known) + what_if.arrivals * len(week_of) * _per_day(arrivals)
    count = int(np.clip(MOST_CLAIMS // max(1, int(expected)), min(FEWEST_PATHS, most), most))
    limit = limit_fen if what_if.limit_fen is None else what_if.limit_fen
    still = [case for case in known if case.open_fen]
    gaps = _paydays(known)
    rows = []
    for one in curves.drawn(basis, count, rng):
        book, owed = _book(still, arrivals, one, what_if, len(week_of), rng)
        if len(gaps):
            book = replace(book, pays=_in_lumps(book.pays, gaps, len(week_of), rng))
        if what_if.stops_paying_days:
            book = _stopped(book, ahead, what_if.stops_paying_days)
        path = _path(book, limit, len(week_of), trust)
        rows.append(_told(book, path, week_of, owed))
    return Outcome(*(np.array(column) for column in zip(*rows, strict=True)))


def _recent(known: Sequence[Case]) -> list[Case]:
    return [case for case in known if -WINDOW < case.day <= 0]


def _span(arrivals: Sequence[Case]) -> int:
    return 1 - min((case.day for case in arrivals), default=1)


def _per_day(arrivals: Sequence[Case]) -> float:
    span = _span(arrivals)
    return len(arrivals) / span if span >= FEWEST_DAYS else 0.0


def _book(
    still: Sequence[Case],
    arrivals: Sequence[Case],
    one: Floats,
    what_if: WhatIf,
    days: int,
    rng: np.random.Generator,
) -> tuple[Book, int]:
    """What is open, and what arrives; the first so many claims are those that are open."""
    new_fen, new_day, new_eligible = _arriving(arrivals, days, what_if.arrivals, rng)
    old_age = np.array([-case.day for case in still], dtype=np.int64)
    takes = curves.delays(one, old_age, rng)
    new_takes = curves.delays(one, np.full(len(new_fen), -1), rng)
    new_pays = np.where(new_takes == NEVER, NEVER, new_day + np.maximum(new_takes - 1, 0))
    book = Book(
        fen=np.concatenate([_column(still, "open_fen"), new_fen]),
        arrives=np.concatenate([np.zeros(len(still), dtype=np.int64), new_day]),
        pays=np.concatenate([takes, new_pays]),
        eligible=np.concatenate([_column(still, "eligible"), new_eligible]),
        advanced=np.concatenate([_column(still, "advanced"), np.zeros_like(new_eligible)]),
        born=np.concatenate([-old_age, new_day]),
    )
    return book, len(still)


def _column(found: Sequence[Case], name: str) -> Ints:
    return np.array([int(getattr(case, name)) for case in found], dtype=np.int64)


def _arriving(
    arrivals: Sequence[Case], days: int, times: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Weeks of the history, put together anew: of a history that itself might have been another.

    Which days are busy and how much people bring stays together, for it comes together.
    """
    span = _span(arrivals)
    nothing = np.zeros(0, dtype=np.int64)
    if span < FEWEST_DAYS:
        return nothing, nothing, nothing
    fen, eligible = _column(arrivals, "fen"), _column(arrivals, "eligible")
    week = (_column(arrivals, "day") + span - 1) // 5
    weekday = (_column(arrivals, "day") + span - 1) % 5
    weeks = span // 5  # the last, if it is not whole, is left out
    by_week = [np.flatnonzero(week == number) for number in range(weeks)]
    past = rng.integers(weeks, size=weeks)
    as_busy = widened(np.array([len(by_week[number]) for number in past]), rng)
    which, day = [nothing], [nothing]
    for start in range(1, days + 1, 5):
        for _ in range(times):
            drawn = rng.integers(weeks)
            chosen = _as_many(by_week[past[drawn]], as_busy(int(drawn)), rng)
            which.append(chosen)
            day.append(start + weekday[chosen])
    chosen, on = np.concatenate(which), np.concatenate(day)
    inside = on <= days
    return fen[chosen[inside]], on[inside], eligible[chosen[inside]]


def widened(counts: Ints, rng: np.random.Generator) -> Callable[[int], int]:
    """How many come in a week like one of these: more or fewer than ever came, for a dozen weeks
    have not seen the busiest. As a normal variable whose spread is estimated from so many.
    """
    mean, spread = float(counts.mean()), float(counts.std())
    freedom = len(counts) - 1
    # Scott's rule for the noise; the whole keeps the spread of the weeks, but for what is not
    # known of that.
    noise = 1.06 * len(counts) ** -0.2
    scale = float(np.sqrt(len(counts) / max(rng.chisquare(freedom), 1e-9))) if freedom else 1.0

    def count(number: int) -> int:
        off = (counts[number] - mean + noise * spread * rng.normal()) / np.sqrt(1 + noise**2)
        return max(0, round(mean + scale * float(off)))

    return count


def _as_many(chosen: Ints, count: int, rng: np.random.Generator) -> Ints:
    """So many of a week's claims: all of them, and some again, or some of them."""
    if not len(chosen):
        return chosen
    again, rest = divmod(count, len(chosen))
    return np.concatenate([np.tile(chosen, again), rng.permutation(chosen)[:rest]])


def _paydays(known: Sequence[Case]) -> Ints:
    """The working days between two days on which the origin paid, and last since it did; nothing
    where it pays on most days, or so little that every payment has a day of its own.
    """
    paid = [day for case in known for day, _ in case.paid if day > -WINDOW // 2]
    on = np.unique(np.array(paid, dtype=np.int64))
    if len(on) < FEWEST_PAYDAYS or len(paid) < 3 * len(on) or len(on) > -int(on[0]) // 2:
        return np.zeros(0, dtype=np.int64)
    return np.append(np.diff(on), -on[-1])


def _in_lumps(pays: Ints, gaps: Ints, days: int, rng: np.random.Generator) -> Ints:
    """Each payment on the nearest day on which the origin pays, if it goes on as it did."""
    steps = rng.choice(gaps[:-1], size=days + 2)
    on = np.cumsum(steps) - gaps[-1]
    on = on[on > 0]
    after = np.clip(np.searchsorted(on, pays), 0, len(on) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(on[before] - pays) < np.abs(on[after] - pays), on[before], on[after])
    return np.where(pays <= days, nearest, pays)


def _stopped(book: Book, ahead: Ints, days: int) -> Book:
    """Nothing comes for some days from today; the first working day after them brings all of it."""
    last = int(np.searchsorted(ahead, days, side="right"))
    pays = np.where(book.pays <= last, last + 1, book.pays)
    return replace(book, pays=pays)


def _path(book: Book, limit_fen: int, days: int, trust: Trust) -> Path:
    free = paths.unlimited(book, days)
    waits = (book.eligible == 1) & (book.advanced == 0) & (book.arrives <= 0)
    queued = bool(waits.any())
    within = int(free.exposure.max()) <= limit_fen
    if not queued and within and paths.trusted(book, free, days, trust):
        return free
    return paths.limited(book, limit_fen, days, trust=trust)


def _told(
    book: Book, path: Path, week_of: Ints, owed: int
) -> tuple[Ints, Ints, Ints, Ints, int, float]:
    days = len(week_of)
    weeks = int(week_of[-1]) + 1 if days else 0
    money_in = _by_week(book.pays, book.fen, week_of, weeks)
    fresh = book.advanced == 0
    advanced = _by_week(path.advanced_on[fresh], book.fen[fresh], week_of, weeks)
    ends = np.searchsorted(week_of, np.arange(weeks), side="right")
    lost = int(book.fen[:owed][book.pays[:owed] == NEVER].sum())
    new = np.flatnonzero(book.eligible[owed:]) + owed
    served = path.advanced_on[new] == book.arrives[new]
    same_day = float(served.mean()) if len(new) else 1.0
    return money_in, advanced, path.exposure[ends], path.suspended[ends], lost, same_day


def _by_week(on: Ints, fen: Ints, week_of: Ints, weeks: int) -> Ints:
    inside = (on >= 1) & (on <= len(week_of))
    sums = np.bincount(week_of[on[inside] - 1], weights=fen[inside], minlength=weeks)
    return np.rint(sums).astype(np.int64)
