"""A reader: one consumer group's batches through one handler, whatever happens to the world.

Knows how to try again, how to wait, and when to give up; knows nothing of its client.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from math import inf
from typing import Protocol

import asyncpg
import structlog

from shared import lanes, metrics, outbox
from shared.dead_letters import Record
from shared.deliver import Delivered
from shared.folding import TO_BE_TAKEN_APART
from shared.lanes import Fenced
from shared.relay import Relay
from shared.starts import Missing, starts

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
_DEAF_SECONDS = 300.0
_FENCED_SECONDS = 0.5


class Position(Protocol):
    """What a reader needs of its consumer."""

    async def commit(self, offsets: dict[tuple[str, int], int]) -> None: ...
    def pause(self, back_to: dict[tuple[str, int], int]) -> None: ...
    def resume(self) -> None: ...
    async def seek(self, offsets: dict[tuple[str, int], int]) -> None: ...
    async def bounds(
        self, partitions: Iterable[tuple[str, int]]
    ) -> dict[tuple[str, int], tuple[int, int]]: ...


class Reader:
    """Handles the batches of one consumer group. `epochs` are the lanes that are ours."""

    def __init__(
        self, name: str, pool: asyncpg.Pool, relay: Relay, handle: Handle, owner: str
    ) -> None:
        self.name = name
        self.topics: Sequence[str] = ()
        self.partitions = 0
        self.epochs: dict[str, int] = {}
        self.offsets: dict[tuple[str, int], int] = {}
        self.assigned = False
        self.handled = 0
        self.unwell_since: float | None = None
        self.deaf_since: float | None = None
        self.after: Callable[[Sequence[Record], int], None] | None = None
        self.position: Position | None = None
        self._pool = pool
        self._relay = relay
        self._handle = handle
        self._owner = owner
        self._busy = asyncio.Lock()
        self._delay, self._faults, self._tries, self._in_doubt = 0.1, 0, 0, False
        self._begins: dict[tuple[str, int], int] = {}
        self._still_since = time.monotonic()
        self._seen = (0, False)
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
        known = {lane.name: lane.next_offset for lane in taken}
        offsets = await self._starts({(t, n): known[f"{t}/{n}"] for t, n in partitions})
        # At once: with epochs and no offsets a batch would be handled, and what it skips be lost.
        self.epochs, self.offsets = {lane.name: lane.epoch for lane in taken}, offsets
        self.assigned, self.unwell_since = True, None
        self._still_since = time.monotonic()

    async def _starts(self, known: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        """Where to begin. Ends the process where Kafka lacks what the database knows of."""
        bounds: dict[tuple[str, int], tuple[int, int]] = {}
        while self.position and known.keys() - bounds.keys():
            bounds = await self.position.bounds(known)
            await asyncio.sleep(0 if bounds else 0.5)
        try:
            begin, deleted = starts(known, bounds)
        except Missing as error:
            log.critical("reader.missing", reader=self.name, error=str(error))
            os._exit(1)
        if deleted:
            log.critical("reader.lost", reader=self.name, deleted=str(deleted))
        return begin

    async def revoke(self) -> None:
        """The partitions go to others: the batch in hand is finished first, within bounds."""
        self.assigned = False
        self._still_since = time.monotonic()
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
            # The fence is the one the batch was read under: lanes may go and come back meanwhile.
            epochs = self.epochs
            mine = [record for record in batch if record.lane in epochs]
            if not mine or self.position is None or await self._gap(mine, self.position):
                return
            await self._relay.room()
            started = time.time_ns()
            try:
                delivered = await self._attempt(mine, epochs)
                if self._in_doubt:
                    delivered.sent = await self._relay.not_given(epochs)
                    self._in_doubt = False
            except Fenced as error:
                log.warning("reader.fenced", reader=self.name, error=str(error))
                await asyncio.sleep(_FENCED_SECONDS)  # until we are told that they are gone
                if epochs is self.epochs:
                    await self.position.seek(self.offsets)
                return
            except UNWELL as error:
                self._put_off(mine, error)
                return
            except Exception as error:
                self._faults += 1
                log.exception("reader.fault", reader=self.name, attempt=self._faults)
                self._put_off(mine, error)
                return
            self._relay.put([row for row in delivered.sent if row.lane in self.epochs])
            if epochs is self.epochs:
                self._done(mine, delivered, started)
                await self.position.commit(dict(self.offsets))

    async def pass_over(self, ends: dict[tuple[str, int], int]) -> None:
        """Stands at these offsets now: there is nothing to handle before them."""
        async with self._busy:
            epochs, stands = self.epochs, ends
            try:
                async with self._pool.acquire() as db, db.transaction():
                    await lanes.pass_over(db, epochs, {f"{t}/{n}": o for (t, n), o in ends.items()})
            except (Fenced, *UNWELL) as error:
                log.warning("reader.pass-over", reader=self.name, error=repr(error))
                await asyncio.sleep(_FENCED_SECONDS)
                stands = self.offsets
            if epochs is self.epochs and self.position:
                self.offsets |= stands
                # What is not passed over is asked for again.
                await self.position.seek({where: self.offsets[where] for where in ends})

    async def _gap(self, batch: Sequence[Record], position: Position) -> bool:
        """Whether the batch begins later than we stand; then all of it is read again from there."""
        first = _firsts(batch)
        gaps = {w: n for w, n in first.items() if n > self.offsets.get(w, n)}
        unsure = {w: self.offsets[w] for w, n in gaps.items() if self._begins.get(w) != n}
        if gaps and not unsure:  # read again, and Kafka has nothing between: a mark of its own
            log.warning("reader.hole", reader=self.name, begins=str(gaps))
        if not unsure:
            return False
        self._begins |= gaps
        self.offsets |= await self._starts(unsure)
        # Not gaps alone: what came in its turn beside them would not come again by itself.
        again = {where: self.offsets.get(where, n) for where, n in first.items()}
        if behind := any(again[where] < n for where, n in gaps.items()):
            log.error("reader.gap", reader=self.name, again=str(again))
            await position.seek(again)
        return behind

    async def _attempt(self, batch: Sequence[Record], epochs: dict[str, int]) -> Delivered:
        apart = self._faults >= _FAULTS
        while True:
            try:
                async with self._pool.acquire() as db:
                    return await self._handle(db, epochs, self._relay.published, batch, apart)
            except TRY_AGAIN:
                log.info("reader.again", reader=self.name)
            except TO_BE_TAKEN_APART as error:
                if apart:
                    raise
                log.warning("reader.apart", reader=self.name, error=repr(error))
                apart = True

    def _done(self, batch: Sequence[Record], delivered: Delivered, started: int) -> None:
        self._faults = 0
        self._delay = 0.1
        self.unwell_since = None
        self.handled += len(batch)
        for record in {record.lane: record for record in batch}.values():
            self.offsets[record.topic, record.partition] = record.offset + 1
        metrics.BATCH.labels(self.name).observe(len(batch))
        metrics.SECONDS.labels(self.name).observe((time.time_ns() - started) / 1e9)
        metrics.HANDLED.labels(self.name).inc(delivered.fresh)
        for kind, count in Counter(row.type for row in delivered.sent).items():
            metrics.SAID.labels(kind).inc(count)
        metrics.REFUSED.labels(self.name).inc(delivered.refused)
        if delivered.refused:
            log.error("reader.refused", reader=self.name, count=delivered.refused)
        if self.after:
            self.after(batch, started)

    def _put_off(self, batch: Sequence[Record], error: BaseException) -> None:
        assert self.position
        self._in_doubt = True
        self._tries += 1
        self.unwell_since = self.unwell_since or time.monotonic()
        metrics.UNWELL.labels(self.name).inc()
        log.warning("reader.unwell", reader=self.name, error=repr(error), delay=self._delay)
        self.position.pause(_firsts(batch))
        self._resuming = asyncio.create_task(self._resume(self._delay))
        self._delay = min(self._delay * 2, 10.0)

    async def _resume(self, delay: float) -> None:
        await asyncio.sleep(delay)
        if self.position:
            self.position.resume()

    async def bounds(
        self, partitions: Iterable[tuple[str, int]]
    ) -> dict[tuple[str, int], tuple[int, int]]:
        """As `Position.bounds`; remembers since when the consumer hears nothing of Kafka."""
        bounds = await self.position.bounds(partitions) if self.position else {}
        self.deaf_since = None if bounds else self.deaf_since or time.monotonic()
        return bounds

    async def lag(self) -> int:
        """How many messages of our partitions are not handled yet."""
        if not self.position or not self.offsets:
            return 0
        bounds = await self.bounds(self.offsets)
        lag = sum(max(0, end - self.offsets.get(tp, 0)) for tp, (_, end) in bounds.items())
        metrics.LAG.labels(self.name).set(lag)
        return lag

    @property
    def ready(self) -> bool:
        """It has its partitions, and the world has not been unwell for a minute."""
        since = [at for at in (self.unwell_since, self.deaf_since) if at is not None]
        return self.assigned and time.monotonic() - min(since, default=inf) < _STUCK_SECONDS

    async def stuck(self) -> bool:
        """There is something to handle and nothing was handled or tried between looks a minute
        apart; nothing was heard of Kafka for five minutes; or it has had no partitions for three.
        """
        now = time.monotonic()
        if not self.assigned:
            return now - self._still_since > 3 * _STUCK_SECONDS
        seen = self.handled + self._tries, await self.lag() > 0
        if self.deaf_since is not None and now - self.deaf_since > _DEAF_SECONDS:
            return True
        if seen != self._seen or not seen[1]:
            self._seen, self._still_since = seen, now
        return now - self._still_since > _STUCK_SECONDS and seen[1]


def _firsts(batch: Sequence[Record]) -> dict[tuple[str, int], int]:
    first: dict[str, Record] = {}
    for record in batch:
        if record.offset < first.setdefault(record.lane, record).offset:
            first[record.lane] = record
    return {(record.topic, record.partition): record.offset for record in first.values()}
