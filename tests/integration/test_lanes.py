"""Many transactions on the same lanes at once, from every side: no deadlock, no gap."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from shared import edge, lanes, outbox, upkeep
from shared.deliver import Place
from shared.lanes import Lane
from shared.outbox import Sent
from shared.relay import Relay
from tests.integration.toy import withdraw

PLACE = Place(lambda _: "cn", 12)


async def _pool(dsn: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        dsn, min_size=6, max_size=6, server_settings={"search_path": "transfer"}
    )


async def test_intake_relay_and_deliver_never_deadlock(database: str) -> None:
    pool = await _pool(database)
    async with pool.acquire() as db:
        await upkeep.keep_partitions(db, 14, 14)
        names = [f"intake/{n}" for n in range(12)]
        taken = await lanes.take_over(db, names, "me")
    epochs = {lane.name: lane.epoch for lane in taken}

    async def intake() -> None:
        for _ in range(30):
            async with pool.acquire() as db, db.transaction():
                messages = [(uuid4(), withdraw(str(uuid4()))) for _ in range(40)]
                await upkeep.send(db, messages, PLACE, datetime.now(UTC), lambda *_: None)

    async def relay() -> None:
        for n in range(120):
            async with pool.acquire() as db:
                await lanes.acknowledge(db, dict.fromkeys(reversed(names), n), epochs)

    async def holder() -> None:
        for _ in range(60):
            async with pool.acquire() as db, db.transaction():
                await lanes.hold(db, dict(list(epochs.items())[::3]))

    await asyncio.gather(intake(), intake(), relay(), relay(), holder())

    async with pool.acquire() as db:
        gaps = await db.fetch(
            "SELECT lane FROM outbox GROUP BY lane HAVING max(seq) <> count(*) OR min(seq) <> 1"
        )
        numbered = await db.fetchval("SELECT sum(seq) FROM lanes")
    await pool.close()
    assert gaps == []
    assert numbered == 2 * 30 * 40


class Topic:
    """Takes what is published, and tells of each lane when something of it has come."""

    def __init__(self) -> None:
        self.lanes: list[str] = []
        self.came: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def hear(self) -> None: ...

    async def publish(self, rows: Sequence[Sent]) -> list[bool]:
        for row in rows:
            self.lanes.append(row.lane)
            self.came[row.lane].set()
        return [True] * len(rows)


async def test_what_comes_from_outside_while_a_file_is_taken_in_waits_for_its_end(
    database: str,
) -> None:
    pool, topic = await _pool(database), Topic()
    relay = Relay(pool, topic, 0.01)
    async with pool.acquire() as db:
        await upkeep.keep_partitions(db, 14, 14)
        for lane in await lanes.take_over(db, ["intake/0", "timers/0"], "me"):
            relay.own(lane, fed=True)
    running = asyncio.create_task(relay.run())

    async with asyncio.timeout(20):
        with relay.holding(600):
            await _put(pool, relay, "intake/0")
            await _put(pool, relay, "timers/0")
            await topic.came["timers/0"].wait()
            held = list(topic.lanes)
        await topic.came["intake/0"].wait()

    running.cancel()
    await pool.close()
    assert held == ["timers/0"]


async def test_what_comes_from_outside_waits_for_so_long_at_most(database: str) -> None:
    pool, topic = await _pool(database), Topic()
    relay = Relay(pool, topic, 0.01)
    async with pool.acquire() as db:
        await upkeep.keep_partitions(db, 14, 14)
        for lane in await lanes.take_over(db, ["intake/0"], "me"):
            relay.own(lane, fed=True)
    running = asyncio.create_task(relay.run())

    async with asyncio.timeout(20):
        with relay.holding(0.1):
            await _put(pool, relay, "intake/0")
            await topic.came["intake/0"].wait()

    running.cancel()
    await pool.close()


async def _put(pool: asyncpg.Pool, relay: Relay, lane: str) -> None:
    place = Place(lambda _: "cn", 1)
    now = datetime.now(UTC)
    async with pool.acquire() as db, db.transaction():
        seq = await lanes.reserve(db, lane, 1)
        messages = [(uuid4(), withdraw(str(uuid4())))]
        await outbox.add(db, edge.number(messages, Lane(lane, 0, 0, seq - 1, 0), place, now))
    relay.expect(lane, seq)
