"""Which runs: all points of every service that reaches them, or a sample in pairs; and a table of
what came of them. PURE.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, zip_longest
from random import Random

from tests.chaos.crash import Plan, Side
from tests.chaos.points import Point
from tests.chaos.runs import Result, Run

Hits = Mapping[str, Mapping[tuple[int, Side], int]]
Crash = tuple[int, str, Plan]
"""Seed, service and plan."""

_LATEST = 12


def crashes(hits: Hits, points: Sequence[Point], seeds: Iterable[int]) -> list[Crash]:
    """For each seed, service and point that it reached when calm, one crash. Odd seeds end after
    the await, even ones amid it; where a point has one of the two alone, that one.
    """
    return [
        (seed, service, _plan(known, point, seed, service))
        for seed in seeds
        for service, known in hits.items()
        for point in points
        if (point.number, "after") in known or (point.number, "amid") in known
    ]


def _plan(known: Mapping[tuple[int, Side], int], point: Point, seed: int, service: str) -> Plan:
    wanted: Side = "after" if seed % 2 else "amid"
    other: Side = "amid" if seed % 2 else "after"
    side = wanted if (point.number, wanted) in known else other
    # Batches come in other sizes the next time: half of what was reached is likely to come.
    latest = max(1, min(_LATEST, known[point.number, side] // 2))
    hit = Random(f"{seed} {service} {point.name}").randint(1, latest)
    return Plan(point.number, side, hit)


def runs(found: Sequence[Crash], *, together: bool) -> list[Run]:
    """One run per crash; or, together, one of each service in the same run."""
    if not together:
        return [Run(seed, {service: plan}) for seed, service, plan in found]
    queues: dict[int, dict[str, list[Crash]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        queues[one[0]][one[1]].append(one)
    return [
        Run(seed, {one[1]: one[2] for one in rank if one})
        for seed, by_service in queues.items()
        for rank in zip_longest(*by_service.values())
    ]


def sample(found: Sequence[Crash], points: Sequence[Point], count: int, by: str) -> list[Crash]:
    """So many crashes that together have as many pairs of function, point, service, moment,
    occasion and seed as can be: of some drawn ones always the one that adds most.
    """
    random = Random(by)
    left = list(found)
    seen: set[tuple[object, object]] = set()
    chosen: list[Crash] = []
    while left and len(chosen) < count:
        random.shuffle(left)
        best = max(left[:200], key=lambda one: len(pairs(one, points) - seen))
        left.remove(best)
        seen |= pairs(best, points)
        chosen.append(best)
    return chosen


def pairs(one: Crash, points: Sequence[Point]) -> set[tuple[object, object]]:
    """The pairs of facts that a crash has."""
    seed, service, plan = one
    point = points[plan.point]
    facts = [
        ("function", f"{point.module}.{point.function}"),
        ("point", point.name),
        ("service", service),
        ("moment", plan.side),
        ("occasion", "first" if plan.hit == 1 else "later"),
        ("seed", seed),
    ]
    return set(combinations(facts, 2))


def outcomes(results: Iterable[Result]) -> dict[tuple[int, str], Counter[str]]:
    """What came of the crashes, by point and service: `ok`, `unreached`, or who found something.
    A hit that came at the second try counts as reached.
    """
    cells: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for result in results:
        for service, plan in result.run.plans.items():
            if plan:
                cell = cells[plan.point, service]
                cell[_outcome(result, service)] += 1
                if cell["ok"] and plan.hit == 1 and service in result.reached:
                    cell["unreached"] = max(0, cell["unreached"] - 1)
    return cells


def _outcome(result: Result, service: str) -> str:
    if not result.clean:
        return "+".join(name for name, found in result.findings.items() if found)
    return "ok" if service in result.reached else "unreached"


def table(
    results: Sequence[Result], points: Sequence[Point], services: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """A row per point that was tried: for each service what came of it."""
    cells = outcomes(results)
    for point in points:
        row = [_cell(cells.get((point.number, service), Counter())) for service in services]
        if any(row):
            yield point.name, *row


def _cell(counts: Counter[str]) -> str:
    return " ".join(f"{n} {what}" for what, n in sorted(counts.items()) if n)


def unreached(hits: Hits, points: Sequence[Point]) -> list[Point]:
    """The points that no service reaches under the load."""
    reached = {number for known in hits.values() for number, _ in known}
    return [point for point in points if point.number not in reached]
