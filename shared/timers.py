"""Timers: rows with a due date (business time) that become messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

import asyncpg

from shared.decision import Timer
from shared.lanes import partition_of
from shared.messages.catalogue import CATALOGUE


class Due(NamedTuple):
    """A message that is due, as it was kept."""

    id: UUID
    key: str
    type: str
    body: bytes


async def keep(db: asyncpg.Connection, timers: Sequence[Timer], partitions: int) -> None:
    """Sets, replaces and cancels timers; the last one of each (key, id) counts."""
    last = {(timer.key, timer.id): timer for timer in timers}
    gone = [where for where, timer in last.items() if timer.message is None]
    kept = [timer for timer in last.values() if timer.message is not None]
    if gone:
        await db.execute(
            "DELETE FROM timers t USING unnest($1::text[], $2::uuid[]) AS d (key, id)"
            " WHERE t.key = d.key AND t.id = d.id",
            [key for key, _ in gone],
            [id_ for _, id_ in gone],
        )
    if kept:
        await db.execute(
            "INSERT INTO timers (key, id, lane, due_at, type, body)"
            " SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::timestamptz[],"
            " $5::text[], $6::bytea[])"
            " ON CONFLICT (key, id) DO UPDATE SET due_at = excluded.due_at,"
            " type = excluded.type, body = excluded.body",
            [timer.key for timer in kept],
            [timer.id for timer in kept],
            [partition_of(timer.key, partitions) for timer in kept],
            [timer.due_at for timer in kept],
            [timer.message.type for timer in kept if timer.message],
            [timer.message.model_dump_json().encode() for timer in kept if timer.message],
        )


async def due(db: asyncpg.Connection, lane: int, now: datetime, limit: int = 500) -> list[Due]:
    """Takes what is due on a lane. A timer repeats its id."""
    rows = await db.fetch(
        # A row that was moved to a later date meanwhile is not due any more; a type that we do
        # not know waits for the newer process that does.
        "DELETE FROM timers WHERE due_at <= $2 AND (key, id) IN (SELECT key, id FROM timers"
        " WHERE lane = $1 AND due_at <= $2 AND type = ANY($4) ORDER BY due_at, key LIMIT $3)"
        " RETURNING key, id, due_at, type, body",
        lane,
        now,
        limit,
        list(CATALOGUE),
    )
    ordered = sorted(rows, key=lambda row: (row["due_at"], row["key"], row["id"].int))
    return [
        Due(uuid5(row["id"], row["due_at"].isoformat()), row["key"], row["type"], row["body"])
        for row in ordered
    ]


async def next_due(db: asyncpg.Connection) -> datetime | None:
    """The earliest due date of all timers."""
    earliest: datetime | None = await db.fetchval("SELECT min(due_at) FROM timers")
    return earliest
