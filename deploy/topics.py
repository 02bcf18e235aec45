"""The manifest of topics, and `python -m deploy.topics`, which creates what is missing.

Nothing is created by use. All topics have the same number of partitions, so that a key has the
same partition everywhere; a topic that exists with another number is an error.
"""

import asyncio
import sys
from collections.abc import Iterable, Mapping

import asyncpg
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from shared.cells import generation_of, prefix
from shared.messages.catalogue import OWNERS
from shared.settings import Settings, settings

UPSTREAM = ("upstream.registrations", "upstream.answers")
HOUR_MS = 3_600_000
_ANSWER_SECONDS = 30.0
RETENTION_MS = {"upstream.registrations": 24 * HOUR_MS}
CONFIG = {
    "retention.ms": str(7 * 24 * HOUR_MS),
    "message.timestamp.type": "LogAppendTime",
    "segment.bytes": str(256 << 20),
}


def manifest(cells: str, generations: Mapping[str, int] | None = None) -> list[str]:
    """All topic names, of the newest generation of each cell."""
    heads = [prefix(cell, generations or {}) for cell in cells.split(",")]
    own = [f"{head}.{o}.{k}" for head in heads for o in OWNERS for k in ("commands", "events")]
    return [*own, *(f"{head}.monitor.commands" for head in heads), *UPSTREAM]


def _admin(kafka: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka, "log_level": 2})


def bounds(kafka: str, lanes: Iterable[str]) -> dict[str, tuple[int, int]]:
    """First and next offset of each lane (`<topic>/<partition>`) of which Kafka has the topic."""
    admin = _admin(kafka)
    there = admin.list_topics(timeout=_ANSWER_SECONDS).topics
    places = {lane: lane.rsplit("/", 1) for lane in lanes}
    asked = {lane: TopicPartition(t, int(n)) for lane, (t, n) in places.items() if t in there}
    if not asked:
        return {}
    firsts, ends = (
        admin.list_offsets(dict.fromkeys(asked.values(), spec), request_timeout=_ANSWER_SECONDS)
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
    )
    return {
        lane: (firsts[where].result().offset, ends[where].result().offset)
        for lane, where in asked.items()
    }


def newest(config: Settings) -> dict[str, int]:
    """The newest generation of each cell of which Kafka has topics."""
    names = _admin(config.kafka).list_topics(timeout=_ANSWER_SECONDS).topics
    cells = config.cells.split(",")
    return {cell: max((1, *(generation_of(name, cell) for name in names))) for cell in cells}


async def generations(config: Settings) -> dict[str, int]:
    """The generation of each cell, where it is not the first.

    Of the own cell the database alone knows it. The others have told nobody, and their topics are
    the only place where it is seen: what is newer there is written down.
    """
    others = {cell: n for cell, n in newest(config).items() if cell != config.cell and n > 1}
    db = await asyncpg.connect(config.database)
    try:
        await db.executemany(
            "INSERT INTO cell.generations AS g (cell, generation, ready) VALUES ($1, $2, true)"
            " ON CONFLICT (cell) DO UPDATE SET generation = excluded.generation"
            " WHERE g.generation < excluded.generation",
            others.items(),
        )
        return dict(await db.fetch("SELECT cell, generation FROM cell.generations"))
    finally:
        await db.close()


def create(config: Settings, generations: Mapping[str, int] | None = None) -> list[str]:
    """Creates the missing topics and gives their names.

    Raises KafkaException where Kafka does not answer, SystemExit where a topic has another shape.
    """
    admin = _admin(config.kafka)
    there = admin.list_topics(timeout=_ANSWER_SECONDS).topics
    names = manifest(config.cells, generations)
    for name in names:
        if name in there and len(there[name].partitions) != config.partitions:
            sys.exit(
                f"topic {name} has {len(there[name].partitions)} partitions,"
                f" JIEXU_PARTITIONS says {config.partitions}: set it to what there is"
            )
    missing = [_topic(name, config) for name in names if name not in there]
    if missing:
        for made in admin.create_topics(missing, operation_timeout=_ANSWER_SECONDS).values():
            made.result()
    return [topic.topic for topic in missing]


def _topic(name: str, config: Settings) -> NewTopic:
    entries = dict(CONFIG)
    if name in RETENTION_MS:
        entries["retention.ms"] = str(RETENTION_MS[name])
    if config.replication > 1:
        # What is acknowledged stays there when one broker is lost.
        entries["min.insync.replicas"] = str(config.replication - 1)
    return NewTopic(name, config.partitions, config.replication, config=entries)


if __name__ == "__main__":
    created = create(settings(), asyncio.run(generations(settings())))
    print(f"topics: {len(created)} created" if created else "topics: all there")  # noqa: T201
