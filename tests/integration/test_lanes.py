"""Many transactions on the same lanes at once, from every side: no deadlock, no gap."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from shared import lanes, upkeep
from shared.deliver import Place
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
