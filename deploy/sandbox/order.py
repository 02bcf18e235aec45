"""Whether the messages of every key were handled in the order in which Kafka has them."""

import asyncpg

from deploy.embedded.stack import SERVICES, Stack

# What a message led to has its number in the lane of the message: of one key, who comes later in
# Kafka comes later there.
_LATE = """
SELECT count(*), count(*) FILTER (WHERE late) FROM (
  SELECT e.place < lag(e.place) OVER (PARTITION BY o.lane, o.key ORDER BY o.seq) AS late
    FROM {}.outbox o JOIN (
      SELECT id, topic || '/' || partition AS lane, min("offset") AS place
        FROM monitor.events GROUP BY 1, 2) e ON e.id = o.causation AND e.lane = o.lane) AS handled
"""


async def counted(running: Stack) -> dict[str, int]:
    """How many messages led to another, in all services, and how many of them were handled before
    an earlier one of their key.
    """
    connection = await asyncpg.connect(running.database)
    try:
        found = [await connection.fetchrow(_LATE.format(service)) for service in SERVICES]
    finally:
        await connection.close()
    messages, late = (sum(counts) for counts in zip(*found, strict=True))
    return {"messages": messages, "late": late}
