"""`python -m tests.chaos`: crashes every service at every point of it, and looks what became of
the load. `make chaos` calls it.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence

from deploy.embedded.stack import SERVICES
from tests.chaos import hosted, matrix
from tests.chaos.points import beyond, points
from tests.chaos.runs import Result, Run, Stage


def main() -> int:
    """Plays the runs that are asked for; 1 where something was found or not reached."""
    asked = _arguments()
    with hosted.running(lambda text: print(f"  {text}", flush=True), asked.control) as stack:
        results, calm, never = asyncio.run(_play(stack, asked))
        if not all(result.clean for result in [*results, *calm]):
            kept = shutil.copytree(stack.home.folder / "logs", tempfile.mkdtemp() + "/logs")
            print(f"  the logs are kept in {kept}")
    _summary(results, calm, never)
    return 0 if all(result.clean for result in [*results, *calm]) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of the seeds")
    parser.add_argument("--points", default="", help="those whose name has this in it")
    parser.add_argument("--services", default=",".join(SERVICES))
    parser.add_argument("--sample", type=int, default=0, help="so many runs, chosen in pairs")
    parser.add_argument("--together", action="store_true", help="all services in each run")
    parser.add_argument("--by", default="", help="what the sample is chosen by: a commit's hash")
    parser.add_argument("--minutes", type=float, default=600, help="begin no run later")
    parser.add_argument("--control", default=None, help="run a system that must be caught")
    return parser.parse_args()


async def _play(
    stack: hosted.Hosted, asked: argparse.Namespace
) -> tuple[list[Result], list[Result], list[str]]:
    started = time.monotonic()
    async with Stage(stack) as stage:
        calm = await stage.calibrate(asked.first)
        for result in calm:
            _tell("calm", result)
        runs = _chosen(stage, asked)
        results: list[Result] = []
        for n, run in enumerate(runs, 1):
            if time.monotonic() - started > asked.minutes * 60:
                print(f"  the time is over: {len(runs) - n + 1} runs were not begun", flush=True)
                break
            for result in await stage.crash(run):
                _tell(f"{n}/{len(runs)}", result)
                results.append(result)
        never = [point.name for point in matrix.unreached(stage.hits, points())]
    return results, calm, never


def _chosen(stage: Stage, asked: argparse.Namespace) -> Sequence[Run]:
    names = points()
    seeds = range(asked.first, asked.first + asked.seeds)
    found = [
        (seed, service, plan)
        for seed, service, plan in matrix.crashes(stage.hits, names, seeds)
        if asked.points in names[plan.point].name and service in asked.services.split(",")
    ]
    if asked.sample:
        found = matrix.sample(found, names, asked.sample, asked.by)
    return matrix.runs(found, together=asked.together)


def _tell(label: str, result: Result) -> None:
    crashed = [
        f"{service} {points()[plan.point].name} {plan.side} hit {plan.hit}"
        + ("" if service in result.reached else " (unreached)")
        for service, plan in result.run.plans.items()
        if plan
    ]
    what = "ok" if result.clean else "FOUND"
    print(f"  {label} seed {result.run.seed} {what} {result.seconds:.1f} s {'; '.join(crashed)}")
    for checker, findings in result.findings.items():
        for finding in findings[:5]:
            print(f"      {checker}: {finding}")
    if not result.clean and len(crashed) == 1:
        service, plan = next(iter(result.run.plans.items()))
        assert plan
        name = points()[plan.point].name
        print(f"      again: make chaos POINTS='{name}' SERVICES={service} SEED={result.run.seed}")
    sys.stdout.flush()


def _summary(results: Sequence[Result], calm: Sequence[Result], never: Sequence[str]) -> None:
    print(f"\n{'point':<58}" + "".join(f"{service:<14}" for service in SERVICES))
    for name, *row in matrix.table(results, points(), SERVICES):
        print(f"{name:<58}" + "".join(f"{cell:<14}" for cell in row))
    print(f"\nnever reached under this load ({len(never)}):")
    for name in never:
        print(f"{name:<78}{beyond(name) or 'THOUGH IT IS TO BE'}")
    cells = matrix.outcomes(results)
    missed = [where for where, counts in cells.items() if counts["unreached"]]
    findings = sum(len(found) for r in [*results, *calm] for found in r.findings.values())
    print(
        f"\nchaos: {len(results)} runs, {sum(len(r.reached) for r in results)} crashes at"
        f" {len({point for point, _ in cells})} of {len(points())} points, {len(cells)} pairs of"
        f" point and service, {len(missed)} of them unreached; {len(never)} points never reached,"
        f" {sum(not beyond(name) for name in never)} of them without a reason;"
        f" {sum(r.snapshots for r in results)} snapshots of the books; {findings} findings;"
        f" {sum(r.seconds for r in results):.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
