"""What the readers of a cell lack of what its outboxes hold, and sending it to them again.

The order is that of the outboxes: each lane by its numbers, the lanes merged by the time of
sending. What two producers say may come in any order, so each outbox is sent by itself.
"""

from collections.abc import Mapping
from datetime import date

import asyncpg
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from services.enrollment.app import EnrollmentService
from services.notification.app import Notification
from services.settlement.app import Settlement
from services.transfer.app import TransferService
from shared.cells import stream_of
from shared.outbox import Sent

READERS: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = {
    kind.name: (kind.topics, kind.handles)
    for kind in (EnrollmentService, TransferService, Settlement, Notification)
}
"""What each service reads: the topics, and of what others announce the types that it takes."""
# Announced on a record that is sent again, for the log, which has no inbox.
REPUBLISHED = "republished"
_COLUMNS = ", ".join(f'o."{column}"' for column in Sent._fields)
_STREAM = r"substring(o.topic FROM '[a-z]+\.[a-z]+$')"
_CHUNK = 1000


def _unread() -> str:
    """SQL: a row `o` of an outbox is lacked by a reader whose it is."""
    return " OR ".join(
        f"({_taken(name, *what)} AND NOT EXISTS (SELECT FROM {name}.inbox i"
        " WHERE i.sent_on = o.day AND i.id = o.id))"
        for name, what in READERS.items()
    )


def _unlogged() -> str:
    """SQL: the event log lacks the row."""
    return (
        "NOT EXISTS (SELECT FROM monitor.events e"
        " WHERE e.day = o.day AND e.key = o.key AND e.id = o.id)"
    )


def _taken(name: str, read: tuple[str, ...], handled: frozenset[str]) -> str:
    """SQL: the row is for this service; all that is sent to it is, known or not."""
    own = f"{name}.commands"
    others = ", ".join(f"'{topic}'" for topic in read if topic != own) or "''"
    types = ", ".join(f"'{kind}'" for kind in sorted(handled))
    return f"({_STREAM} = '{own}' OR {_STREAM} IN ({others}) AND o.type IN ({types}))"


def _topics_of(cell: str) -> str:
    return rf"^({cell}(\.g[0-9]+)?|upstream)\."


async def oldest_unread(db: asyncpg.Connection, cell: str) -> date | None:
    """The day of the oldest message that a reader lacks."""
    days = [
        await db.fetchval(
            f"SELECT min(o.day) FROM {service}.outbox o"  # noqa: S608 - our own names
            f" WHERE o.topic ~ $1 AND ({_unread()})",
            _topics_of(cell),
        )
        for service in READERS
    ]
    return min((day for day in days if day), default=None)


async def send_again(
    db: asyncpg.Connection, producer: Producer, service: str, cell: str, head: str
) -> int:
    """Sends what is lacked of a service's messages to the topics that begin with `head`.

    Then the whole outbox counts as published: what is not sent again has been handled. Raises
    KafkaException where Kafka does not take a message.
    """
    count = 0
    async with db.transaction(isolation="repeatable_read"):
        cursor = db.cursor(
            f"SELECT {_COLUMNS} FROM (SELECT *, max(sent_at) OVER"  # noqa: S608 - our own names
            " (PARTITION BY lane ORDER BY seq) AS latest"
            f" FROM {service}.outbox) o WHERE o.topic ~ $1 AND ({_unread()} OR {_unlogged()})"
            " ORDER BY o.latest, o.lane, o.seq",
            _topics_of(cell),
            prefetch=_CHUNK,
        )
        async for row in cursor:
            _send(producer, service, Sent(*row), head)
            count += 1
            if count % _CHUNK == 0:
                producer.flush()
        producer.flush()
        await db.execute(f"UPDATE {service}.lanes SET published = seq")  # noqa: S608 - a name
    return count


def _send(producer: Producer, service: str, sent: Sent, head: str) -> None:
    where = stream_of(sent.topic)
    producer.produce(
        f"{head}.{where[1]}" if where else sent.topic,
        sent.body,
        sent.key.encode(),
        sent.partition,
        on_delivery=_told,
        headers=[*sent.headers(f"/jiexu/{service}"), (REPUBLISHED, head.encode())],
    )


def _told(error: KafkaError | None, _: Message) -> None:
    """Raised out of `flush`: the recovery ends, and is run again."""
    if error is not None:
        raise KafkaException(error)
