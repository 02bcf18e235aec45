"""`make bench-peers`: pairs of turns, Jiexu and then DBOS, and how many times as fast Jiexu was."""

import argparse
import json
import signal
import statistics
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

from rich.console import Console

from tests.bench.peers import turns

Turn = dict[str, Any]


def _spread(figures: Sequence[float]) -> dict[str, float]:
    shown = {"median": statistics.median(figures), "least": min(figures), "greatest": max(figures)}
    return {name: round(figure, 1) for name, figure in shown.items()}


def summary(pairs: Sequence[tuple[Turn, Turn]]) -> dict[str, Any]:
    """Median, least and greatest of each figure, and of its ratio within a pair."""
    speed = [tuple(turn["transfers_per_second"] for turn in pair) for pair in pairs]
    cpu = [tuple(sum(turn["cpu_ms_per_transfer"].values()) for turn in pair) for pair in pairs]
    return {
        "pairs": len(pairs),
        "times_as_fast": _spread([ours / theirs for ours, theirs in speed]),
        "times_less_cpu": _spread([theirs / ours for ours, theirs in cpu]),
        "transfers_per_second": {
            "jiexu": _spread([ours for ours, _ in speed]),
            "dbos": _spread([theirs for _, theirs in speed]),
        },
        "cpu_ms_per_transfer": {
            "jiexu": _spread([ours for ours, _ in cpu]),
            "dbos": _spread([theirs for _, theirs in cpu]),
        },
        "turns": [{"jiexu": ours, "dbos": theirs} for ours, theirs in pairs],
    }


def sentence(result: dict[str, Any]) -> str:
    """The closing line."""
    ratio, speed = result["times_as_fast"], result["transfers_per_second"]
    cpu = result["cpu_ms_per_transfer"]
    return (
        f"bench-peers: {ratio['median']} times DBOS Transact ({ratio['least']} to"
        f" {ratio['greatest']} in {result['pairs']} pairs): {speed['jiexu']['median']} against"
        f" {speed['dbos']['median']} transfers/s, {cpu['jiexu']['median']} against"
        f" {cpu['dbos']['median']} ms CPU per transfer"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--transfers", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2, help="DBOS's processes")
    parser.add_argument("--concurrency", type=int, default=16, help="workflows in each of them")
    parser.add_argument("--style", choices=("plain", "datasource"), default="plain")
    parser.add_argument("--dbos-only", action="store_true", help="to tune it: no ratio")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if min(options.pairs, options.transfers, options.workers, options.concurrency) < 1:
        parser.error("pairs, transfers, workers and concurrency are whole numbers above zero")
    if not turns.TRANSACT.exists():
        parser.error("DBOS is not installed yet: run deploy/setup.sh peers, or make bench-peers")
    return options


def _leave(number: int, _: FrameType | None) -> None:
    """A run that is asked to end takes its database, or the whole stack, with it."""
    sys.exit(128 + number)


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, _leave)
    console = Console(stderr=True, soft_wrap=True)
    pairs: list[tuple[Turn, Turn]] = []
    for number in range(1, options.pairs + 1):
        ours = {} if options.dbos_only else turns.of_jiexu(options.transfers)
        console.print(f"{number} jiexu {ours}")
        theirs = turns.of_dbos(
            options.transfers, options.workers, options.concurrency, options.style
        )
        console.print(f"{number} dbos  {theirs}")
        pairs.append((ours, theirs))
    if options.dbos_only:
        return
    result = summary(pairs)
    print(json.dumps(result) if options.json else sentence(result))


if __name__ == "__main__":
    main()
