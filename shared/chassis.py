"""Runs a service: one pool, one relay, and a reader for each consumer group."""

import asyncio
import gc
import os
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from shared import logs, regions, upkeep
from shared.bus import Subscription
from shared.calendar import SHANGHAI
from shared.cells import Cells
from shared.dead_letters import Record
from shared.deliver import Place, deliver
from shared.edge import copy, take_edge
from shared.http import Health, serve
from shared.messages import Message
from shared.publisher import Publisher
from shared.reader import Handle, Reader
from shared.relay import Relay
from shared.sealing import Keyring
from shared.service import App, Copier
from shared.settings import Settings, read_secrets
from shared.tracing import exporter, spans

log = structlog.get_logger()

# Sooner than whoever told us to end has had enough of us.
_END_SECONDS = 15


class Process:
    """One process of a service; the `Runtime` that its `app.build` gets."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.regions = regions.load(settings.regions, settings.provinces, settings.cell)
        self.cells = Cells(settings.cell, self.regions.cell, {})
        self.keyring = Keyring(read_secrets(settings.secrets))
        self.pool: asyncpg.Pool = None
        self.relay: Relay = None  # type: ignore[assignment]
        self.readers: list[Reader] = []
        self.owner = f"{socket.gethostname()}/{os.getpid()}"
        self._tracer = exporter(name, settings.otlp)
        self._subscriptions: list[Subscription] = []

    async def now(self, db: asyncpg.Connection) -> datetime:
        at: datetime = await db.fetchval("SELECT cell.business_now()")
        return at.astimezone(SHANGHAI)

    async def send(self, db: asyncpg.Connection, messages: Sequence[tuple[UUID, Message]]) -> None:
        place = self.place
        await upkeep.send(db, messages, place, await self.now(db), self.relay.expect)

    def holding(self, seconds: float) -> AbstractContextManager[None]:
        return self.relay.holding(seconds)

    @property
    def place(self) -> Place:
        """Where messages of this process go."""
        settings = self.settings
        return Place(self.cells.prefix_of, settings.partitions, settings.inbox_days)

    async def run(self, build: Callable[["Process"], App]) -> None:
        """Runs until SIGTERM. Whatever fails for good ends the process, to be started again."""
        logs.configure(self.name, self.settings.worker, self.settings.log_level)
        # A batch makes many objects and no cycles, and none of them outlives it: who looks for
        # cycles in the midst of it finds nothing. `watch_loop` looks now and then.
        gc.disable()
        self.pool, generations = await upkeep.pool(self.settings, self.name)
        self.cells = replace(self.cells, generations=generations)
        poll = 0.5 if self.settings.workers == 1 else 0.03
        self.relay = Relay(self.pool, Publisher(self.settings, self.name), poll)
        app = build(self)
        self._readers(app)
        gc.freeze()  # what is there now is there for good
        health = Health(self, app)
        jobs: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = (
            self.relay.run,
            partial(upkeep.timers_loop, self),
            partial(upkeep.partitions_loop, self),
            partial(upkeep.watch_loop, self),
            partial(serve, self, app, health),
            *app.tasks,
        )
        tasks = [asyncio.create_task(job()) for job in jobs]
        for subscription in self._subscriptions:
            subscription.start()
        stopping = asyncio.create_task(upkeep.told_to_stop())
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        if stopping not in done:
            failed = next(iter(done))
            log.critical("process.failed", error=repr(failed.exception()))
            os._exit(1)
        await self._end(tasks)

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        # Whatever still waits for the database then, of an answer that does not come or of a client
        # that takes none, has waited in vain.
        late = asyncio.get_running_loop().call_later(_END_SECONDS, self._cut)
        relay, *others = tasks
        for task in others:
            task.cancel()
        await asyncio.gather(*(one.finish() for one in self._subscriptions))
        try:
            async with asyncio.timeout(10):
                await self.relay.drained()
        except TimeoutError:
            log.warning("process.unpublished", waiting=self.relay.waiting)
        await asyncio.gather(*(one.leave() for one in self._subscriptions))
        relay.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.pool.close()
        late.cancel()

    def _cut(self) -> None:
        log.warning("process.cut", seconds=_END_SECONDS)
        self.pool.terminate()

    def _readers(self, app: App) -> None:
        cell = self.cells.prefix
        service = app.service
        if isinstance(service, Copier):
            topics = [t if t.startswith("upstream.") else f"{cell}.{t}" for t in service.topics]
            self._subscribe(self.name, topics, partial(copy, service), None, app.patience)
            return
        own = f"{cell}.{self.name}.commands"
        topics = sorted({own, *(f"{cell}.{topic}" for topic in service.topics)})
        self._subscribe(self.name, topics, partial(deliver, service, self.place), own, app.patience)
        if app.edge:
            edge = partial(take_edge, app.edge, self.place)
            self._subscribe(f"{self.name}-edge", [app.edge.topic], edge, None, app.patience)

    def _subscribe(
        self, group: str, topics: Sequence[str], handle: Handle, own: str | None, patience: float
    ) -> None:
        reader = Reader(group, self.pool, self.relay, handle, self.owner)
        reader.topics, reader.partitions = topics, self.settings.partitions
        if self._tracer:
            reader.after = self._trace

        def fed(assigned: Sequence[tuple[str, int]]) -> list[str]:
            numbers = [n for topic, n in assigned if topic == own]
            return [f"{lane}/{n}" for lane in ("intake", "timers") for n in numbers]

        group = f"{self.cells.prefix}.{group}"
        self._subscriptions.append(Subscription(self.settings, group, reader, fed, patience))
        self.readers.append(reader)

    def _trace(self, batch: Sequence[Record], started: int) -> None:
        assert self._tracer
        spans(self._tracer, batch, started, time.time_ns())
