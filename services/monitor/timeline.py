"""The events of a transfer as sentences in causal order, each once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.monitor.sentences import LETTER_SENT, SENTENCES, SILENT, TOLD
from services.monitor.words import word
from shared.calendar import SHANGHAI
from shared.decision import Unexpected
from shared.messages.catalogue import read
from shared.money import yuan
from shared.months import month_text

Place = Callable[[str], tuple[str, str]]
"""The Chinese and English name of a region's code."""

_PLACES = frozenset({"to", "origin", "destination", "region", "payer"})
_MONTHS = frozenset({"entitled_from", "retroactive_from", "first_month", "last_month", "month"})
_NOT_YET = ("待首次缴费", "the first contribution")


@dataclass(frozen=True, slots=True)
class Event:
    """One message as the event log has it. `at` is business time, `sent_at` real time."""

    id: UUID
    type: str
    at: datetime
    sent_at: datetime
    lane: str
    seq: int
    body: bytes


def timeline(events: Iterable[Event], place: Place) -> list[dict[str, str]]:
    """`at`, `message` and `text` of each event.

    A message enters its outbox after what caused it has been handled, so that business time, then
    real time, then the number in its lane put no effect before its cause.
    """
    once = {event.id: event for event in events if event.type not in SILENT}
    ordered = sorted(once.values(), key=lambda e: (e.at, e.sent_at, e.lane, e.seq, e.id))
    return [
        {
            "at": event.at.astimezone(SHANGHAI).isoformat(),
            "message": event.type,
            "text": " / ".join(sentence(event, place)),
        }
        for event in ordered
    ]


def with_letters(
    told: Iterable[dict[str, str]], letters: Iterable[Mapping[str, Any]]
) -> list[dict[str, str]]:
    """The timeline with the letters that arrived (as notification answers them) in their place."""
    sent = [
        {
            "at": datetime.fromisoformat(letter["sent_at"]).astimezone(SHANGHAI).isoformat(),
            "message": LETTER_SENT,
            "text": " / ".join(_told(letter)),
        }
        for letter in letters
        if letter["state"] == "sent"
    ]
    return sorted([*told, *sent], key=lambda row: datetime.fromisoformat(row["at"]))


def _told(letter: Mapping[str, Any]) -> list[str]:
    words = {name: word(name, letter[name]) for name in ("kind", "channel")}
    return [
        text.format_map({name: both[language] for name, both in words.items()})
        for language, text in enumerate(TOLD)
    ]


def sentence(event: Event, place: Place) -> tuple[str, str]:
    """What the event says in Chinese and English; of an unknown one only that it was there."""
    template = SENTENCES.get(event.type)
    if template is None:
        return f"收到消息 {event.type}", f"a message {event.type} came"
    try:
        message = read(event.type, event.body)
    except Unexpected as why:
        return f"消息 {event.type} 无法读取", f"a message {event.type} cannot be read: {why.code}"
    fields = message.model_dump()
    chinese, english = (
        text.format_map(
            {name: _shown(name, fields[name], place)[language] for name in fields}
        ).rstrip()
        for language, text in enumerate(template)
    )
    return chinese, english


def _shown(name: str, value: Any, place: Place) -> tuple[str, str]:  # noqa: ANN401 - any field
    if name in _PLACES and value is not None:
        return place(value)
    if isinstance(value, str):
        return word(name, value)
    if name == "entitled_from" and value is None:
        return _NOT_YET
    if name == "due_at" and isinstance(value, datetime):
        # Midnight at the end of the last day.
        value -= timedelta(seconds=1)
    if isinstance(value, int) and name in _MONTHS:
        text = month_text(value)
    elif isinstance(value, int) and name.endswith("_fen"):
        text = yuan(value)
    elif isinstance(value, datetime):
        text = value.astimezone(SHANGHAI).date().isoformat()
    elif isinstance(value, date):
        text = value.isoformat()
    else:
        text = "" if value is None else str(value)
    return text, text
