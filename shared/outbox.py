"""The outbox: append-only, numbered per lane, kept for some days; and what a row is on the bus."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from struct import Struct
from typing import NamedTuple
from uuid import UUID

import asyncpg

from shared.copying import COUNT, ID, INT, LENGTH, NULL, copied, field
from shared.messages import Message

MOST_BYTES = 900_000
"""Of a body: with its headers it stays under Kafka's own limit, 1 MB."""


class Sent(NamedTuple):
    """One outgoing message with its envelope, in the order of the table's columns."""

    lane: str
    seq: int
    id: UUID
    topic: str
    partition: int
    key: str
    type: str
    at: datetime
    sent_at: datetime
    correlation: UUID
    causation: UUID | None
    body: bytes

    def headers(self, source: str) -> list[tuple[str, bytes]]:
        """The CloudEvents headers. The trace of a message is its correlation."""
        correlation = str(self.correlation).encode()
        causation = str(self.causation or self.id).encode()
        span = causation[:8] + causation[9:13] + causation[14:18]
        return [
            _VERSION,
            ("ce_id", str(self.id).encode()),
            _line("ce_type", self.type),
            _line("ce_source", source),
            _moment("ce_time", self.at),
            _moment("sentat", self.sent_at),
            _line("lane", self.lane),
            ("seq", b"%d" % self.seq),
            ("correlationid", correlation),
            ("causationid", causation),
            ("traceparent", b"00-%b-%b-01" % (correlation.replace(b"-", b""), span)),
        ]


_VERSION = ("ce_specversion", b"1.0")


@lru_cache(maxsize=1024)
def _line(name: str, text: str) -> tuple[str, bytes]:
    """Types, sources and lanes are few."""
    return name, text.encode()


@lru_cache(maxsize=64)
def _moment(name: str, at: datetime) -> tuple[str, bytes]:
    """All messages of a batch have the same two."""
    return name, at.isoformat().encode()


_COLUMNS = Sent._fields


class TooLarge(Exception):
    """A message is larger than Kafka takes: it would hold up its lane for ever."""


def fit(bodies: Iterable[bytes]) -> None:
    """Raises TooLarge."""
    largest = max(map(len, bodies), default=0)
    if largest > MOST_BYTES:
        raise TooLarge(f"a message of {largest} bytes; Kafka takes {MOST_BYTES}")


def body_of(message: Message) -> bytes:
    """The message as it is sent."""
    return message.__pydantic_serializer__.to_json(message, exclude_defaults=True)


async def add(db: asyncpg.Connection, rows: Sequence[Sent]) -> None:
    """Appends rows in one statement. Raises TooLarge."""
    if not rows:
        return
    fit(row.body for row in rows)
    source = copied(map(packed, rows))
    await db.copy_to_table("outbox", source=source, columns=_ROW, format="binary")


_ROW = ("day", *_COLUMNS)
_SEQ_ID = Struct(">iqi16s")


def packed(row: Sent) -> bytes:
    """A row of the table as PostgreSQL copies it."""
    key, causation = row.key.encode(), row.causation
    return b"".join(
        (
            _day(row.sent_at),
            _field(row.lane),
            _SEQ_ID.pack(8, row.seq, 16, row.id.bytes),
            _field(row.topic),
            INT.pack(4, row.partition),
            LENGTH.pack(len(key)),
            key,
            _field(row.type),
            _field(row.at),
            _field(row.sent_at),
            ID.pack(16, row.correlation.bytes),
            ID.pack(16, causation.bytes) if causation else NULL,
            LENGTH.pack(len(row.body)),
            row.body,
        )
    )


@lru_cache(maxsize=64)
def _day(sent_at: datetime) -> bytes:
    return COUNT.pack(len(_ROW)) + field(sent_at.date())


@lru_cache(maxsize=1024)
def _field(value: str | datetime) -> bytes:
    """Of what is the same in many rows."""
    return field(value)


async def beyond(
    db: asyncpg.Connection, published: dict[str, int], limit: int = 1000
) -> list[Sent]:
    """What these lanes hold beyond the number that is published, by lane and number."""
    rows = await db.fetch(
        f"SELECT {', '.join('o.' + column for column in _COLUMNS)}"  # noqa: S608 - constants
        " FROM unnest($1::text[], $2::bigint[]) AS l (lane, published)"
        " CROSS JOIN LATERAL (SELECT * FROM outbox WHERE outbox.lane = l.lane"
        " AND outbox.seq > l.published ORDER BY seq LIMIT $3) AS o ORDER BY o.lane, o.seq",
        list(published),
        list(published.values()),
        limit,
    )
    return [Sent(*row) for row in rows]


def real_now() -> datetime:
    """The real time, for latency; business time comes from the database's clock."""
    return datetime.now(UTC)
