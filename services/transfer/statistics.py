"""A month of transfers in figures: how many went in and out, and how many steps were on time. PURE.

What an agency reports (转移接续统计): transfers in and out, those that crossed a province, those of
each pair of schemes; and for each step of the regulation how many were done within its days.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from shared.regions import Regions

_TEN_THOUSAND = 10_000

Step = Literal["answer", "transfer-out", "transfer-in", "whole"]


@dataclass(frozen=True, slots=True)
class Moved:
    """Transfers of one corridor and pair of schemes that were released, or joined, in the month."""

    direction: Literal["in", "out"]
    origin: str
    destination: str
    pair: str
    count: int


@dataclass(frozen=True, slots=True)
class Took:
    """So many transfers began a step on one day and ended it on another."""

    step: Step
    origin: str
    destination: str
    began_on: date
    ended_on: date
    count: int

    @property
    def region(self) -> str:
        """Whose step it is: O answers and releases, D joins and answers for the whole."""
        return self.origin if self.step in {"answer", "transfer-out"} else self.destination


def moves(rows: Iterable[Moved]) -> list[dict[str, Any]]:
    """Per region: all transfers in and out, out of the province, and by pair of schemes."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        region = row.destination if row.direction == "in" else row.origin
        counts = found.setdefault(region, {"in": _none(), "out": _none()})[row.direction]
        counts["total"] += row.count
        if row.origin[:2] != row.destination[:2]:
            counts["out_of_province"] += row.count
        counts["pairs"][row.pair] = counts["pairs"].get(row.pair, 0) + row.count
    return [{"region": region, **found[region]} for region in sorted(found)]


def _none() -> dict[str, Any]:
    return {"total": 0, "out_of_province": 0, "pairs": {}}


def on_time(rows: Iterable[Took], regions: Regions) -> list[dict[str, Any]]:
    """Per region and step: how many ended, how many within the days that were due."""
    done: defaultdict[tuple[str, str], int] = defaultdict(int)
    kept: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        where = row.region, row.step
        done[where] += row.count
        calendar = regions.calendar(row.region)
        if calendar.working_days_between(row.began_on, row.ended_on) <= _due(row, regions):
            kept[where] += row.count
    return [
        {
            "region": region,
            "step": step,
            "done": count,
            "on_time": kept[region, step],
            "rate": _rate(kept[region, step], count),
        }
        for (region, step), count in sorted(done.items())
    ]


def _rate(part: int, whole: int) -> str:
    """Four decimals, cut off: what was late once is never shown as always on time."""
    ones, rest = divmod(part * _TEN_THOUSAND // whole, _TEN_THOUSAND)
    return f"{ones}.{rest:04d}"


def _due(row: Took, regions: Regions) -> int:
    deadlines = regions.corridor(row.origin, row.destination, row.began_on).deadlines
    days: Mapping[Step, int] = {
        "answer": deadlines.answer,
        "transfer-out": deadlines.transfer_out,
        "transfer-in": deadlines.transfer_in,
        "whole": deadlines.whole,
    }
    return days[row.step]
