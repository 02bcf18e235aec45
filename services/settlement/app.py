"""Settlement as the chassis sees it: its commands, its three functions, its HTTP interface."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from datetime import date, timedelta

import asyncpg
import structlog

from services.settlement import decisions, store
from services.settlement.api import router
from services.settlement.closing import store as closing
from services.settlement.exposure import Limits, ruled_by
from services.settlement.netting.terms import Terms
from shared.decision import Decision, Delivery, States
from shared.reader import UNWELL
from shared.regions import Regions
from shared.sealing import Keyring
from shared.service import App, Runtime

log = structlog.get_logger()

_IDLE, _RETRY = timedelta(milliseconds=200), timedelta(seconds=5)


class Settlement:
    """The books of all regions of a cell."""

    name = "settlement"
    topics: tuple[str, ...] = ("settlement.commands",)
    handles = decisions.HANDLES

    def __init__(self, regions: Regions, keyring: Keyring) -> None:
        self._regions = regions
        self._terms = Terms(regions)
        self._keyring = keyring
        # A rule is there for ever, so that its place in memory names it.
        self._known: dict[tuple[str, int], Limits] = {}

    async def load(self, db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
        return await store.load(db, self._keyring, batch)

    def decide(self, states: States, delivery: Delivery) -> Decision:
        return decisions.decide(states, delivery, self._limits, self._regions.at, self._terms)

    async def save(self, db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
        await store.save(db, changes)

    def _limits(self, origin: str, destination: str, day: date) -> Limits:
        rule = self._regions.corridor(origin, destination, day).policy.limit(origin)
        key = destination, id(rule)
        limits = self._known.get(key)
        if limits is None:
            limits = self._known[key] = ruled_by(rule, self._regions.calendar(destination))
        return limits


def build(runtime: Runtime) -> App:
    """The service with its HTTP interface."""
    elsewhere = [r.code for r in runtime.regions.all if not runtime.regions.here(r.code)]

    async def balance_days() -> None:
        while True:
            try:
                async with runtime.pool.acquire() as db, db.transaction():
                    balanced = await closing.balance_closed(db, elsewhere)
                if not balanced:
                    await asyncio.sleep(_IDLE.total_seconds())
            except UNWELL as error:
                log.warning("days.unwell", error=repr(error))
                await asyncio.sleep(_RETRY.total_seconds())

    return App(
        Settlement(runtime.regions, runtime.keyring),
        router(runtime),
        tasks=(balance_days,),
        pending=closing.unbalanced,
    )
