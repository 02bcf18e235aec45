"""The manifest of topics, and `python -m deploy.topics`, which creates what is missing.

Nothing is created by use. All topics have the same number of partitions, so that a key has the
same partition everywhere; a topic that exists with another number is an error.
"""

import asyncio
import sys

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.messages.catalogue import OWNERS
from shared.settings import Settings, settings

UPSTREAM = ("upstream.registrations", "upstream.answers")
HOUR_MS = 3_600_000
RETENTION_MS = {"upstream.registrations": 24 * HOUR_MS}
CONFIG = {
    "retention.ms": str(7 * 24 * HOUR_MS),
    "message.timestamp.type": "LogAppendTime",
    "segment.bytes": str(256 << 20),
}


def manifest(cells: str) -> list[str]:
    """All topic names."""
    own = [f"{c}.{o}.{k}" for c in cells.split(",") for o in OWNERS for k in ("commands", "events")]
    return [*own, *(f"{c}.monitor.commands" for c in cells.split(",")), *UPSTREAM]


async def create(config: Settings) -> list[str]:
    """Creates the missing topics and gives their names. Raises SystemExit on another shape."""
    admin = AIOKafkaAdminClient(bootstrap_servers=config.kafka, request_timeout_ms=30_000)
    await admin.start()
    try:
        names = manifest(config.cells)
        there = set(await admin.list_topics())
        missing = [name for name in names if name not in there]
        if missing:
            await admin.create_topics([_topic(name, config) for name in missing])
        for described in await admin.describe_topics([n for n in names if n in there]):
            if len(described["partitions"]) != config.partitions:
                sys.exit(
                    f"topic {described['topic']} has {len(described['partitions'])} partitions,"
                    f" JIEXU_PARTITIONS says {config.partitions}: set it to what there is"
                )
        return missing
    finally:
        await admin.close()


def _topic(name: str, config: Settings) -> NewTopic:
    entries = dict(CONFIG)
    if name in RETENTION_MS:
        entries["retention.ms"] = str(RETENTION_MS[name])
    return NewTopic(name, config.partitions, config.replication, topic_configs=entries)


if __name__ == "__main__":
    created = asyncio.run(create(settings()))
    print(f"topics: {len(created)} created" if created else "topics: all there")  # noqa: T201
