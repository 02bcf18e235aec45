"""One record of the upstream topic never becomes more messages than a process can hold."""

import json
from typing import Any

import pytest

from services.enrollment.documents import MOST_BYTES, MOST_RECORDS
from services.enrollment.intake import Intake, UpstreamEdge
from shared.messages.enrollment import Answered
from shared.sealing import Keyring
from shared.settings import Secrets
from tests.unit.enrollment_world import MARCH, REGIONS

EDGE = UpstreamEdge(
    Intake(REGIONS, Keyring(Secrets(blind_key_secret="11" * 32, master_key="22" * 32)))
)


async def told(*bodies: bytes) -> list[tuple[str, str | None]]:
    """What senders are told where no record is one that the database would have to keep."""
    database: Any = None
    messages = [message for _, message in await EDGE.take(database, bodies, MARCH)]
    answers = [message for message in messages if isinstance(message, Answered)]
    assert len(answers) == len(messages)
    return [(answer.record_id, answer.code) for answer in answers]


def array(item: bytes, count: int) -> bytes:
    return b"[" + b",".join([item] * count) + b"]"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(array(b"1", 450_000), id="no records"),
        pytest.param(array(b'{"source":"a","record_id":"1"}', MOST_RECORDS + 1), id="rows"),
        pytest.param(b'"' + b"x" * MOST_BYTES + b'"', id="bytes"),
    ],
)
async def test_a_record_that_holds_too_much_is_answered_once(body: bytes) -> None:
    assert await told(body) == [("", "too_large")]


async def test_elements_that_name_no_record_are_answered_once_for_all() -> None:
    named = json.dumps([{"source": "a", "record_id": "1", "name": {}}] * 2).encode()

    assert await told(array(b"1", 900), named, array(b"{}", 50)) == [
        ("", "not_a_record"),
        ("1", "not_a_record"),
        ("1", "not_a_record"),
        ("", "missing_field"),
    ]
