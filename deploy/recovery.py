"""`python -m deploy.recovery`: begins a new generation of topics after a restore or a lost Kafka.

The database is as of some moment T, and stays the only truth. Whatever Kafka holds beside it is of
a past that never was, or is gone. So all topics of the cell are made anew under new names, and out
of the append-only outboxes each reader is sent again what its inbox lacks, in order; then all
services may start. Cut short anywhere, it is run again and begins one generation more.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg
from confluent_kafka import Producer

from deploy import holds, topics
from deploy.holds import Outside
from deploy.republish import READERS, oldest_unread, send_again
from services.settlement import outside
from shared.cells import prefix
from shared.outbox import real_now
from shared.settings import Settings, settings

Report = Callable[[str], None]


class RecoveryRefused(Exception):
    """Nothing was changed; the message says what to do."""


@dataclass(slots=True)
class Recovered:
    """What a recovery did, and what is left to a person."""

    generation: int
    republished: dict[str, int] = field(default_factory=dict)
    upstream: dict[str, int] = field(default_factory=dict)
    upstream_gone: list[dict[str, Any]] = field(default_factory=list)
    outside: Outside = field(default_factory=Outside)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "generation": self.generation,
            "republished": self.republished,
            "upstream": self.upstream,
            "upstream_gone": self.upstream_gone,
            "payments_held": self.outside.payments,
            "sweeps_given_out": self.outside.sweeps,
            "statements_to_read_again": self.outside.statements,
        }


async def recover(config: Settings, *, kafka_lost: bool, report: Report) -> Recovered:
    """Begins the next generation, or completes one that was cut short.

    `kafka_lost`: the upstream topics are new as well, and are read from their beginning. Raises
    RecoveryRefused.
    """
    if "," in config.cells:
        raise RecoveryRefused(
            "this cell shares its Kafka with others, whose outboxes hold what it lacks: "
            "recovering one cell of several is not built (docs/reliability.md)"
        )
    db = await asyncpg.connect(config.database)
    try:
        _refuse_too_old(await oldest_unread(db, config.cell), config)
        _refuse_unreadable(config)
        done = Recovered(await _begin(db, config))
        report(f"generation {done.generation} begins")
        topics.create(config, {config.cell: done.generation})
        done.upstream, done.upstream_gone = await _upstream(db, config, kafka_lost=kafka_lost)
        done.outside = await holds.compare(db, config.home)
        head = prefix(config.cell, {config.cell: done.generation})
        done.republished = await _publish(db, config, head)
        await db.execute("UPDATE cell.generations SET ready = true WHERE cell = $1", config.cell)
    finally:
        await db.close()
    return done


def _refuse_too_old(oldest: date | None, config: Settings) -> None:
    days = (real_now().date() - oldest).days if oldest else 0
    if days >= config.inbox_days:
        raise RecoveryRefused(
            f"messages of {oldest} were not handled yet, and readers refuse what is older than "
            f"{config.inbox_days} days: set JIEXU_INBOX_DAYS and JIEXU_OUTBOX_DAYS to "
            f"{days + 2} at least, for this and for the services until all is handled"
        )


def _refuse_unreadable(config: Settings) -> None:
    try:
        outside.written(config.home)
    except outside.UnreadableLine as line:
        raise RecoveryRefused(str(line)) from line


async def _begin(db: asyncpg.Connection, config: Settings) -> int:
    """The generation that begins; ends every connection of the former one.

    A database set back may have forgotten generations whose topics are still there.
    """
    generation: int = await db.fetchval(
        "INSERT INTO cell.generations AS g (cell, generation) VALUES ($1, $2)"
        " ON CONFLICT (cell) DO UPDATE SET generation ="
        " greatest(g.generation + 1, excluded.generation), ready = false RETURNING generation",
        config.cell,
        topics.newest(config)[config.cell] + 1,
    )
    await db.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'jiexu-%'"
    )
    return generation


async def _publish(db: asyncpg.Connection, config: Settings, head: str) -> dict[str, int]:
    producer = Producer(
        {
            "bootstrap.servers": config.kafka,
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "lz4",
            "log_level": 2,
        }
    )
    return {
        service: await send_again(db, producer, service, config.cell, head) for service in READERS
    }


async def _upstream(
    db: asyncpg.Connection, config: Settings, *, kafka_lost: bool
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Where the topics that are not ours are read from now; what Kafka has deleted of them unread.

    What registration systems sent is read again from where the database stands, as far as Kafka
    still has it; our own answers to them are not, since those after T are of a past that never was.
    """
    lanes = [f"{topic}/{n}" for topic in topics.UPSTREAM for n in range(config.partitions)]
    bounds = topics.bounds(config.kafka, lanes)
    stands: dict[str, int] = {}
    gone: list[dict[str, Any]] = []
    for service in (*READERS, "monitor"):
        for lane in await db.fetch(
            f"SELECT name, next_offset FROM {service}.lanes"  # noqa: S608 - names of services
            " WHERE name LIKE 'upstream.%' ORDER BY name"
        ):
            name, ours = lane["name"], lane["next_offset"]
            first, end = bounds.get(name, (0, 0))
            at = end if name.startswith("upstream.answers/") else ours
            if not kafka_lost and ours > end:
                raise RecoveryRefused(
                    f"{name} holds less than was read of it: is this a new Kafka? Then say so "
                    "(--kafka-lost)"
                )
            if not kafka_lost and at < first:
                gone.append({"lane": name, "from": at, "records": first - at})
            stands[name] = 0 if kafka_lost else at
            await db.execute(
                f"UPDATE {service}.lanes SET next_offset = $2, epoch = epoch + 1"  # noqa: S608
                " WHERE name = $1",
                name,
                stands[name],
            )
    return stands, gone


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


def main() -> int:
    """Recovers the database of JIEXU_DATABASE with the Kafka of JIEXU_KAFKA."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kafka-lost", action="store_true", help="the upstream topics are new too")
    asked = parser.parse_args()
    try:
        done = asyncio.run(recover(settings(), kafka_lost=asked.kafka_lost, report=_say))
    except RecoveryRefused as refused:
        print(refused, file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(done.document(), indent=2))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
