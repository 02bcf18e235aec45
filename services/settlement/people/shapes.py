"""Items as JSON answers, and what a person typed as the body of an act. PURE."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import JsonValue, ValidationError

from services.settlement.answers import shown
from services.settlement.codes import CODES
from services.settlement.people.acts import ACTS, QUEUES, REASONS, Act
from shared import months
from shared.calendar import SHANGHAI
from shared.messages import ByTwo, Message
from shared.money import MoneyError, parse_yuan, yuan

Row = Mapping[str, Any]
_NAMES = ByTwo.model_fields.keys() - Message.model_fields.keys()
_SHOWN = 8
_PRIVATE = frozenset({"person", "line", "sealed", "account_key"})
_MONTHS: Mapping[str, Callable[[str], object]] = {
    "month": months.parse_month,
    "months": months.parse_ranges,
}


class NotMeant(ValueError):
    """The fields do not make the act: the text says which one is missing or wrong."""


def message_of(act: Act, given: Mapping[str, JsonValue], known: Mapping[str, object]) -> Message:
    """The act with the fields that a person gave (`amount` for `amount_fen`, in yuan) and, for
    those left out, what is known of its subject. Raises NotMeant.
    """
    wanted = [name for name in act.message.model_fields if name not in _NAMES]
    fields = {name: known[name] for name in wanted if known.get(name) is not None}
    spelt = {name.removesuffix("_fen"): name for name in wanted}
    for name, value in given.items():
        field = spelt.get(name)
        if field is None:
            allowed = ", ".join(sorted(spelt))
            raise NotMeant(f"{name}: there is no such field; there are: {allowed}")
        fields[field] = _meant(field, name, value)
    try:
        return act.message.model_validate({**fields, **dict.fromkeys(_NAMES, "")})
    except ValidationError as error:
        places = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
        raise NotMeant(", ".join(sorted(p.removesuffix("_fen") for p in places))) from None


def _meant(field: str, name: str, value: JsonValue) -> object:
    try:
        if field != name:
            return parse_yuan(str(value))
        return _MONTHS[name](str(value)) if name in _MONTHS else value
    except MoneyError:
        raise NotMeant(f'{name}: yuan with two decimals, like "12.00"') from None
    except months.MonthError:
        raise NotMeant(f"{name}: like 2026-03, or 2019-03..2026-02;2026-04") from None


def body_of(message: Message) -> dict[str, JsonValue]:
    """The fields of an act without who and why, as JSON."""
    fields = message.model_dump(mode="json", exclude_none=True)
    return {name: value for name, value in fields.items() if name not in _NAMES}


def item(row: Row) -> dict[str, Any]:
    """An item as it is answered; whom it concerns is not shown."""
    return {
        "item": str(row["item"]),
        "queue": row["queue"],
        "queue_name": _both(QUEUES, row["queue"]),
        "region": row["region"],
        "subject": row["subject"] if row["subject"] != row["about"] else row["subject"][:_SHOWN],
        "amount": None if row["amount_fen"] is None else yuan(row["amount_fen"]),
        "state": row["state"],
        "opened_by": row["opened_by"],
        "opened_at": _at(row["opened_at"]),
        "facts": _open(row["facts"]),
        "proposal": _proposal(row),
        "decided_by": row["decided_by"],
        "decided_at": _at(row["decided_at"]),
        "acts": [
            kind.removesuffix(".v1")
            for kind, act in ACTS.items()
            if row["queue"] in {act.queue, *act.on}
        ],
    }


def _proposal(row: Row) -> dict[str, Any] | None:
    if row["proposal"] is None:
        return None
    return {
        "proposal": str(row["proposal"]),
        "act": row["act"],
        "fields": _open(row["body"]),
        "by": row["proposed_by"],
        "at": _at(row["proposed_at"]),
        "reason": row["reason"],
        "reason_text": _both(REASONS, row["reason"]),
        "why": row["why"],
    }


def history(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What was done with an item, in order."""
    return [
        {
            "at": _at(row["at"]),
            "what": row["what"],
            "by": row["by"],
            "code": row["code"],
            "text": _both({**REASONS, **CODES}, row["code"]),
            "act": row["act"],
            "why": row["why"],
            "message": str(row["cause"]),
        }
        for row in rows
    ]


def _both(texts: Mapping[str, tuple[str, str]], code: str | None) -> str | None:
    return " / ".join(texts[code]) if code and code in texts else code


def _at(moment: Any) -> str | None:  # noqa: ANN401 - a time, or none
    return moment.astimezone(SHANGHAI).isoformat() if moment else None


def facts_of(row: Row) -> dict[str, Any]:
    """What the books wrote down about an item."""
    found: dict[str, Any] = json.loads(row["facts"])
    return found


def _open(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON of the database
    found = json.loads(value) if isinstance(value, str) else dict(value or {})
    found = {name: inner for name, inner in found.items() if name not in _PRIVATE}
    if isinstance(found.get("month"), int):
        found["month"] = months.month_text(found["month"])
    if "months" in found:
        found["months"] = ";".join(months.ranges_text(found["months"]))
    return dict(shown(found))
