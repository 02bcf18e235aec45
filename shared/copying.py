"""Rows as the bytes in which PostgreSQL copies them, where a row is made mostly of bytes already.

asyncpg looks at every value of a row; what is the same in many rows is written once here. PURE.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from struct import Struct
from uuid import UUID

# A head, of each row the number of its fields, of each field its length, and an end.
_HEAD, _END = b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff"
_BEGIN, _BEGIN_AT = date(2000, 1, 1), datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
NULL = b"\xff\xff\xff\xff"
COUNT, LENGTH = Struct(">h"), Struct(">i")
INT, LONG, ID = Struct(">ii"), Struct(">iq"), Struct(">i16s")


def copied(rows: Iterable[bytes]) -> memoryview:
    """Rows as a source of `copy_to_table`, which would take bytes for the name of a file."""
    return memoryview(b"".join((_HEAD, *rows, _END)))


def field(value: object) -> bytes:
    """One field of a row; a whole number is a bigint."""
    match value:
        case None:
            return NULL
        case UUID():
            data = value.bytes
        case str():
            data = value.encode()
        case int():
            data = value.to_bytes(8, "big", signed=True)
        case datetime():
            data = ((value - _BEGIN_AT) // _MICROSECOND).to_bytes(8, "big", signed=True)
        case date():
            data = (value - _BEGIN).days.to_bytes(4, "big", signed=True)
        case _:
            assert isinstance(value, bytes)
            data = value
    return LENGTH.pack(len(data)) + data
