"""What an operator sees of a dead letter, and what a reason may hold."""

import json

import pytest

from shared.asking import Refusal, reasoned
from shared.redriving import UNSHOWN, body_shown

PERSON = "4042060ad1f399e39f286567c2ed17fb"


def test_a_body_is_shown_as_far_as_it_is_codes_numbers_dates_and_ids() -> None:
    body = {
        "to": "450100",
        "person": PERSON,
        "transfer": "5d2f1c64-2f0e-5b0a-9a3c-4a6965787531",
        "due_at": "2026-03-02T09:30:00+08:00",
        "amount_fen": 408412,
        "months": [[24230, 24313]],
        "account": True,
        "reason": None,
    }

    assert body_shown(json.dumps(body).encode()) == body


@pytest.mark.parametrize(
    "value",
    [
        "张伟",
        "Zhang Wei",
        "13800000000",
        "410102199003078512",
        "x410102199003078512",
        "41010219900307851X",
        13800000000,
        "6222021234567890123",
    ],
)
def test_nothing_that_may_be_somebodys_is_shown(value: object) -> None:
    body = {"a": value, "b": [{"c": value}], str(value): 1}

    shown = body_shown(json.dumps(body).encode())

    assert shown == {"a": UNSHOWN, "b": [{"c": UNSHOWN}], UNSHOWN: 1}


def test_what_is_sealed_is_not_shown() -> None:
    assert body_shown(b'{"sealed": "abc", "name_keys": ["d"], "to": "450100"}') == {"to": "450100"}


@pytest.mark.parametrize("body", [b"\xff\x00", b"{", "张伟".encode(), b"[" * 100_000])
def test_what_cannot_be_read_shows_its_length_alone(body: bytes) -> None:
    assert body_shown(body) == {"unreadable": True, "bytes": len(body)}


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("", "reason_missing"),
        ("  ", "reason_missing"),
        ("x" * 501, "reason_too_long"),
        ("nul \x00", "reason_too_long"),
        ("asked by 13800000000", "reason_personal"),
    ],
)
def test_a_reason_is_given_and_holds_nothing_personal(why: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        reasoned(why)

    assert refused.value.code == code
