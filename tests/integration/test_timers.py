"""Timers on a real PostgreSQL: what is moved while it fires is neither early nor lost."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg

from shared import timers
from shared.decision import Timer
from tests.integration.toy import withdraw


async def test_a_timer_that_is_moved_while_it_fires_is_not_lost(
    database: str,
) -> None:
    db = await asyncpg.connect(database, server_settings={"search_path": "transfer"})
    now = datetime.now(UTC)
    timer = Timer("k", uuid4(), now - timedelta(hours=1), withdraw("k"))
    await timers.keep(db, [timer], 1)
    other = await asyncpg.connect(database, server_settings={"search_path": "transfer"})
    moving = other.transaction()
    await moving.start()
    await timers.keep(other, [replace(timer, due_at=now + timedelta(days=1))], 1)

    firing = asyncio.create_task(timers.due(db, 0, now))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while not await other.fetchval(waits):  # noqa: ASYNC110 - seen from outside only
        await asyncio.sleep(0.01)
    await moving.commit()

    assert await firing == []
    assert await other.fetchval("SELECT count(*) FROM timers") == 1
    await other.close()
    await db.close()
