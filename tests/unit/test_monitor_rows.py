"""A record's row in the event log: put together from its bytes, or the longer way, the same."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from struct import unpack_from
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.monitor import rows
from services.monitor.rows import Row, packed, row_of
from shared.copying import copied
from shared.dead_letters import Record
from shared.outbox import Sent

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 28, 8, 30, 0, 123456, UTC)
TRANSFER = uuid4()
BODY = f'{{"to":"450100","person":"ab","transfer":"{TRANSFER}","fen":1}}'.encode()
ids = st.uuids().map(str) | st.uuids().map(lambda id_: id_.hex) | st.just(str(TRANSFER).upper())
texts = st.text(max_size=40).map(str.encode) | st.binary(max_size=40)
zones = st.sampled_from([None, UTC, CHINA, timezone(timedelta(hours=-12, minutes=-1))])
instants = st.datetimes(timezones=zones).map(datetime.isoformat)
numbers = st.integers(-5, 10**20).map(str) | st.sampled_from(["²", "1_0", " 7", "007"])


def sent(body: bytes = BODY, correlation: UUID = TRANSFER) -> Record:
    """A record as the chassis sends them."""
    row = Sent(
        "cn.transfer.events/3", 7, uuid4(), "t", 3, "k", "settlement.pay.v1", NOW - timedelta(1),
        NOW, correlation, uuid4(), body,
    )  # fmt: skip
    return Record("cn.settlement.commands", 3, 12, 0, "k1", dict(row.headers("/jiexu/x")), body)


def longer(record: Record) -> bytes:
    """The row through its values, field by field as PostgreSQL's documentation has it."""
    fields = []
    for column, value in zip(Row._fields, row_of(record), strict=True):
        fields.append((b"\xff" * 4) if value is None else _plain(column, value))
    return (16).to_bytes(2, "big") + b"".join(fields)


def _plain(column: str, value: object) -> bytes:
    match value:
        case UUID():
            data = value.int.to_bytes(16, "big")
        case datetime():
            since = value - datetime(2000, 1, 1, tzinfo=UTC)
            whole = (since.days * 86400 + since.seconds) * 10**6 + since.microseconds
            data = whole.to_bytes(8, "big", signed=True)
        case date():
            data = (value.toordinal() - date(2000, 1, 1).toordinal()).to_bytes(
                4, "big", signed=True
            )
        case int():
            data = value.to_bytes(4 if column == "partition" else 8, "big")
        case str():
            data = value.encode()
        case _:
            assert isinstance(value, bytes)
            data = value
    return len(data).to_bytes(4, "big") + data


def bodies() -> st.SearchStrategy[bytes]:
    """Bodies, whole and broken, in which the same and other ids and regions stand."""
    parts = st.sampled_from(
        [b'"transfer":', b'"to":', f'"{TRANSFER}"'.encode(), b'"450100"', b'"45010"', b" ", b"{",
         f'"{TRANSFER}"'.upper().encode(), f'"{uuid4()}"'.encode(), b'"-"', b"null", b"\xff\x00",
         f'"{"-" * 36}"'.encode()]
    )  # fmt: skip
    return st.lists(parts, max_size=8).map(b"".join) | st.just(BODY)


def headers() -> st.SearchStrategy[Mapping[str, bytes]]:
    """Headers as they should be, some of them as they should not, some missing."""
    good = sent().headers
    odd = {name: (ids | instants | numbers).map(str.encode) | texts for name in good}
    return st.fixed_dictionaries({}, optional=odd).flatmap(
        lambda some: st.sampled_from([some, good | some])
    )


@given(headers(), bodies(), st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=9))
@example(sent().headers | {"correlationid": str(TRANSFER).upper().encode()}, BODY.upper(), "k")
@example(sent().headers | {"correlationid": TRANSFER.hex.encode()}, BODY, "k\x00")
@example(sent().headers | {"ce_type": b"a\x00b", "lane": b"\xff"}, BODY, "")
def test_whatever_a_record_is_both_ways_lead_to_the_same_row(
    lines: Mapping[str, bytes], body: bytes, key: str
) -> None:
    record = Record("cn.transfer.events", 0, 5, 1_767_225_600_000, key, dict(lines), body)

    assert packed(record) == longer(record)


@pytest.mark.parametrize(
    "record",
    [
        sent(),
        sent(BODY.replace(b":", b": ")),
        sent(b"{}"),
        sent(correlation=uuid4()),
        sent(BODY.replace(str(TRANSFER).encode(), b"7")),
    ],
)
def test_what_the_chassis_sends_takes_the_short_way(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = longer(record)

    monkeypatch.delattr(rows, "row_of")

    assert packed(record) == expected


def test_the_rows_of_a_batch_stand_between_head_and_end() -> None:
    first, second = sent(), sent(b"{}")

    made = bytes(copied([packed(first), packed(second)]))

    assert made.startswith(b"PGCOPY\n\xff\r\n\0" + bytes(8))
    assert made[19:] == packed(first) + packed(second) + b"\xff\xff"
    assert unpack_from(">h", made, 19) == (len(Row._fields),)
