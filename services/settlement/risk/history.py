"""The history of a corridor as numbers: claims, when their money came, what is open. PURE.

Time is counted in working days of the destination, from today: yesterday's is -1.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NEVER = 1 << 30
"""The working day on which comes what never comes."""


@dataclass(frozen=True)
class Case:
    """A claim: announced on a day, of so much; what came of it, and when; what is open.

    `eligible`: nothing but the corridor's limits stood against an advance; `advanced`: it is made.
    """

    day: int
    fen: int
    paid: tuple[tuple[int, int], ...] = ()
    open_fen: int = 0
    eligible: bool = True
    advanced: bool = True

    @property
    def paid_on(self) -> int:
        """When the last of it came; NEVER while some is missing."""
        missing = self.fen - sum(fen for _, fen in self.paid)
        return NEVER if missing > 0 or not self.paid else max(day for day, _ in self.paid)


class Days:
    """The working days around today, numbered."""

    def __init__(self, working: Sequence[date], today: date) -> None:
        """`working`: sorted, from the first day of the history to the last of the forecast."""
        self.working = working
        self.today = today
        self._zero = bisect_right(working, today)

    def number(self, day: date) -> int:
        """How many working days from today; a day of rest counts as the working day before it."""
        return bisect_right(self.working, day) - self._zero

    def date(self, number: int) -> date:
        """The working day of a number."""
        return self.working[max(0, self._zero + number - 1)]

    def ahead(self, weeks: int) -> Ints:
        """How many days from today each working day to come is, as far as so many weeks go."""
        found = [(day - self.today).days for day in self.working[self._zero :]]
        return np.array([n for n in found if n <= 7 * weeks], dtype=np.int64)


def cases(rows: Sequence[Mapping[str, Any]], days: Days) -> list[Case]:
    """The claims of a corridor, oldest first, from the rows that the database gives as JSON."""
    found = [_case(row, days) for row in rows]
    return sorted(found, key=lambda case: case.day)


def _case(row: Mapping[str, Any], days: Days) -> Case:
    paid = [(days.number(date.fromisoformat(on)), fen) for on, fen in row["paid"]]
    return Case(
        day=days.number(date.fromisoformat(row["on"])),
        fen=row["fen"],
        paid=tuple(sorted(paid)),
        open_fen=row["open"],
        eligible=row["eligible"],
        advanced=row["advanced"],
    )


@dataclass(frozen=True)
class Pieces:
    """What came of each claim when, and what did not: `age` is the working days it took, or has
    taken so far where it has not `arrived`. The pieces of a claim lie side by side.
    """

    end_fen: Ints
    age: Ints
    arrived: NDArray[np.bool_]
    first_fen: Ints
    fen: Ints
    week: Ints

    def __len__(self) -> int:
        return len(self.fen)

    def of(self, which: Ints, rng: np.random.Generator) -> tuple[Ints, NDArray[np.bool_]]:
        """One fen of each of these claims, taken at random: its age, and whether it came. So that
        half a payment counts as half, whatever else the claim is.
        """
        at = self.first_fen[which] + (rng.random(len(which)) * self.fen[which]).astype(np.int64)
        piece = np.searchsorted(self.end_fen, at, side="right")
        return self.age[piece], self.arrived[piece]


def pieces(known: Sequence[Case]) -> Pieces:
    """All pieces of these claims."""
    ends, ages, arrived, firsts = [], [], [], []
    total = 0
    for case in known:
        firsts.append(total)
        left = case.fen
        for day, fen in case.paid:
            taken = min(fen, left)
            if taken > 0:
                total += taken
                left -= taken
                ends.append(total)
                ages.append(max(0, day - case.day))
                arrived.append(True)
        if left > 0:
            total += left
            ends.append(total)
            ages.append(max(0, -case.day))
            arrived.append(False)
    return Pieces(
        end_fen=np.array(ends, dtype=np.int64),
        age=np.array(ages, dtype=np.int64),
        arrived=np.array(arrived, dtype=np.bool_),
        first_fen=np.array(firsts, dtype=np.int64),
        fen=np.array([case.fen for case in known], dtype=np.int64),
        week=np.array([case.day // 5 for case in known], dtype=np.int64),
    )
