"""The event log as a whole, read from its beginning to its end."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import asyncpg

_TOPICS = """
WITH RECURSIVE topics AS (
  (SELECT topic FROM events ORDER BY topic LIMIT 1)
  UNION ALL SELECT n.topic FROM topics t CROSS JOIN LATERAL
    (SELECT topic FROM events WHERE topic > t.topic ORDER BY topic LIMIT 1) n)
SELECT topic FROM topics
"""
_LINES = (
    *("topic", "partition", "offset", "id", "type", "key", "at", "sent_at"),
    *("correlation", "causation", "body"),
)


async def lines(pool: asyncpg.Pool, streams: Sequence[str]) -> AsyncIterator[bytes]:
    """All that was ever said on these streams (`settlement.commands`), each partition in its order:
    one JSON object in a line, with the body as it was sent. Memory holds a few rows.
    """
    columns = ", ".join(f'"{name}"' for name in _LINES)
    async with pool.acquire() as db, db.transaction(readonly=True):
        known = [row["topic"] for row in await db.fetch(_TOPICS)]
        topics = [t for t in known if any(t.endswith(f".{stream}") for stream in streams)]
        async for row in db.cursor(
            f"SELECT {columns} FROM events WHERE topic = ANY($1)"  # noqa: S608 - constants
            ' ORDER BY topic, partition, "offset"',
            topics,
            prefetch=500,
        ):
            told = {name: _plainly(row[name]) for name in _LINES}
            yield json.dumps(told, ensure_ascii=False).encode() + b"\n"


def _plainly(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if value is None or isinstance(value, int) else str(value)
