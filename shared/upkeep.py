"""What a process does beside handling batches: intake, timers, partitions, watching itself."""

import asyncio
import gc
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import structlog

from shared import db as database
from shared import edge, lanes, metrics, outbox, timers
from shared.cells import NOWHERE
from shared.decision import Unexpected
from shared.deliver import Place
from shared.lanes import Fenced, Lane
from shared.messages import Message
from shared.messages.catalogue import CATALOGUE, read
from shared.reader import TRY_AGAIN, UNWELL
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.chassis import Process

log = structlog.get_logger()
_TICK = 0.2
_STUCK_SECONDS = 120
_LOOK_SECONDS = 10
_MINUTE, _HOUR = 60, 3600
_FOREVER = date(1970, 1, 1)


class _Fence:
    """Ends the process when the database is of another generation than the process.

    Whoever begins a generation ends all connections, so nobody goes on without being asked here.
    """

    def __init__(self) -> None:
        self.generations: dict[str, int] | None = None

    async def __call__(self, db: asyncpg.Connection) -> None:
        rows = await db.fetch("SELECT cell, generation, ready FROM cell.generations")
        if not all(row["ready"] for row in rows):
            raise ConnectionError("what a restore publishes again is not out yet")
        found = {row["cell"]: row["generation"] for row in rows}
        if self.generations not in (None, found):
            log.critical("generation.changed", ours=str(self.generations), found=str(found))
            os._exit(1)
        self.generations = found


async def pool(settings: Settings, schema: str) -> tuple[asyncpg.Pool, dict[str, int]]:
    """The process's pool, as soon as the database answers, and the generation of each cell.

    Checked against the connections of the database.
    """
    fence = _Fence()
    while True:
        try:
            made = await database.connect(settings, schema, fence=fence)
            break
        except UNWELL as error:
            log.warning("database.waiting", error=repr(error))
            await asyncio.sleep(1)
    async with made.acquire() as db:
        limit = int(await db.fetchval("SELECT current_setting('max_connections')")) - 10
    needed = 5 * settings.workers * settings.pool_size
    if needed > limit:
        log.critical("database.connections", needed=needed, limit=limit)
        raise SystemExit(f"{needed} connections needed, {limit} there: lower JIEXU_POOL_SIZE")
    return made, fence.generations or {}


async def send(
    db: asyncpg.Connection,
    messages: Sequence[tuple[UUID, Message]],
    place: Place,
    at: datetime,
    expect: Callable[[str, int], None],
) -> None:
    """Puts messages from outside on the lane `intake/n` of their key, in the caller's transaction.

    Lanes are locked in one order; the numbers become visible in the order of commits.
    """
    parts: dict[str, list[tuple[UUID, Message]]] = defaultdict(list)
    for id_, message in messages:
        n = lanes.partition_of(message.key, place.partitions)
        parts[f"intake/{n}"].append((id_, message))
    rows = []
    for name, part in sorted(parts.items()):
        first = await lanes.reserve(db, name, len(part))
        rows += edge.number(part, Lane(name, 0, 0, first - 1, 0), place, at)
        expect(name, first + len(part) - 1)
    await outbox.add(db, rows)


async def told_to_stop() -> None:
    """Returns when the process is told to end."""
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    await stop.wait()


async def timers_loop(process: "Process") -> None:
    """Turns due rows into messages, on the lanes `timers/n` that this process owns."""
    while True:
        await asyncio.sleep(_TICK)
        mine = [lane for lane in process.relay.epochs if lane.startswith("timers/")]
        if not mine:
            continue
        try:
            async with process.pool.acquire() as db:
                rows = await db.fetch(
                    "SELECT l AS lane FROM unnest($1::int[]) AS l WHERE"
                    " (SELECT min(due_at) FROM timers WHERE timers.lane = l)"
                    " <= cell.business_now()",
                    [int(lane.rsplit("/", 1)[1]) for lane in mine],
                )
                for row in rows:
                    await _fire(process, db, int(row["lane"]))
        except (*UNWELL, *TRY_AGAIN, Fenced) as error:
            log.warning("timers.unwell", error=repr(error))
            await asyncio.sleep(0.5)


async def _fire(process: "Process", db: asyncpg.Connection, n: int) -> None:
    name = f"timers/{n}"
    epoch = process.relay.epochs.get(name)
    if epoch is None:
        return
    async with db.transaction():
        held, at, _ = await lanes.hold(db, {name: epoch})
        due = await timers.due(db, n, at)
        rows = [row for timer in due for row in _fired(timer, held[name], process.place, at)]
        await outbox.add(db, rows)
        await lanes.advance(db, [held[name]])
    if rows:
        process.relay.expect(name, rows[-1].seq)


def _fired(timer: timers.Due, lane: Lane, place: Place, at: datetime) -> list[outbox.Sent]:
    """The outbox row of a due timer. What an older program has set and this one cannot read goes
    to its reader as it is, to be set aside there where people look.
    """
    try:
        return edge.number([(timer.id, read(timer.type, timer.body))], lane, place, at)
    except Unexpected as error:
        log.warning("timers.unreadable", id=str(timer.id), type=timer.type, error=str(error))
    lane.seq += 1
    kind = CATALOGUE[timer.type]
    return [
        outbox.Sent(
            lane.name,
            lane.seq,
            timer.id,
            f"{place.cell_of(NOWHERE)}.{kind.owner}.{kind.stream}",
            lanes.partition_of(timer.key, place.partitions),
            timer.key,
            timer.type,
            at,
            outbox.real_now(),
            timer.id,
            None,
            timer.body,
        )
    ]


async def partitions_loop(process: "Process") -> None:
    """Keeps the daily partitions of inbox and outbox: made ahead, dropped behind."""
    days = process.settings.inbox_days, process.settings.outbox_days
    drop_at = 0.0
    while True:
        try:
            async with process.pool.acquire() as db:
                await keep_partitions(db, *days)
                if time.monotonic() >= drop_at:
                    # Where a long reader is in the way there is no hurry.
                    drop_at = time.monotonic() + _HOUR
                    await drop_partitions(db, *days)
        except UNWELL as error:
            log.warning("partitions.unwell", error=repr(error))
            await asyncio.sleep(5)
            continue
        # A machine that slept for days wakes up in a day that has no partition yet.
        await asyncio.sleep(_MINUTE)


_KEEP = "SELECT cell.keep_partitions($1::text::regclass, $2, $3, $4)"


async def keep_partitions(db: asyncpg.Connection, inbox_days: int, outbox_days: int) -> None:
    """Makes the partitions that messages of the last days and the next two need."""
    today = outbox.real_now().date()
    for table, back in (("inbox", inbox_days), ("outbox", min(1, outbox_days))):
        first = today - timedelta(days=back)
        await db.execute(_KEEP, table, first, today + timedelta(days=2), _FOREVER)


async def drop_partitions(db: asyncpg.Connection, inbox_days: int, outbox_days: int) -> None:
    """Drops the partitions of earlier days; those of which something is not published stay."""
    today = outbox.real_now().date()
    for table, days in (("inbox", inbox_days), ("outbox", outbox_days)):
        # From today to yesterday: none is made that would go again where one cannot be dropped.
        yesterday = today - timedelta(days=1)
        await db.execute(_KEEP, table, today, yesterday, today - timedelta(days=days))


async def watch_loop(process: "Process") -> None:
    """Measures how late the event loop is; ends a process whose reader is stuck."""
    checked = time.monotonic()
    count: asyncio.Task[None] | None = None
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.5)
        metrics.LOOP.labels(process.name).observe(max(0.0, time.monotonic() - before - 0.5))
        metrics.WAITING.labels(process.name).set(process.relay.waiting)
        metrics.PUBLISHED.labels(process.name).set(process.relay.sent)
        if time.monotonic() - checked < _LOOK_SECONDS:
            continue
        checked = time.monotonic()
        gc.collect()
        # Not waited for: on a connection that hangs half open not even giving it up ends.
        if count is None or count.done():
            count = asyncio.create_task(_count_letters(process))
        else:
            log.warning("watch.slow")
        if process.relay.stuck(_STUCK_SECONDS):
            log.critical("relay.stuck", waiting=process.relay.waiting)
            os._exit(1)
        for reader in process.readers:
            if await reader.stuck():
                log.critical("reader.stuck", reader=reader.name)
                os._exit(1)


async def _count_letters(process: "Process") -> None:
    """Tells how many messages are set aside: refused, and parked behind a refused one."""
    try:
        async with process.pool.acquire() as db:
            found = await db.fetchrow(
                "SELECT count(*) FILTER (WHERE state = 'refused') AS refused,"
                " count(*) FILTER (WHERE state = 'parked') AS parked"
                " FROM dead_letters WHERE state IN ('refused', 'parked')"
            )
    except UNWELL as error:
        log.warning("letters.unwell", error=repr(error))
        return
    for state, count in found.items():
        metrics.LETTERS.labels(process.name, state).set(count)
