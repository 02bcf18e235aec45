"""`python -m tests.matching --seeds 10 --lines 10000`: what is matched by itself, and rightly.

Exit 1 if a line went to somebody whose it is not, or fewer than 97 % of the matchable were matched.
"""

import argparse
import sys
import time
from collections import Counter

from shared.regions import load
from shared.settings import Settings
from tests.matching.run import Result, run
from tests.matching.truth import story

LEAST = 0.97
_COLUMNS = ("lines", "matchable", "matched", "by themselves", "wrong")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.matching")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--show", type=int, default=3, help="so many of the missed and the wrong")
    given = parser.parse_args()
    regions = load(Settings().regions)
    totals: dict[str, Counter[str]] = {}
    worst, wrong = 1.0, 0
    for seed in range(given.first, given.first + given.seeds):
        begun = time.monotonic()
        result = run(story(seed, given.lines, regions), regions)
        for kind, found in result.kinds.items():
            totals.setdefault(kind, Counter()).update(found)
        worst = min(worst, result.recall)
        wrong += len(result.wrong)
        _say(seed, result, time.monotonic() - begun, given.show)
    _table(totals)
    print(f"false matches {wrong}; of the matchable at least {worst:.2%} in every seed")
    sys.exit(1 if wrong or worst < LEAST else 0)


def _say(seed: int, result: Result, seconds: float, shown: int) -> None:
    lines, matchable = result.total("lines"), result.total("matchable")
    told = f"seed {seed}: {lines} lines, {matchable} matchable, {result.total('matched')} matched"
    print(f"{told} ({result.recall:.2%}), {len(result.wrong)} wrong, {seconds:.0f} s")
    for line in [*result.wrong[:shown], *result.missed[:shown]]:
        print("   ", line)


def _table(totals: dict[str, Counter[str]]) -> None:
    print(f"{'':18}" + "".join(f"{name:>15}" for name in _COLUMNS))
    whole: Counter[str] = Counter()
    for kind, found in sorted(totals.items()):
        whole.update(found)
        print(f"{kind:18}" + "".join(f"{found[name]:>15}" for name in _COLUMNS))
    print(f"{'all':18}" + "".join(f"{whole[name]:>15}" for name in _COLUMNS))


if __name__ == "__main__":
    main()
