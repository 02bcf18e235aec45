"""The manifest of topics, and `python -m deploy.topics`, which creates what is missing.

Nothing is created by use. All topics have the same number of partitions, so that a key has the
same partition everywhere; a topic that exists with another number is an error.
"""

import sys

from confluent_kafka.admin import AdminClient, NewTopic

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


def manifest(cells: str) -> list[str]:
    """All topic names."""
    own = [f"{c}.{o}.{k}" for c in cells.split(",") for o in OWNERS for k in ("commands", "events")]
    return [*own, *(f"{c}.monitor.commands" for c in cells.split(",")), *UPSTREAM]


def create(config: Settings) -> list[str]:
    """Creates the missing topics and gives their names.

    Raises KafkaException where Kafka does not answer, SystemExit where a topic has another shape.
    """
    admin = AdminClient({"bootstrap.servers": config.kafka, "log_level": 2})
    there = admin.list_topics(timeout=_ANSWER_SECONDS).topics
    names = manifest(config.cells)
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
    return NewTopic(name, config.partitions, config.replication, config=entries)


if __name__ == "__main__":
    created = create(settings())
    print(f"topics: {len(created)} created" if created else "topics: all there")  # noqa: T201
