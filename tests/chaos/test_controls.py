"""The harness can find things: it catches a system without an inbox, and one that commits first."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from deploy.embedded.stack import SERVICES
from tests.chaos import hosted
from tests.chaos.crash import Plan
from tests.chaos.points import points
from tests.chaos.runs import Run, Stage


@pytest.fixture
def stack() -> Iterator[hosted.Hosted]:
    with hosted.running(print) as running:
        yield running


@asynccontextmanager
async def stage(stack: hosted.Hosted) -> AsyncIterator[Stage]:
    """A stage that knows how people end when nothing is disturbed."""
    async with Stage(stack) as ours:
        stack.control = None
        calm = await ours.play(Run(1, dict.fromkeys(SERVICES)))
        assert calm.clean, calm.findings
        yield ours
        stack.control = None


async def test_a_system_without_an_inbox_is_caught_doing_things_twice(stack: hosted.Hosted) -> None:
    async with stage(stack) as ours:
        stack.control = "no-inbox"

        caught = await ours.play(Run(1, dict.fromkeys(SERVICES)))

        # What a message led to is there twice: what was sent for it, or its step in the saga.
        twice = [*caught.findings["set"], *caught.findings["version"]]
        assert any("decided 2 times" in one or "more" in one for one in twice), caught.findings


async def test_a_system_that_commits_first_is_caught_losing_messages(stack: hosted.Hosted) -> None:
    loading = next(p.number for p in points() if p.name == "folding.apply:service.load")
    async with stage(stack) as ours:
        stack.control = "commit-first"

        caught = await ours.play(Run(1, {"transfer": Plan(loading, "after", 1)}))

        # Kafka was told that they are handled, and nothing else knows of them.
        assert caught.reached == {"transfer"}
        lost = [one for one in caught.findings["set"] if one.endswith("was not handled")]
        assert any(one.startswith("transfer: ") for one in lost), caught.findings
