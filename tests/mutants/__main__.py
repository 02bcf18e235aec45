"""`make mutants`: small faults made one by one in what thinks, and whether a test sees each.

mutmut makes them and runs the tests that pass through the function (pyproject.toml says which tests
and which files); what it does not think of is added here. Exit 1 if a fault that no test sees is
not explained in `explained.toml`. With paths of files, only those.
"""

import shutil
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import libcst as cst
import mutmut.__main__ as tool
import mutmut.stats as figures
from mutmut.mutation import mutators
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.utils.file_utils import walk_mutatable_files

EXPLAINED = Path(__file__).with_name("explained.toml")
SAY_EVERY_S = 20
SEEN = frozenset({"killed", "timeout"})


def without_alternative(pattern: cst.MatchOr) -> Iterable[cst.MatchPattern]:
    """A `case` that forgets one of its messages; a state in quotes is changed by mutmut itself."""
    for left_out in pattern.patterns:
        if isinstance(left_out.pattern, cst.MatchValue):
            continue
        rest = [one for one in pattern.patterns if one is not left_out]
        rest[-1] = rest[-1].with_changes(separator=cst.MaybeSentinel.DEFAULT)
        yield pattern.with_changes(patterns=rest) if len(rest) > 1 else rest[0].pattern


def without_guard(case: cst.MatchCase) -> Iterable[cst.MatchCase]:
    """A `case` that does not look at its `if`."""
    if case.guard is not None:
        yield case.with_changes(guard=cst.Name("True"))


def run(files: list[str]) -> None:
    """Makes the mutants anew and tries each; what it says on the way is thinned out."""
    said_at = 0.0

    def say(status: str, *, force_output: bool = False) -> None:
        nonlocal said_at
        if force_output or time.monotonic() - said_at > SAY_EVERY_S:
            said_at = time.monotonic()
            print("mutants:", status, file=sys.__stdout__, flush=True)

    tool.print_status = figures.print_status = say
    mutators.mutation_operators.extend(
        [
            (cst.MatchOr, without_alternative),
            (cst.MatchCase, without_guard),
            (cst.If, mutators.operator_if_exp),
        ]
    )
    if files:
        tool.config().only_mutate = files
    shutil.rmtree("mutants", ignore_errors=True)
    tool._run([], max_children=1)


def change(mutant: str, path: Path) -> tuple[str, str]:
    """The text that was changed, and what it is in the mutant."""
    lines = get_diff_for_mutant(mutant, path=path).splitlines()[2:]
    was, now = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    return was, now


def report() -> bool:
    """The survivors and the figures; whether all is seen or explained."""
    told = tomllib.loads(EXPLAINED.read_text("utf-8"))["survivor"]
    explained = {(one["was"], one["is"]) for one in told}
    total: Counter[str] = Counter()
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        found: Counter[str] = Counter()
        for mutant, code in data.exit_code_by_key.items():
            status = figures.status_by_exit_code[code]
            if status in SEEN:
                found["killed"] += 1
                continue
            was, now = change(mutant, path)
            known = (was, now) in explained
            found["explained" if known else "survived"] += 1
            if not known:
                print(f"\n{mutant} ({status})\n  - {was}\n  + {now}")
        _figures(str(path), found)
        total += found
    _figures("all", total)
    return not total["survived"]


def _figures(of: str, found: Counter[str]) -> None:
    share = found["killed"] / max(1, found.total())
    kinds = ", ".join(f"{found[kind]} {kind}" for kind in ("killed", "explained", "survived"))
    print(f"{of}: {found.total()} mutants, {kinds}: {share:.1%}")


if __name__ == "__main__":
    run(sys.argv[1:])
    sys.exit(0 if report() else 1)
