"""`python -m tests.simulation`: many seeds on all cores, or one seed with its story.

--seeds 10000 [--first 0] [--processes 2]
--seed 1234
"""

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from os import cpu_count

from tests.simulation.situations import SITUATIONS, seen_in
from tests.simulation.world import World

ENOUGH_FOR_ALL = 1000
"""From so many seeds on every situation must have been reached."""
_CHUNK = 50
_TOLD_EVERY = 1000
_MOST_SHOWN = 5
_MOST_LINES = 150


@dataclass(frozen=True, slots=True)
class Outcome:
    """What some seeds gave: steps, how often each situation was reached, what was found."""

    seeds: int
    steps: int
    seen: Counter[str]
    found: dict[int, str]


def play(seeds: Sequence[int]) -> Outcome:
    """Plays worlds one after the other."""
    steps, seen, found = 0, Counter[str](), dict[int, str]()
    for seed in seeds:
        world = World(seed)
        try:
            world.run()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            found[seed] = reason(error)
        steps += world.steps
        seen.update(seen_in(world))
    return Outcome(len(seeds), steps, seen, found)


def reason(error: Exception) -> str:
    """What was found, and where if the finding does not say it itself."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = "" if str(error) else f" at {last.filename}:{last.lineno}: {last.line}"
    return f"{type(error).__name__}: {error}{where}"


def chunks(first: int, count: int) -> Iterator[range]:
    """The seeds in portions."""
    for start in range(first, first + count, _CHUNK):
        yield range(start, min(start + _CHUNK, first + count))


def many(first: int, count: int, processes: int) -> int:
    """Plays `count` seeds, says how it went, and gives the exit status."""
    started = time.monotonic()
    done, steps, seen, found = 0, 0, Counter[str](), dict[int, str]()
    with get_context("fork").Pool(processes) as pool:
        for outcome in pool.imap_unordered(play, chunks(first, count)):
            done, steps = done + outcome.seeds, steps + outcome.steps
            seen += outcome.seen
            found |= outcome.found
            # On a terminal one line that grows; in a log now and then a line of its own.
            if sys.stderr.isatty() or done % _TOLD_EVERY == 0:
                end = "\r" if sys.stderr.isatty() else "\n"
                print(f"{done}/{count} seeds, {len(found)} findings", end=end, file=sys.stderr)
    seconds = time.monotonic() - started
    _show_situations(seen)
    for seed in sorted(found)[:_MOST_SHOWN]:
        print(f"\nseed {seed}: {found[seed]}")
        print(f"replay it with: make simulate SEED={seed}")
    missing = [name for name in SITUATIONS if not seen[name]] if count >= ENOUGH_FOR_ALL else []
    for name in missing:
        print(f"never reached: {name}")
    reached = sum(1 for name in SITUATIONS if seen[name])
    print(
        f"simulation: {count} seeds, {steps} steps, {seconds:.1f} s, {len(found)} findings,"
        f" {reached} of {len(SITUATIONS)} situations reached"
    )
    return 1 if found or missing else 0


def _show_situations(seen: Counter[str]) -> None:
    print(f"\n{'worlds':>8}  situation")
    for name in SITUATIONS:
        print(f"{seen[name]:>8}  {name}")


def one(seed: int) -> int:
    """Plays one seed and tells its story."""
    world = World(seed)
    try:
        world.run()
        found = None
    except Exception as error:  # noqa: BLE001 - it is shown
        found = reason(error)
    stories = ", ".join(f"{person.key[-2:]} {person.story}" for person in world.people)
    print(f"seed {seed}: {stories}; {world.policy}; from {world.begun:%Y-%m-%d}")
    lines = list(world.told.text())
    if len(lines) > _MOST_LINES and found:
        print(f"(the first {len(lines) - _MOST_LINES} lines are left out)")
        lines = lines[-_MOST_LINES:]
    print("\n".join(lines))
    print(f"seed {seed}: {world.steps} steps, {found or 'nothing found'}")
    return 1 if found else 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    number = partial(parser.add_argument, type=int)
    number("--seed", help="play this one and tell its story")
    number("--seeds", default=10_000, help="how many to play")
    number("--first", default=0, help="the first of them")
    number("--processes", default=cpu_count() or 1, help="how many at a time")
    asked = parser.parse_args()
    if asked.seed is not None:
        return one(asked.seed)
    return many(asked.first, asked.seeds, asked.processes)


if __name__ == "__main__":
    sys.exit(main())
