"""Every await of what delivers is a crash point, and a point changes nothing until it ends us."""

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos import crash, points

HERE = points.ROOT
ENDING = """
import asyncio, pathlib, sys
from tests.chaos import crash

file = pathlib.Path(sys.argv[1])
crash.POINTS.begin(pathlib.Path(sys.argv[2]), 1, crash.Plan(0, sys.argv[3], int(sys.argv[4])))

async def ask():
    file.write_text(file.read_text() + "asked ")
    await asyncio.sleep(0.01)
    file.write_text(file.read_text() + "answered ")

async def main():
    for _ in range(2):
        await crash.point(0, ask())
        file.write_text(file.read_text() + "used ")

asyncio.run(main())
"""


def test_every_module_of_shared_that_awaits_has_points_or_a_reason() -> None:
    awaiting = {
        f"shared.{path.stem}"
        for path in (HERE / "shared").glob("*.py")
        if any(points.awaits(path.read_text("utf-8")))
    }

    assert awaiting == {m for m in points.MODULES if m.startswith("shared.")} | set(points.EXEMPT)


@pytest.mark.parametrize("module", points.MODULES)
def test_every_await_of_a_module_is_a_point(module: str) -> None:
    source = points.source_of(module).read_text("utf-8")
    found = Counter(p.module for p in points.points())[module]

    assert found == len(list(points.awaits(source))) - points.asked_alone(module)


def test_an_await_that_is_put_into_a_module_becomes_a_point() -> None:
    before = "async def f(x):\n    await x.one()\n"
    after = before + "    async with x.two():\n        return [await y async for y in x]\n"

    _, found = points.rewrite("m", after, 0)

    names = [point.name for point in found]
    assert names == ["m.f:x.one", "m.f:x.two/enter", "m.f:x.two/leave", "m.f:y", "m.f:x/next"]
    assert len(names) == len(list(points.awaits(after)))


def test_names_of_points_are_unique() -> None:
    names = Counter(point.name for point in points.points())

    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("part", points.BEYOND)
def test_what_is_said_to_be_beyond_the_load_is_a_point(part: str) -> None:
    assert any(part in point.name for point in points.points())


@pytest.mark.parametrize(
    ("side", "hit", "seen"),
    [
        ("amid", 1, "asked "),
        ("after", 1, "asked answered "),
        ("amid", 2, "asked answered used asked "),
        ("after", 2, "asked answered used asked answered "),
    ],
)
def test_a_process_ends_where_it_is_to(tmp_path: Path, side: str, hit: int, seen: str) -> None:
    file, hits = tmp_path / "seen", tmp_path / "hits"
    file.write_text("")

    done = subprocess.run(
        [sys.executable, "-c", ENDING, str(file), str(hits), side, str(hit)], cwd=HERE, check=False
    )

    assert done.returncode == crash.EXIT
    assert file.read_text() == seen
    assert crash.hits(hits)[0, "amid"] == hit


async def test_a_point_passes_on_results_errors_and_cancellation() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("as told")

    async def answers() -> int:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return 7

    assert await crash.point(0, answers()) == 7
    with pytest.raises(ValueError, match="as told"):
        await crash.point(0, fails())
    with pytest.raises(TimeoutError):
        async with crash.around(0, 1, asyncio.timeout(0.01)):
            await crash.point(0, asyncio.Event().wait())
