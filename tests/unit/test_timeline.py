"""The timeline of a transfer: sentences in causal order, each message once."""

import random
import string
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID, uuid4

import pytest

from services.monitor.sentences import SENTENCES, SILENT
from services.monitor.timeline import Event, sentence, timeline, with_letters
from services.monitor.words import WORDS
from services.notification.templates import TEMPLATES
from services.transfer.states import MONEY_ENDS, RECORD_ENDS
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import transfer as t
from shared.messages.catalogue import CATALOGUE
from shared.messages.settlement_people import ItemCommand, ItemEvent

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FROM = {"to": "450100", "person": "ab" * 16, "transfer": UUID(int=7), "origin": "410100"}
PLACES = {"410100": ("郑州市", "Zhengzhou"), "450100": ("南宁市", "Nanning")}


def place(code: str) -> tuple[str, str]:
    return PLACES.get(code, (code, code))


def event(message: Message, *, at: int = 0, sent: int = 0, lane: str = "a", seq: int = 1) -> Event:
    body = message.model_dump_json(exclude_defaults=True).encode()
    return Event(uuid4(), message.type, AT + SECOND * at, AT + SECOND * sent, lane, seq, body)


ACCEPTED = e.ReleaseAccepted.model_validate(FROM)
ADVANCED = s.AdvanceCredited.model_validate(
    FROM | {"version": 1, "amount_fen": 408412, "credited_fen": 408412, "open_fen": 408412}
)
JOINED = e.RecordJoined.model_validate(
    FROM
    | {
        "months": (),
        "months_total": 85,
        "entitled_from": 2026 * 12 + 2,
        "waiting_months": 0,
        "retroactive_from": None,
    }
)


def test_every_message_about_a_transfer_has_a_sentence_or_is_silent_on_purpose() -> None:
    people = ItemCommand, ItemEvent
    about = {
        kind
        for kind, found in CATALOGUE.items()
        if "transfer" in found.model_fields or issubclass(found, people)
    }

    assert about == set(SENTENCES) | SILENT
    assert not set(SENTENCES) & SILENT


@pytest.mark.parametrize(
    ("field", "codes"),
    [
        ("kind", set(TEMPLATES)),
        ("step", set(get_args(t.Step))),
        ("record", RECORD_ENDS),
        ("money", MONEY_ENDS),
    ],
)
def test_what_a_sentence_names_has_words(field: str, codes: set[str]) -> None:
    assert set(WORDS[field]) == codes


@pytest.mark.parametrize("kind", sorted(SENTENCES))
def test_a_sentence_asks_only_for_fields_that_its_message_has(kind: str) -> None:
    fields = set(CATALOGUE[kind].model_fields)

    for text in SENTENCES[kind]:
        assert {f for _, f, _, _ in string.Formatter().parse(text) if f} <= fields


def test_a_sentence_gives_names_and_yuan_in_both_languages() -> None:
    found = sentence(event(ADVANCED), place)

    assert found == (
        "南宁市预划4084.12元，已到个人账户",
        "Nanning credited 4084.12 yuan in advance",
    )


def test_months_are_shown_as_people_write_them() -> None:
    unpaid = JOINED.model_copy(update={"entitled_from": None})

    assert sentence(event(JOINED), place)[1].endswith("85 months in total, entitled from 2026-03")
    assert sentence(event(unpaid), place)[0].endswith("待遇起始月待首次缴费")


def test_a_due_time_is_shown_as_the_last_day_that_it_ends() -> None:
    due = {"step": "answer", "due_at": datetime(2026, 3, 23, 16, tzinfo=UTC), "region": "410100"}
    overdue = t.Overdue.model_validate(FROM | due)

    chinese, english = sentence(event(overdue), place)

    assert "2026-03-23" in chinese
    assert "was due by 2026-03-23" in english


def test_the_order_is_business_time_then_real_time_then_the_lane() -> None:
    events = [
        event(ACCEPTED, at=0, sent=0, lane="a", seq=1),
        event(ADVANCED, at=0, sent=0, lane="a", seq=2),
        event(JOINED, at=0, sent=0, lane="b", seq=1),
        event(ACCEPTED, at=0, sent=1, lane="a", seq=1),
        event(ADVANCED, at=1, sent=0, lane="a", seq=1),
    ]
    expected = [event.type for event in events]

    for seed in range(20):
        shuffled = random.Random(seed).sample(events, len(events))
        assert [row["message"] for row in timeline(shuffled, place)] == expected


def test_a_message_that_was_delivered_twice_is_told_once() -> None:
    once = event(ACCEPTED)

    assert len(timeline([once, once], place)) == 1


def test_a_row_has_local_time_type_and_text() -> None:
    assert timeline([event(ACCEPTED)], place) == [
        {
            "at": "2026-03-02T09:30:00+08:00",
            "message": "enrollment.release-accepted.v1",
            "text": "郑州市已受理 / Zhengzhou accepted the request",
        }
    ]


def test_silent_messages_are_left_out() -> None:
    silent = Event(uuid4(), "transfer.remind.v1", AT, AT, "a", 1, b"{}")

    assert timeline([silent], place) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("enrollment.release-accepted.v1", b"\xff\x00"),
        ("enrollment.release-accepted.v1", b"{}"),
        ("nobody.knows-this.v9", b"{}"),
    ],
)
def test_what_cannot_be_read_is_still_in_the_timeline(kind: str, body: bytes) -> None:
    rows = timeline([Event(uuid4(), kind, AT, AT, "a", 1, body)], place)

    assert [row["message"] for row in rows] == [kind]
    assert kind in rows[0]["text"]


def test_letters_that_arrived_stand_in_the_timeline_where_they_were_sent() -> None:
    told = timeline([event(ACCEPTED), event(ADVANCED, at=2)], place)
    sent = {"kind": "release-accepted", "channel": "sms", "state": "sent"}
    letters: list[dict[str, str | None]] = [
        {**sent, "sent_at": (AT + SECOND).isoformat()},
        {**sent, "state": "failed", "sent_at": None},
    ]

    rows = with_letters(told, letters)

    assert [row["message"] for row in rows] == [
        "enrollment.release-accepted.v1",
        "notification.letter-sent.v1",
        "settlement.advance-credited.v1",
    ]
    assert rows[1]["at"] == "2026-03-02T09:30:01+08:00"
    assert rows[1]["text"].endswith("the person was told: release-accepted (sms)")
