"""One possible future of a corridor: who is advanced when within a limit, what is open. PURE."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.settlement.risk.history import NEVER, Case, Ints


@dataclass(frozen=True)
class Book:
    """Claims with the working day they arrive on (0 and before: they are there), the day their
    money comes, and whether they are, or may be, advanced.
    """

    fen: Ints
    arrives: Ints
    pays: Ints
    eligible: Ints
    advanced: Ints


@dataclass(frozen=True)
class Path:
    """What became of a book: open advances at the end of each working day from the first on, and
    the day on which each claim was advanced (NEVER: it was not).
    """

    exposure: Ints
    advanced_on: Ints


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
    return Path(exposure, advanced_on)


def limited(book: Book, limit_fen: int, last: int, first: int = 0) -> Path:
    """Within a limit: the oldest that waits is advanced first, as the books do it; who waits
    until his own money comes is credited then.
    """
    arriving, paying = _by_day(book, first, last)
    corridor = _Corridor(book, limit_fen)
    exposure = []
    for day in range(last - first + 1):
        corridor.pay(paying[day])
        corridor.arrive(arriving[day])
        corridor.advance(first + day)
        exposure.append(corridor.open_fen)
    return Path(np.array(exposure, dtype=np.int64), np.array(corridor.on, dtype=np.int64))


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


class _Corridor:
    """Who is advanced (`on` which day), who waits, and whose money has come."""

    def __init__(self, book: Book, limit_fen: int) -> None:
        self.fen = book.fen.tolist()
        self.eligible = book.eligible.tolist()
        self.on = np.where(book.advanced.astype(bool), book.arrives, NEVER).tolist()
        self.limit_fen = limit_fen
        self.open_fen = 0
        self.waiting = deque[int]()
        self.paid = set[int]()

    def pay(self, whose: list[int]) -> None:
        self.paid.update(whose)
        self.open_fen -= sum(self.fen[one] for one in whose if self.on[one] != NEVER)

    def arrive(self, who: list[int]) -> None:
        self.open_fen += sum(self.fen[one] for one in who if self.on[one] != NEVER)
        self.waiting += [one for one in who if self.on[one] == NEVER and self.eligible[one]]

    def advance(self, day: int) -> None:
        while self.waiting:
            one = self.waiting[0]
            if one not in self.paid:
                if self.open_fen + self.fen[one] > self.limit_fen:
                    return
                self.on[one] = day
                self.open_fen += self.fen[one]
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
