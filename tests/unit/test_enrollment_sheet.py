"""Files and documents of registrations: however damaged, each row gets its answer."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment import documents, sheet
from services.enrollment.codes import CODES
from services.enrollment.feed import ALWAYS, FIELDS, Feed, Form
from services.enrollment.sheet import Bad, FileRefused
from tests.unit.enrollment_world import EXAMPLE, MARCH, REGIONS, ROW


def answers(*blocks: bytes) -> list[str]:
    """What becomes of each row of a file: `ok` or the code."""
    encoding = sheet.encoding_of(sheet.lines(blocks))
    found = sheet.lines(blocks)
    header = sheet.header_of(next(found, b""), encoding, ALWAYS, FIELDS)
    feed = Feed(REGIONS, MARCH)
    out = []
    for row in sheet.rows(found, header, encoding):
        form = feed.read(row) if isinstance(row, dict) else row
        out.append("ok" if isinstance(form, Form) else form.code)
    return out


def test_the_published_example_is_read() -> None:
    assert answers(EXAMPLE.encode()) == ["ok", "ok", "ok"]


# ── The file ──────────────────────────────────────────────────────────────────────────────────


def test_byte_order_mark_and_dos_line_ends_are_read() -> None:
    dos = b"\xef\xbb\xbf" + EXAMPLE.replace("\n", "\r\n").encode()

    assert answers(dos) == ["ok", "ok", "ok"]


def test_gb18030_is_detected() -> None:
    assert answers(EXAMPLE.encode("gb18030")) == ["ok", "ok", "ok"]


def test_one_damaged_line_does_not_change_the_encoding_of_the_others() -> None:
    head, *rows = EXAMPLE.encode().splitlines(keepends=True)

    assert answers(head, rows[0], b"\xff\xfe\x81,b\n", rows[2]) == ["ok", "bad_encoding", "ok"]


def test_columns_may_stand_in_any_order_and_unknown_ones_are_reported() -> None:
    names = [*reversed(ROW), "maternity"]
    text = ",".join(names) + "\n" + ",".join([*reversed(ROW.values()), "x"]) + "\n"

    header = sheet.header_of(text.encode().split(b"\n")[0], "utf-8", ALWAYS, FIELDS)

    assert header.unknown == ("maternity",)
    assert answers(text.encode()) == ["ok"]


def test_a_missing_column_refuses_every_row_by_name() -> None:
    head, *rows = EXAMPLE.replace(",id_no,", ",number,").encode().splitlines()
    header = sheet.header_of(head, "utf-8", ALWAYS, FIELDS)

    found = list(sheet.rows(rows, header, "utf-8"))

    assert (header.code, header.detail) == ("missing_column", "id_no")
    assert found[0] == Bad("missing_column", "ha-hrss", "1", "refused")
    assert len(found) == 3


def test_a_column_that_stands_twice_refuses_every_row() -> None:
    text = EXAMPLE.replace(",reason\n", ",region\n")

    assert answers(text.encode()) == ["duplicate_column"] * 3


def test_a_header_that_stands_again_is_no_record() -> None:
    head, *rows = EXAMPLE.encode().splitlines(keepends=True)

    assert answers(head, rows[0], head, rows[1]) == ["ok", "repeated_header", "ok"]


WHOLE = [
    (b"name,phone\nx,y\n", "missing_column"),
    (b"source,source,record_id\nx,y,z\n", "duplicate_column"),
    (b"\x7fELF\x02\x01\x01\x00\x00\n\x00\x01\n", "binary_file"),
    (bytes(range(256)) * 64, "binary_file"),
    (b'"source,record_id\n', "unclosed_quote"),
    (b"x" * 70_000, "binary_file"),
    (b"\n", "missing_column"),
]


@pytest.mark.parametrize(("content", "expected"), WHOLE)
def test_a_file_without_rows_is_refused_as_a_whole(content: bytes, expected: str) -> None:
    with pytest.raises(FileRefused) as refused:
        answers(content)

    assert refused.value.code == expected


ROWS = [
    ('gx,1,"enroll', "unclosed_quote"),
    ("gx,1,enroll", "field_count"),
    (",".join(["gx"] * 25), "field_count"),
]


@pytest.mark.parametrize(("line", "expected"), ROWS)
def test_a_damaged_row_ends_with_its_line(line: str, expected: str) -> None:
    head, *rows = EXAMPLE.encode().splitlines(keepends=True)

    assert answers(head, line.encode() + b"\n", *rows) == [expected, "ok", "ok", "ok"]


def test_a_damaged_row_is_answered_under_its_name_where_it_can_be_told() -> None:
    head = EXAMPLE.encode().splitlines()[0]
    header = sheet.header_of(head, "utf-8", ALWAYS, FIELDS)

    (bad,) = sheet.rows([b'gx,12,"enroll'], header, "utf-8")

    assert bad == Bad("unclosed_quote", "gx", "12")


def test_quoted_fields_are_read() -> None:
    head, *_, row = EXAMPLE.splitlines(keepends=True)
    quoted = ",".join(f'"{value}"' for value in row.strip().split(","))

    assert answers(head.encode(), quoted.encode()) == ["ok"]


def test_blank_lines_and_trailing_commas_are_nothing() -> None:
    head, *rows = EXAMPLE.splitlines()

    assert answers("\n".join([head, "", rows[0] + ",,", ",,,,", rows[1]]).encode()) == ["ok", "ok"]


def test_a_line_without_an_end_is_skipped_in_little_memory() -> None:
    head, *rows = EXAMPLE.encode().splitlines(keepends=True)
    sent = 0

    def blocks() -> Iterator[bytes]:
        nonlocal sent
        yield head
        for _ in range(1024):
            sent += 1
            yield b"x" * 1024 * 1024
        yield b"\n"
        yield from rows

    found = list(sheet.lines(blocks()))

    assert sent == 1024
    assert found[1] is None
    assert sum(len(line) for line in found if line) < 4096
    assert len(found) == 5


@given(st.lists(st.binary(max_size=200), max_size=20), st.integers(1, 50))
def test_lines_do_not_depend_on_how_the_bytes_arrive(written: list[bytes], size: int) -> None:
    whole = b"\n".join(line.replace(b"\n", b"") for line in written)
    blocks = [whole[i : i + size] for i in range(0, len(whole), size)]

    assert list(sheet.lines(blocks)) == list(sheet.lines([whole]))


@given(st.binary(max_size=2000))
def test_no_bytes_whatever_raise_anything_else(noise: bytes) -> None:
    head = EXAMPLE.encode().splitlines(keepends=True)[0]

    for found in answers(head, noise):
        assert found == "ok" or found in CODES


def test_no_answer_can_be_taken_for_a_formula() -> None:
    line = sheet.answer_lines([("=1+1", "@SUM(A1)", "refused", "conflict", "-x", "")])

    assert line == b"'=1+1,'@SUM(A1),refused,conflict,'-x,\n"


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────


def test_json_numbers_stay_what_was_written() -> None:
    (row,) = documents.parse(b'{"base": 5500.10, "amount": 1e5, "month": null, "account": true}')

    assert row == {"base": "5500.10", "amount": "1e5", "account": "yes"}


BODIES: list[tuple[bytes, list[Any]]] = [
    (b'{"source": "a"}', [{"source": "a"}]),
    (b'[{"source": "a"}, 7]', [{"source": "a"}, Bad("not_a_record")]),
    (b'{"specversion": "1.0", "data": [{"source": "a"}]}', [{"source": "a"}]),
    (b'{"source": "a", "record_id": "1", "name": {}}', [Bad("not_a_record", "a", "1")]),
    (b"\xff", [Bad("not_json")]),
    (b"", [Bad("not_json")]),
    (b"[" * 100_000, [Bad("not_json")]),
    (b"[]", []),
]


@pytest.mark.parametrize(("body", "rows"), BODIES)
def test_json_bodies_become_rows(body: bytes, rows: list[Any]) -> None:
    assert documents.rows_of(body) == rows


def test_an_endless_row_is_answered_and_the_next_is_read() -> None:
    head, *rows = EXAMPLE.encode().splitlines(keepends=True)

    assert answers(head, b"x" * 100_000 + b"\n", rows[0]) == ["line_too_long", "ok"]
