"""Settlement as the chassis sees it: its commands, its three functions, its HTTP interface."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from functools import partial

import asyncpg
import structlog
from prometheus_client import Gauge

from services.settlement import decisions, store
from services.settlement.api import router
from services.settlement.closing import store as closing
from services.settlement.closing.api import auditing
from services.settlement.exposure import Limits, in_force, ruled_by
from services.settlement.netting.terms import Terms
from services.settlement.rows import CORRIDORS
from services.settlement.states import Corridor
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
        self._today: tuple[date, dict[tuple[str, str], Limits]] = date.min, {}

    async def load(self, db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
        return await store.load(db, self._keyring, batch)

    def decide(self, states: States, delivery: Delivery) -> Decision:
        return decisions.decide(states, delivery, self._limits, self._regions.at, self._terms)

    async def save(self, db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
        await store.save(db, changes)

    def limits(self, corridor: Corridor, today: date) -> Limits:
        """What holds on a corridor today, with what two people agreed on."""
        return in_force(corridor, self._limits(corridor.origin, corridor.destination, today))

    def _limits(self, origin: str, destination: str, day: date) -> Limits:
        if self._today[0] != day:
            self._today = day, {}
        known = self._today[1]
        limits = known.get((origin, destination))
        if limits is None:
            rule = self._regions.corridor(origin, destination, day).policy.limit(origin)
            limits = ruled_by(rule, self._regions.calendar(destination))
            known[origin, destination] = limits
        return limits


_OPEN = Gauge("jiexu_exposure_fen", "Open advances", ["corridor"])
_LIMIT = Gauge("jiexu_exposure_limit_fen", "The limit of open advances", ["corridor"])
_WARNED = Gauge("jiexu_exposure_warned_percent", "The highest threshold crossed", ["corridor"])
_SUSPENDED = Gauge("jiexu_corridor_suspended", "1 while nothing is advanced", ["corridor"])
_WATCH_SECONDS = 10


async def watch(runtime: Runtime, books: Settlement) -> None:
    """Shows the corridors to whoever reads the metrics."""
    while True:
        try:
            async with runtime.pool.acquire() as db:
                found = await db.fetch("SELECT * FROM corridors")
                today = (await runtime.now(db)).date()
        except UNWELL:
            # What is shown stays as it was; whoever handles messages says what is unwell.
            found = []
        for corridor in map(CORRIDORS.read, found):
            # A region whose file was taken away has no limits any more.
            with suppress(KeyError):
                show(corridor, books.limits(corridor, today))
        await asyncio.sleep(_WATCH_SECONDS)


def show(corridor: Corridor, limits: Limits) -> None:
    """Sets the gauges of a corridor; its regions are no personal data."""
    name = f"{corridor.origin}>{corridor.destination}"
    _OPEN.labels(name).set(corridor.open_fen)
    _LIMIT.labels(name).set(limits.open_fen)
    _WARNED.labels(name).set(corridor.warned_percent)
    _SUSPENDED.labels(name).set(corridor.suspended is not None)


def build(runtime: Runtime) -> App:
    """The service with its HTTP interface."""
    books = Settlement(runtime.regions, runtime.keyring)
    elsewhere = [r.code for r in runtime.regions.all if not runtime.regions.here(r.code)]

    async def balance_days() -> None:
        while True:
            try:
                async with runtime.pool.acquire() as db, db.transaction():
                    told = await closing.balance_closed(db, elsewhere)
                    if told:
                        await runtime.send(db, told)
                if told is None:
                    await asyncio.sleep(_IDLE.total_seconds())
            except UNWELL as error:
                log.warning("days.unwell", error=repr(error))
                await asyncio.sleep(_RETRY.total_seconds())

    api = router(runtime)
    api.include_router(auditing(runtime, books))
    return App(
        books,
        api,
        tasks=(balance_days, partial(watch, runtime, books)),
        pending=closing.unbalanced,
    )
