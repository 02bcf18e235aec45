"""Every kind of damage to a feed gets an answer, per row where there are rows."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment import documents, sheet
from services.enrollment.codes import CODES, sentence
from services.enrollment.feed import ALWAYS, FIELDS, Feed, Form, Refused
from services.enrollment.sheet import Bad, FileRefused
from shared.identity import make_id
from tests.unit.enrollment_world import MARCH, REGIONS, month, ranges, transfer

ROW = {
    "source": "test",
    "record_id": "7",
    "action": "enroll",
    "occurred_at": "2026-03-02T09:30:00+08:00",
    "region": "450100",
    "id_type": "01",
    "id_no": "410102199003078512",
    "name": "张伟",
    "phone": "13800000000",
    "scheme": "310",
    "person_type": "flexible",
    "residence_permit": "yes",
    "month": "2026-03",
    "base": "5500.00",
    "previous_region": "410100",
}
EXAMPLE = (
    "source,record_id,action,occurred_at,region,id_type,id_no,name,phone,scheme,person_type,"
    "employer_id,residence_permit,month,months,base,amount,balance,previous_region,reason\n"
    "ha-hrss,1,open,2026-02-20T09:00:00+08:00,410100,01,410102199003078512,张伟,,310,employee,"
    "91410100MA3X0QK72Y,,,2019-03..2026-02,,,4084.12,,\n"
    "ha-hrss,2,suspend,2026-02-27T17:00:00+08:00,410100,01,410102199003078512,,,310,,,,2026-02,"
    ",,,,,left employment\n"
    "gx-hrss,7,enroll,2026-03-02T09:30:00+08:00,450100,01,410102199003078512,张伟,13800000000,"
    "310,flexible,,yes,2026-03,,5500.00,,,410100,\n"
)


def read(**fields: str) -> Form | Refused:
    return Feed(REGIONS, MARCH).read({**ROW, **fields})


def code(**fields: str) -> str:
    refused = read(**fields)
    assert isinstance(refused, Refused)
    return refused.code


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


def test_a_row_becomes_what_it_says() -> None:
    form = read()

    assert isinstance(form, Form)
    assert (form.name, form.phone, form.id_no) == ("张伟", "13800000000", "410102199003078512")
    assert form.values["month"] == month("2026-03")
    assert form.values["base_fen"] == 550000
    assert form.transfer == Feed(REGIONS, MARCH).read(ROW).transfer  # type: ignore[union-attr]


def test_the_published_example_is_read() -> None:
    assert answers(EXAMPLE.encode()) == ["ok", "ok", "ok"]


def test_months_are_read_as_ranges() -> None:
    form = read(action="open", months="2019-03..2024-12;2025-02..2025-06")

    assert isinstance(form, Form)
    assert form.values["months"] == ranges("2019-03..2024-12;2025-02..2025-06")


def test_an_old_citizen_number_is_the_same_person() -> None:
    old = read(id_no="410102900307851")

    assert isinstance(old, Form)
    assert old.id_no == "410102199003078512"


REFUSED = [
    ({"id_no": "410102199003078513"}, "id_checksum"),
    ({"id_no": "41010219900307851"}, "id_length"),
    ({"id_no": make_id("410102", date(2030, 3, 7), 851)}, "id_birth_date"),
    ({"id_type": "55"}, "id_type"),
    ({"id_type": "08", "id_no": "护照1234"}, "id_format"),
    ({"region": "999999"}, "unknown_region"),
    ({"region": "45010"}, "bad_region"),
    ({"previous_region": "999999"}, "unknown_region"),
    ({"previous_region": "450100"}, "same_region"),
    ({"month": "2026-13"}, "bad_month"),
    ({"month": "202603"}, "bad_month"),
    ({"months": "2026-02..2026-01"}, "bad_month"),
    ({"base": "-1.00"}, "negative_amount"),
    ({"base": "1e5"}, "bad_amount"),
    ({"base": "1.005"}, "bad_amount"),
    ({"base": "1,000.00"}, "bad_amount"),
    ({"base": "１００"}, "bad_amount"),
    ({"base": "9" * 16}, "bad_amount"),
    ({"action": "delete"}, "unknown_action"),
    ({"scheme": "510"}, "unknown_value"),
    ({"person_type": "boss"}, "unknown_value"),
    ({"residence_permit": "maybe"}, "unknown_value"),
    ({"account": "1"}, "unknown_value"),
    ({"nature": "odd"}, "unknown_value"),
    ({"plan_year": "27"}, "bad_year"),
    ({"occurred_at": "2026-03-02T09:31:00+08:00"}, "future_date"),
    ({"occurred_at": "2026-03-02T09:30:00"}, "bad_time"),
    ({"occurred_at": "yesterday"}, "bad_time"),
    ({"occurred_at": "0001-01-01T00:00:00+08:00"}, "bad_time"),
    ({"paid_on": "2026-03-03"}, "future_date"),
    ({"paid_on": "20260302"}, "bad_date"),
    ({"paid_on": "2026-02-30"}, "bad_date"),
    ({"name": "张😀"}, "bad_name"),
    ({"name": "=HYPERLINK(1)"}, "bad_name"),
    ({"name": "··"}, "bad_name"),
    ({"name": "张\x00伟"}, "control_character"),
    ({"reason": "a\nb"}, "control_character"),
    ({"name": "张\ud800"}, "bad_character"),
    ({"name": "张" * 101}, "too_long"),
    ({"phone": "call me"}, "bad_phone"),
    ({"person_type": "employee"}, "missing_field"),
    ({"person_type": "employee", "employer_id": "91410100MA3X0QK72X"}, "employer_checksum"),
    ({"name": " "}, "missing_field"),
    ({"action": "contribute", "month": ""}, "missing_field"),
    ({"action": "withdraw"}, "missing_field"),
    ({"action": "spend"}, "missing_field"),
    ({"action": "spend", "amount": "0"}, "bad_amount"),
]


@pytest.mark.parametrize(("fields", "expected"), REFUSED)
def test_a_malformed_field_is_refused_with_its_code(fields: dict[str, str], expected: str) -> None:
    assert code(**fields) == expected
    assert expected in CODES


@pytest.mark.parametrize("name", ALWAYS)
def test_what_every_row_needs_must_be_there(name: str) -> None:
    refused = read(**{name: ""})

    assert isinstance(refused, Refused)
    assert (refused.code, refused.field) == ("missing_field", name)


NAMES = ["张伟", "买买提·艾力", "Jean-Luc O'Neil", "𠮷田", "王\ue863", "阿卜杜拉"]


@pytest.mark.parametrize("name", NAMES)
def test_real_names_are_taken(name: str) -> None:
    form = read(name=name)

    assert isinstance(form, Form)
    assert form.name == name


TRANSFERS = [
    ({}, True),
    ({"previous_region": ""}, False),
    ({"region": "410100", "previous_region": "450100"}, False),
    ({"previous_scheme": "390"}, False),
    ({"action": "apply"}, True),
    ({"action": "suspend"}, False),
]


@pytest.mark.parametrize(("fields", "promised"), TRANSFERS)
def test_a_transfer_is_promised_where_the_record_begins_one(
    fields: dict[str, str], promised: bool
) -> None:
    form = read(**fields)

    assert isinstance(form, Form)
    assert (form.transfer == transfer("7")) == promised
    assert (form.transfer is not None) == promised


def test_a_withdrawal_is_of_the_transfer_it_refers_to() -> None:
    form = read(action="withdraw", refers_to="6")

    assert isinstance(form, Form)
    assert form.transfer == transfer("6")


def test_the_order_of_columns_is_not_content_and_a_value_is() -> None:
    feed = Feed(REGIONS, MARCH)

    one, other = feed.read(ROW), feed.read(dict(reversed(ROW.items())))
    changed = read(base="5500.01")

    assert isinstance(one, Form)
    assert isinstance(other, Form)
    assert isinstance(changed, Form)
    assert one.content == other.content != changed.content


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


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(max_size=50)))
def test_no_text_whatever_raises_anything_else(fields: dict[str, str]) -> None:
    found = read(**fields)

    assert isinstance(found, Form) or found.code in CODES


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


def test_half_a_character_in_json_is_refused() -> None:
    (row,) = documents.parse(json.dumps({**ROW, "name": "\ud83d"}).encode())

    assert isinstance(row, dict)
    assert code(**row) == "bad_character"


def test_every_code_has_a_sentence_in_both_languages() -> None:
    assert all(zh and en and zh != en for zh, en in CODES.values())
    assert sentence("bad_month", "month") == ("月份须为 YYYY-MM / a month must be YYYY-MM (month)")
