"""Every kind of damage to a feed gets an answer, per row where there are rows."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment import documents
from services.enrollment.codes import CODES, sentence
from services.enrollment.feed import ALWAYS, FIELDS, Feed, Form, Refused
from shared.identity import make_id
from tests.unit.enrollment_world import MARCH, REGIONS, ROW, month, ranges, transfer


def read(**fields: str) -> Form | Refused:
    return Feed(REGIONS, MARCH).read({**ROW, **fields})


def code(**fields: str) -> str:
    refused = read(**fields)
    assert isinstance(refused, Refused)
    return refused.code


def test_a_row_becomes_what_it_says() -> None:
    form = read()

    assert isinstance(form, Form)
    assert (form.name, form.phone, form.id_no) == ("张伟", "13800000000", "410102199003078512")
    assert form.values["month"] == month("2026-03")
    assert form.values["base_fen"] == 550000
    assert form.transfer == Feed(REGIONS, MARCH).read(ROW).transfer  # type: ignore[union-attr]


def test_months_are_read_as_ranges() -> None:
    form = read(action="open", months="2019-03..2024-12;2025-02..2025-06")

    assert isinstance(form, Form)
    assert form.values["months"] == ranges("2019-03..2024-12;2025-02..2025-06")


def test_a_long_history_is_no_long_field() -> None:
    text = ";".join(f"{year}-01..{year}-06" for year in range(1990, 2026))

    form = read(action="open", months=text)

    assert isinstance(form, Form)
    assert form.values["months"] == ranges(text)


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
    ({"plan_year": "1066"}, "bad_year"),
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
    ({"previous_region": ""}, True),
    ({"region": "410100", "previous_region": ""}, False),
    ({"region": "410100", "previous_region": "450100"}, False),
    ({"previous_scheme": "390"}, False),
    ({"action": "apply"}, True),
    ({"action": "suspend"}, False),
]


@pytest.mark.parametrize(("fields", "promised"), TRANSFERS)
def test_a_transfer_is_promised_where_the_record_begins_one(
    fields: dict[str, str],
    promised: bool,  # noqa: FBT001
) -> None:
    form = read(**fields)

    assert isinstance(form, Form)
    assert (form.transfer == transfer("7")) == promised
    assert (form.transfer is not None) == promised


def test_where_the_person_was_is_not_said_enrollment_knows_whether_a_transfer_starts() -> None:
    form = read(previous_region="")

    assert isinstance(form, Form)
    assert form.values["transfer"] is None


def test_a_plan_year_is_a_number() -> None:
    form = read(plan_year="2027")

    assert isinstance(form, Form)
    assert form.values["plan_year"] == 2027
    assert form.key == ("test", "7")


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


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(max_size=50)))
def test_no_text_whatever_raises_anything_else(fields: dict[str, str]) -> None:
    found = read(**fields)

    assert isinstance(found, Form) or found.code in CODES


def test_half_a_character_in_json_is_refused() -> None:
    (row,) = documents.parse(json.dumps({**ROW, "name": "\ud83d"}).encode())

    assert isinstance(row, dict)
    assert code(**row) == "bad_character"


def test_every_code_has_a_sentence_in_both_languages() -> None:
    assert all(zh and en and zh != en for zh, en in CODES.values())
    assert sentence("bad_month", "month") == ("月份须为 YYYY-MM / a month must be YYYY-MM (month)")
