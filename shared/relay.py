"""The relay: publishes each lane's messages in the order of their numbers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from math import inf
from typing import Any, Protocol

import asyncpg
import structlog

from shared import lanes, outbox
from shared.outbox import Sent

log = structlog.get_logger()

_CHUNK = 1000
_MAX_WAITING = 20_000


class Publisher(Protocol):
    """What the relay needs of Kafka."""

    async def publish(self, rows: Sequence[Sent]) -> Sequence[bool]:
        """Sends rows in order, none of a lane behind one that could not be sent; whether each
        was acknowledged.
        """
        ...

    def hear(self) -> None:
        """Takes what Kafka has to tell while nothing is sent."""
        ...


class Relay:
    """One publisher for all lanes of this process. `published` is what Kafka has acknowledged;
    `given` is the last number that was put here, of each lane that is not fed.
    """

    def __init__(self, pool: asyncpg.Pool, publisher: Publisher, poll_seconds: float) -> None:
        self.epochs: dict[str, int] = {}
        self.published: dict[str, int] = {}
        self.given: dict[str, int] = {}
        self.sent = 0
        self.moved = 0.0
        self._pool = pool
        self._publisher = publisher
        self._poll = poll_seconds
        self._queue: deque[Sent] = deque()
        self._sending: list[Sent] = []
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._written: dict[str, int] = {}
        self._cursors: dict[str, int] = {}
        self._expected: dict[str, tuple[int, float]] = {}
        self._held: list[float] = []
        self._asked = inf

    def own(self, lane: lanes.Lane, *, fed: bool) -> None:
        """This process owns the lane now. `fed`: its rows come from other transactions too."""
        self.epochs[lane.name] = lane.epoch
        self.published[lane.name] = self._written[lane.name] = lane.published
        if fed:
            self._cursors[lane.name] = lane.published
            self._wake.set()
        else:
            self.given[lane.name] = lane.published

    def stuck(self, seconds: float) -> bool:
        """Something waits to be published and nothing was acknowledged for so long, or the
        database has not answered for so long.
        """
        since = asyncio.get_running_loop().time() - seconds
        unsent = bool(self._queue or self._sending)
        return self._asked < since or (unsent and self.moved < since)

    def disown(self, names: Sequence[str]) -> None:
        """These lanes go to another process; what was not sent yet is sent by that one."""
        gone = set(names)
        for name in names:
            for memory in (self.epochs, self.published, self._written, self._cursors, self.given):
                memory.pop(name, None)
            self._expected.pop(name, None)
        self._queue = deque(row for row in self._queue if row.lane not in gone)

    def put(self, rows: Sequence[Sent]) -> None:
        """Rows that have been committed, in order, of a lane that we own."""
        if rows:
            if not self.waiting:
                self.moved = asyncio.get_running_loop().time()
            self._queue.extend(rows)
            self.given.update((row.lane, row.seq) for row in rows)
            self._wake.set()
            if len(self._queue) > _MAX_WAITING:
                self._room.clear()

    async def not_given(self, ours: Iterable[str]) -> list[Sent]:
        """What these lanes hold and nobody put here: a COMMIT whose answer was lost may have taken
        place after all.
        """
        known = {lane: self.given[lane] for lane in ours if lane in self.given}
        async with self._pool.acquire() as db:
            return await outbox.beyond(db, known, limit=1_000_000)

    def expect(self, lane: str, seq: int) -> None:
        """A transaction of this process will commit up to `seq` on a lane that is fed."""
        if lane not in self._cursors:
            return  # its owner looks for itself
        self._expected[lane] = (seq, asyncio.get_running_loop().time() + 5)
        self._wake.set()

    @contextmanager
    def holding(self, seconds: float) -> Iterator[None]:
        """What comes in from outside stays in the outbox while this lasts, or for so long: whoever
        sends a file waits for its answers, and what is handled meanwhile would take their time.
        """
        until = asyncio.get_running_loop().time() + seconds
        self._held.append(until)
        try:
            yield
        finally:
            self._held.remove(until)
            self._wake.set()

    async def drained(self) -> None:
        """Waits until everything that was committed is published."""
        while self.waiting:  # noqa: ASYNC110 - a rare wait, at the end of a process
            await asyncio.sleep(0.02)
        await self._unless_unwell(self._acknowledge())

    async def room(self) -> None:
        """Waits while too much is unpublished."""
        await self._room.wait()

    @property
    def waiting(self) -> int:
        """How many messages are committed and not yet acknowledged by Kafka."""
        return len(self._queue) + len(self._sending) + len(self._expected)

    async def run(self) -> None:
        """Publishes until cancelled."""
        loop = asyncio.get_running_loop()
        next_poll = next_written = 0.0
        while True:
            if loop.time() >= next_written:
                await self._unless_unwell(self._acknowledge())
                next_written = loop.time() + 1
                self._publisher.hear()
            # What the outbox still holds is no hurry: what is handled meanwhile goes between.
            room = len(self._queue) < _CHUNK
            held = any(until > loop.time() for until in self._held)
            told = self._expected and not held
            if self._cursors and room and (told or loop.time() >= next_poll):
                await self._unless_unwell(self._collect(loop.time(), held=held))
                next_poll = loop.time() + self._poll
            if len(self._queue) < _MAX_WAITING // 2:
                self._room.set()
            if self._queue:
                await self._publish()
                continue
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), 0.02 if self._expected else 0.05)
            except TimeoutError:
                if not self._expected:
                    await self._unless_unwell(self._acknowledge())

    async def _unless_unwell(self, asking: Coroutine[Any, Any, None]) -> None:
        """Asks the database; while it is unwell nothing is lost, it is asked again."""
        try:
            await asking
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("relay.database", error=repr(error))
            await asyncio.sleep(0.5)

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[asyncpg.Connection]:
        async with self._pool.acquire() as db:
            self._asked = asyncio.get_running_loop().time()
            try:
                yield db
            finally:
                self._asked = inf

    async def _collect(self, now: float, *, held: bool) -> None:
        asked = {
            lane: (self.epochs[lane], seq)
            for lane, seq in self._cursors.items()
            if not (held and lane.startswith("intake/"))
        }
        async with self._database() as db:
            rows = await outbox.beyond(db, {lane: seq for lane, (_, seq) in asked.items()})
        for row in rows:
            # The lane may have gone and come back while we asked: then we begin anew.
            ours = self.epochs.get(row.lane) == asked[row.lane][0]
            if ours and row.seq == self._cursors[row.lane] + 1:
                self._cursors[row.lane] = row.seq
                self._queue.append(row)
        for lane, (seq, until) in list(self._expected.items()):
            if self._cursors.get(lane, seq) >= seq or now > until:
                del self._expected[lane]

    async def _publish(self) -> None:
        self._sending = [self._queue.popleft() for _ in range(min(_CHUNK, len(self._queue)))]
        delay = 0.05
        self.moved = asyncio.get_running_loop().time()
        while self._sending:
            failed = await self._send(self._sending)
            self._sending = [row for row in failed if row.lane in self.epochs]
            if self._sending:
                log.warning("relay.retry", unsent=len(failed), delay=delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)

    async def _send(self, rows: Sequence[Sent]) -> list[Sent]:
        """Sends in order; gives everything from the first unacknowledged row of each lane on."""
        failed: list[Sent] = []
        stopped: set[str] = set()
        last: dict[str, int] = {}
        for row, sent in zip(rows, await self._publisher.publish(rows), strict=True):
            if row.lane in stopped or not sent:
                stopped.add(row.lane)
                failed.append(row)
            else:
                last[row.lane] = row.seq
        for lane in last.keys() & self.published.keys():
            self.published[lane] = max(self.published[lane], last[lane])
        self.sent += len(rows) - len(failed)
        if len(failed) < len(rows):
            self.moved = asyncio.get_running_loop().time()
        return failed

    async def _acknowledge(self) -> None:
        news = {n: seq for n, seq in self.published.items() if seq > self._written.get(n, -1)}
        if not news:
            return
        async with self._database() as db:
            written = await lanes.acknowledge(db, news, self.epochs)
        self._written.update((name, news[name]) for name in written)
