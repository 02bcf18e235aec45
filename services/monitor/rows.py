"""A record as a row of the event log, and as the bytes in which PostgreSQL copies one. PURE.

Of a record as the chassis sends them the bytes are put together from its own: nothing is made an
object of only to be written again. Any other takes the longer way, to the same bytes.
"""

import re
from binascii import unhexlify
from datetime import UTC, date, datetime
from functools import lru_cache
from struct import Struct
from typing import NamedTuple
from uuid import NAMESPACE_OID, UUID, uuid5

from shared.copying import COUNT, ID, INT, LENGTH, LONG, NULL, field
from shared.db import Id
from shared.dead_letters import Record

_TRANSFER, _IS_TRANSFER = b'"transfer":', re.compile(rb'\s*"([0-9a-f-]{36})"')
_TO, _IS_TO = b'"to":', re.compile(rb'\s*"([0-9]{6})"')
_LONGEST_NUMBER = 18
_SEQ = Struct(">iqi")
_ID_BYTES, _ID_TEXT = 16, 36


class Row(NamedTuple):
    """One record in the log, in the order of the table's columns."""

    day: date
    topic: str
    partition: int
    offset: int
    id: UUID
    type: str
    key: str
    transfer: UUID | None
    region: str | None
    at: datetime
    sent_at: datetime
    correlation: UUID | None
    causation: UUID | None
    lane: str | None
    seq: int | None
    body: bytes


def row_of(record: Record) -> Row:
    """The row of any record; what cannot be read of it is missing."""
    headers, body = record.headers, record.body
    sent_at = _instant(headers.get("sentat")) or datetime.fromtimestamp(
        record.timestamp / 1000, UTC
    )
    region = _said(body, _TO, _IS_TO)
    return Row(
        sent_at.date(),
        record.topic,
        record.partition,
        record.offset,
        _uuid(headers.get("ce_id")) or uuid5(NAMESPACE_OID, f"{record.lane}/{record.offset}"),
        _plain(record.type),
        _plain(record.key),
        _uuid(_said(body, _TRANSFER, _IS_TRANSFER)),
        region.decode() if region else None,
        _instant(headers.get("ce_time")) or sent_at,
        sent_at,
        _uuid(headers.get("correlationid")),
        _uuid(headers.get("causationid")),
        _plain(record.said("lane")) if "lane" in headers else None,
        _number(headers.get("seq")),
        body,
    )


def packed(record: Record) -> bytes:
    """The row of a record as PostgreSQL copies it."""
    try:
        return _quickly(record)
    except (KeyError, ValueError):
        day, topic, partition, *others = row_of(record)
        start = COUNT.pack(len(Row._fields)) + field(day) + _place(topic, partition)
        return start + b"".join(map(field, others))


def _quickly(record: Record) -> bytes:
    """The row of a record as they mostly are. Raises KeyError or ValueError for another one."""
    headers, body, key = record.headers, record.body, record.key.encode()
    seq, about = headers["seq"], headers["correlationid"]
    if not seq.isdigit() or len(seq) > _LONGEST_NUMBER or b"\x00" in key:
        raise ValueError("no number, or no key")
    day, sent_at = _times(headers["sentat"])
    correlation = _id(about)
    found = body.find(_TRANSFER)
    if found < 0:
        transfer = NULL
    elif body.startswith(b'"%b"' % about, found + len(_TRANSFER)) and about.islower():
        transfer = correlation
    else:
        transfer = field(_uuid(_said(body, _TRANSFER, _IS_TRANSFER)))
    return b"".join(
        (
            day,
            _place(record.topic, record.partition),
            LONG.pack(8, record.offset),
            _id(headers["ce_id"]),
            _name(headers["ce_type"]),
            LENGTH.pack(len(key)),
            key,
            transfer,
            _region(_said(body, _TO, _IS_TO)),
            _times(headers["ce_time"])[1],
            sent_at,
            correlation,
            _id(headers["causationid"]),
            _name(headers["lane"]),
            _SEQ.pack(8, int(seq), len(body)),
            body,
        )
    )


def _id(text: bytes) -> bytes:
    """The field of an id as we write them. Raises ValueError."""
    id_ = unhexlify(text.replace(b"-", b""))
    if len(text) != _ID_TEXT or len(id_) != _ID_BYTES:
        raise ValueError("no id")
    return ID.pack(_ID_BYTES, id_)


@lru_cache(maxsize=512)
def _times(text: bytes) -> tuple[bytes, bytes]:
    """An instant as the first field, its day, and as a field. Raises ValueError."""
    at = _instant(text)
    if at is None:
        raise ValueError("no instant")
    return COUNT.pack(len(Row._fields)) + field(at.date()), field(at)


@lru_cache(maxsize=512)
def _place(topic: str, partition: int) -> bytes:
    return field(topic) + INT.pack(4, partition)


@lru_cache(maxsize=512)
def _name(text: bytes) -> bytes:
    """The field of a type or lane; they are few."""
    return field(_plain(text.decode("utf-8", "replace")))


@lru_cache(maxsize=512)
def _region(text: bytes | None) -> bytes:
    return field(text)


def _said(body: bytes, name: bytes, value: re.Pattern[bytes]) -> bytes | None:
    """The first field of this name in a body; nothing else of it is read."""
    at = body.find(name)
    found = value.match(body, at + len(name)) if at >= 0 else None
    return found[1] if found else None


def _uuid(text: bytes | None) -> UUID | None:
    """The text as an id; None where it is none."""
    try:
        return Id(text.decode()) if text else None
    except ValueError:
        return None


def _instant(text: bytes | None) -> datetime | None:
    """The instant in UTC; None where there is none, or one without an offset."""
    try:
        at = datetime.fromisoformat((text or b"").decode())
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _number(text: bytes | None) -> int | None:
    return int(text) if text and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def _plain(text: str) -> str:
    return text.replace("\x00", "")
