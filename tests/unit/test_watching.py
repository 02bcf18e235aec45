"""The watch goes on whatever hangs, and ends a process that hangs."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from shared import upkeep
from shared.lanes import Lane
from shared.relay import Relay


class SilentPool:
    """Its one connection never answers, nor to being given up."""

    over = False

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[object]:
        try:
            yield SimpleNamespace(fetch=self._never, fetchrow=self._never)
        finally:
            if not self.over:
                await self._never()

    async def _never(self, *_: object) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self.over:
                    raise


class Ended(Exception):
    """The process would have ended itself."""


@pytest.fixture
async def silent() -> AsyncIterator[SilentPool]:
    pool = SilentPool()
    yield pool
    pool.over = True
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def test_a_count_that_never_ends_does_not_keep_the_watch_from_the_readers(
    silent: SilentPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck:
        name = "r"

        async def stuck(self) -> bool:
            return True

    def ended(_: int) -> None:
        raise Ended

    monkeypatch.setattr(upkeep, "_LOOK_SECONDS", 0)
    monkeypatch.setattr(os, "_exit", ended)
    relay = SimpleNamespace(waiting=0, sent=0, stuck=lambda _: False)
    process: Any = SimpleNamespace(name="p", pool=silent, relay=relay, readers=[Stuck()])

    watch = asyncio.create_task(upkeep.watch_loop(process))
    done, _ = await asyncio.wait({watch}, timeout=5)

    assert done
    assert isinstance(watch.exception(), Ended)


async def test_a_relay_whose_database_does_not_answer_is_stuck(silent: SilentPool) -> None:
    relay = Relay(silent, SimpleNamespace(hear=lambda: None), 0.01)
    relay.own(Lane("intake/0", 1, 0, 0, 0), fed=True)
    well = relay.stuck(0.05)

    running = asyncio.create_task(relay.run())
    await asyncio.wait({running}, timeout=0.2)

    assert (well, relay.stuck(0.05), relay.stuck(60)) == (False, True, False)
