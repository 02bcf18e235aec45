"""A reader: one consumer group's batches through one handler, whatever happens to the world.

Knows how to try again, how to wait, and when to give up; knows nothing of FastStream.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

import asyncpg
import structlog

from shared import lanes, metrics, outbox
from shared.dead_letters import Record
from shared.deliver import Delivered
from shared.folding import REFUSED_BY_DATABASE
from shared.lanes import Fenced
from shared.relay import Relay

log = structlog.get_logger()

Handle = Callable[
    [asyncpg.Connection, dict[str, int], dict[str, int], Sequence[Record], bool],
    Awaitable[Delivered],
]
"""(connection, epochs, published, batch, apart) → what was delivered."""

TRY_AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
UNWELL = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
_FAULTS = 5
_STUCK_SECONDS = 60.0


class Position(Protocol):
    """What a reader needs of its consumer."""

    async def commit(self, offsets: dict[tuple[str, int], int]) -> None: ...
    def pause(self, back_to: dict[tuple[str, int], int]) -> None: ...
    def resume(self) -> None: ...
    async def seek(self, offsets: dict[tuple[str, int], int]) -> None: ...
    async def ends(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]: ...


class Reader:
    """Handles the batches of one consumer group. `epochs` are the lanes that are ours."""

    def __init__(
        self, name: str, pool: asyncpg.Pool, relay: Relay, handle: Handle, owner: str
    ) -> None:
        self.name = name
        self.epochs: dict[str, int] = {}
        self.offsets: dict[tuple[str, int], int] = {}
        self.assigned = False
        self.handled = 0
        self.unwell_since: float | None = None
        self.after: Callable[[Sequence[Record], int], None] | None = None
        self.position: Position | None = None
        self._pool = pool
        self._relay = relay
        self._handle = handle
        self._owner = owner
        self._busy = asyncio.Lock()
        self._delay = 0.1
        self._faults = 0
        self._moved = time.monotonic()
        self._resuming: asyncio.Task[None] | None = None

    async def assign(self, partitions: Sequence[tuple[str, int]], fed: Sequence[str]) -> None:
        """Takes over the lanes of these partitions, and of what is fed beside them: raises their
        epochs, sends what they have not published, and starts where they stand.
        """
        names = [f"{topic}/{n}" for topic, n in partitions]
        while True:
            try:
                async with self._pool.acquire() as db:
                    taken = await lanes.take_over(db, [*names, *fed], self._owner)
                    left = await outbox.beyond(
                        db,
                        {lane.name: lane.published for lane in taken if lane.name in names},
                        limit=1_000_000,
                    )
                break
            except UNWELL as error:
                log.warning("reader.assign", reader=self.name, error=repr(error))
                await asyncio.sleep(0.5)
        for lane in taken:
            self._relay.own(lane, fed=lane.name in fed)
        self._relay.put(left)
        self.epochs = {lane.name: lane.epoch for lane in taken}
        starts = {lane.name: lane.next_offset for lane in taken}
        self.offsets = {(t, n): starts[f"{t}/{n}"] for t, n in partitions}
        if self.position:
            await self.position.seek(self.offsets)
        self.assigned = True
        self._moved = time.monotonic()

    async def revoke(self) -> None:
        """The partitions go to others: the batch in hand is finished first, within bounds."""
        self.assigned = False
        try:
            async with asyncio.timeout(10), self._busy:
                pass
        except TimeoutError:
            log.warning("reader.revoke", reader=self.name, why="a batch is still in hand")
        self._relay.disown(list(self.epochs))
        self.epochs = {}
        self.offsets = {}

    async def take(self, batch: Sequence[Record]) -> None:
        """Handles a batch and commits its offsets; while the world is unwell, puts it off."""
        async with self._busy:
            mine = [record for record in batch if record.lane in self.epochs]
            if not mine or self.position is None:
                return
            await self._relay.room()
            started = time.time_ns()
            try:
                delivered = await self._attempt(mine)
            except Fenced as error:
                log.warning("reader.fenced", reader=self.name, error=str(error))
                return
            except UNWELL as error:
                self._put_off(mine, error)
                return
            except Exception as error:
                self._faults += 1
                log.exception("reader.fault", reader=self.name, attempt=self._faults)
                self._put_off(mine, error)
                return
            self._relay.put(delivered.sent)
            self._done(mine, delivered, started)
            await self._commit()

    async def _attempt(self, batch: Sequence[Record]) -> Delivered:
        apart = self._faults >= _FAULTS
        while True:
            try:
                async with self._pool.acquire() as db:
                    return await self._handle(db, self.epochs, self._relay.published, batch, apart)
            except TRY_AGAIN:
                log.info("reader.again", reader=self.name)
            except REFUSED_BY_DATABASE as error:
                if apart:
                    raise
                log.warning("reader.apart", reader=self.name, error=repr(error))
                apart = True

    def _done(self, batch: Sequence[Record], delivered: Delivered, started: int) -> None:
        self._faults = 0
        self._delay = 0.1
        self.unwell_since = None
        self._moved = time.monotonic()
        self.handled += len(batch)
        for record in batch:
            self.offsets[record.topic, record.partition] = record.offset + 1
        metrics.BATCH.labels(self.name).observe(len(batch))
        metrics.SECONDS.labels(self.name).observe((time.time_ns() - started) / 1e9)
        metrics.HANDLED.labels(self.name).inc(delivered.fresh)
        metrics.REFUSED.labels(self.name).inc(delivered.refused)
        if delivered.refused:
            log.error("reader.refused", reader=self.name, count=delivered.refused)
        if self.after:
            self.after(batch, started)

    def _put_off(self, batch: Sequence[Record], error: BaseException) -> None:
        assert self.position
        first: dict[tuple[str, int], int] = {}
        for record in batch:
            where = record.topic, record.partition
            first[where] = min(first.get(where, record.offset), record.offset)
        self.unwell_since = self.unwell_since or time.monotonic()
        metrics.UNWELL.labels(self.name).inc()
        log.warning("reader.unwell", reader=self.name, error=repr(error), delay=self._delay)
        self.position.pause(first)
        self._resuming = asyncio.create_task(self._resume(self._delay))
        self._delay = min(self._delay * 2, 10.0)

    async def _resume(self, delay: float) -> None:
        await asyncio.sleep(delay)
        if self.position:
            self.position.resume()

    async def _commit(self) -> None:
        assert self.position
        try:
            async with asyncio.timeout(15):
                await self.position.commit(dict(self.offsets))
        except Exception as error:  # noqa: BLE001 - the lane knows the position; Kafka's follows
            metrics.COMMIT_FAILED.labels(self.name).inc()
            log.warning("reader.commit", reader=self.name, error=repr(error))

    async def lag(self) -> int:
        """How many messages of our partitions are not handled yet."""
        if not self.position or not self.offsets:
            return 0
        ends = await self.position.ends(self.offsets)
        lag = sum(max(0, end - self.offsets.get(tp, 0)) for tp, end in ends.items())
        metrics.LAG.labels(self.name).set(lag)
        return lag

    @property
    def ready(self) -> bool:
        """It has its partitions, and the world has not been unwell for a minute."""
        ill = (
            self.unwell_since is not None and time.monotonic() - self.unwell_since > _STUCK_SECONDS
        )
        return self.assigned and not ill

    async def stuck(self) -> bool:
        """There is something to handle and nothing has moved for a minute."""
        still = time.monotonic() - self._moved > _STUCK_SECONDS
        return self.assigned and still and self.unwell_since is None and await self.lag() > 0
