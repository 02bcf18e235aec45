"""One possible future of a corridor: who is advanced when within a limit, what is open. PURE."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.settlement.exposure import BY_HAND
from services.settlement.risk.history import NEVER, Case, Ints


@dataclass(frozen=True)
class Book:
    """Claims with the working day they arrive on (0 and before: they are there), the day their
    money comes, whether they are, or may be, advanced, and the day they were announced on.
    """

    fen: Ints
    arrives: Ints
    pays: Ints
    eligible: Ints
    advanced: Ints
    born: Ints


@dataclass(frozen=True)
class Trust:
    """When a corridor is suspended, in working days of age: where so many percent of what is open
    are older than `after`, or anything is older than `age_days`; and how long it must have been
    well to be resumed. What was announced before `excused` does not count.
    """

    after: int | None = None
    percent: int = 100
    age_days: int | None = None
    resume_after: int = 0
    suspended: str | None = None
    excused: int = -NEVER


@dataclass(frozen=True)
class Path:
    """What became of a book: open advances at the end of each working day from the first on, and
    the day on which each claim was advanced (NEVER: it was not).
    """

    exposure: Ints
    advanced_on: Ints
    suspended: Ints


def unlimited(book: Book, last: int) -> Path:
    """As if there were no limit: no claim waits for another."""
    mine = (book.eligible | book.advanced).astype(bool)
    advanced_on = np.where(mine, book.arrives, NEVER)
    fen, days = book.fen[mine], last + 1
    comes = np.clip(book.arrives[mine], 0, days)
    goes = np.clip(np.maximum(book.pays[mine], comes), 0, days)
    grown = np.bincount(comes, weights=fen, minlength=days + 1)
    shrunk = np.bincount(goes, weights=fen, minlength=days + 1)
    exposure = np.rint(np.cumsum(grown - shrunk)[:days]).astype(np.int64)
    return Path(exposure, advanced_on, np.zeros_like(exposure))


def trusted(book: Book, free: Path, last: int, trust: Trust) -> bool:
    """Whether the corridor would never be suspended, were there no other limit."""
    if trust.suspended is not None:
        return False
    mine = (free.advanced_on != NEVER) & (book.born >= trust.excused)
    for age, percent in ((trust.after, trust.percent), (trust.age_days, 0)):
        if age is None:
            continue
        fen, days = book.fen[mine], last + 1
        goes = np.clip(np.maximum(book.pays[mine], book.arrives[mine]), 0, days)
        old = np.minimum(
            np.clip(np.maximum(book.born + age + 1, book.arrives)[mine], 0, days), goes
        )
        grown = np.bincount(old, weights=fen, minlength=days + 1)
        shrunk = np.bincount(goes, weights=fen, minlength=days + 1)
        late = np.rint(np.cumsum(grown - shrunk)[:days]).astype(np.int64)
        if ((late > 0) & (late * 100 >= free.exposure * percent)).any():
            return False
    return True


def limited(
    book: Book, limit_fen: int, last: int, first: int = 0, trust: Trust | None = None
) -> Path:
    """Within a limit: the oldest that waits is advanced first, as the books do it, and nobody
    while the corridor is suspended; who waits until his own money comes is credited then.
    """
    arriving, paying = _by_day(book, first, last)
    corridor = _Corridor(book, limit_fen, trust or Trust())
    exposure, suspended = [], []
    for day in range(last - first + 1):
        corridor.begin(first + day)
        corridor.pay(paying[day])
        corridor.arrive(arriving[day])
        corridor.review(first + day)
        corridor.advance(first + day)
        exposure.append(corridor.open_fen)
        suspended.append(corridor.suspended is not None)
    on, shut = np.array(corridor.on, dtype=np.int64), np.array(suspended, dtype=np.int64)
    return Path(np.array(exposure, dtype=np.int64), on, shut)


def _by_day(book: Book, first: int, last: int) -> tuple[list[list[int]], list[list[int]]]:
    """Who arrives, and whose money comes, on each day. What comes on the day it was announced
    frees its room the day after.
    """
    days = last - first + 1
    arriving: list[list[int]] = [[] for _ in range(days)]
    paying: list[list[int]] = [[] for _ in range(days)]
    pairs = zip(book.arrives.tolist(), book.pays.tolist(), strict=True)
    for one, (arrives, pays) in enumerate(pairs):
        if arrives <= last:
            arriving[max(arrives - first, 0)].append(one)
        frees = max(pays, arrives + 1, first + 1)
        if frees <= last:
            paying[frees - first].append(one)
    return arriving, paying


class _Old:
    """What is open and older than so many working days."""

    def __init__(self, age: int | None) -> None:
        self.age = NEVER if age is None else age
        self.fen = 0
        self.day = 0

    def begin(self, day: int, by_born: Mapping[int, int]) -> None:
        """The day begins: what was announced on one more day is old."""
        self.day = day
        self.fen += by_born.get(day - self.age - 1, 0)

    def change(self, born: int, fen: int) -> None:
        self.fen += fen if born < self.day - self.age else 0


class _Corridor:
    """Who is advanced (`on` which day), who waits, and whose money has come."""

    def __init__(self, book: Book, limit_fen: int, trust: Trust) -> None:
        self.born = book.born.tolist()
        self.trust = trust
        self.suspended = trust.suspended
        self.well_since: int | None = None
        self.by_born = Counter[int]()
        self.overdue, self.too_old = _Old(trust.after), _Old(trust.age_days)
        self.fen = book.fen.tolist()
        self.eligible = book.eligible.tolist()
        self.on = np.where(book.advanced.astype(bool), book.arrives, NEVER).tolist()
        self.limit_fen = limit_fen
        self.open_fen = 0
        self.waiting = deque[int]()
        self.paid = set[int]()

    def begin(self, day: int) -> None:
        for old in (self.overdue, self.too_old):
            old.begin(day, self.by_born)

    def _open(self, one: int, fen: int) -> None:
        self.open_fen += fen
        born = self.born[one]
        if born >= self.trust.excused:
            self.by_born[born] += fen
            for old in (self.overdue, self.too_old):
                old.change(born, fen)

    def pay(self, whose: list[int]) -> None:
        self.paid.update(whose)
        for one in whose:
            if self.on[one] != NEVER:
                self._open(one, -self.fen[one])

    def arrive(self, who: list[int]) -> None:
        for one in who:
            if self.on[one] != NEVER:
                self._open(one, self.fen[one])
            elif self.eligible[one]:
                self.waiting.append(one)

    def review(self, day: int) -> None:
        """As the books do it: suspended by what is old, resumed when that has been paid."""
        late = self.overdue.fen
        share = late > 0 and late * 100 >= self.open_fen * self.trust.percent
        if self.suspended == BY_HAND:
            return
        if share or self.too_old.fen > 0:
            self.suspended, self.well_since = self.suspended or "clock", None
        elif self.suspended is not None:
            self.well_since = day if self.well_since is None else self.well_since
            if day - self.well_since >= self.trust.resume_after:
                self.suspended = None

    def advance(self, day: int) -> None:
        while self.waiting and self.suspended is None:
            one = self.waiting[0]
            if one not in self.paid:
                if self.open_fen + self.fen[one] > self.limit_fen:
                    return
                self.on[one] = day
                self._open(one, self.fen[one])
            self.waiting.popleft()


def history(known: Sequence[Case]) -> Book:
    """What has happened, as a book: nobody is advanced yet."""
    eligible = [case for case in known if case.eligible]
    return Book(
        fen=np.array([case.fen for case in eligible], dtype=np.int64),
        arrives=np.array([case.day for case in eligible], dtype=np.int64),
        pays=np.array([case.paid_on for case in eligible], dtype=np.int64),
        eligible=np.ones(len(eligible), dtype=np.int64),
        advanced=np.zeros(len(eligible), dtype=np.int64),
        born=np.array([case.day for case in eligible], dtype=np.int64),
    )


def smallest_limit(known: Sequence[Case], share: float) -> int | None:
    """The smallest limit under which so large a share of the people would have been advanced on
    the day they came; None without history.
    """
    book = history(known)
    if not len(book.fen):
        return None
    first, last = int(book.arrives.min()), 0

    def served(limit_fen: int) -> bool:
        path = limited(book, limit_fen, last, first)
        return bool(np.mean(path.advanced_on == book.arrives) >= share)

    low, high = 0, int(limited(book, NEVER << 30, last, first).exposure.max())
    while high - low > max(100, high // 500):
        middle = (low + high) // 2
        low, high = (low, middle) if served(middle) else (middle, high)
    return high
