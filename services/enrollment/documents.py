"""JSON bodies of the registration feed: one record, an array of them, or a CloudEvent around."""

import json
from collections.abc import Mapping

from services.enrollment.sheet import Bad, Row

MOST_RECORDS = 10_000
MOST_BYTES = 16 * 1024 * 1024


class NotJson(ValueError):
    """The body is not JSON at all."""


class TooLarge(ValueError):
    """The body holds more than is read at once: of two bytes an answer of thousands is made."""


def rows_of(body: bytes) -> list[Row]:
    """The rows in a body; one that cannot be read is a single unreadable row."""
    try:
        return parse(body)
    except NotJson:
        return [Bad("not_json")]
    except TooLarge:
        return [Bad("too_large")]


def parse(body: bytes) -> list[Row]:
    """The rows in a body. Raises NotJson, TooLarge. Numbers stay the text they were written as."""
    if len(body) > MOST_BYTES:
        raise TooLarge
    try:
        document = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise NotJson from None
    # A structured CloudEvent has its data inside; the feed itself has no field of that name.
    if isinstance(document, dict) and "data" in document:
        document = document["data"]
    items = document if isinstance(document, list) else [document]
    if len(items) > MOST_RECORDS:
        raise TooLarge
    return [_row(item) for item in items]


def _row(item: object) -> Row:
    if not isinstance(item, dict):
        return Bad("not_a_record")
    row = {name: text for name, value in item.items() if (text := _text(value)) is not None}
    return row if len(row) == sum(v is not None for v in item.values()) else _not_flat(row)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else None


def _not_flat(row: Mapping[str, str]) -> Bad:
    """A record in which something is no text or number: no field of the feed has parts."""
    source, record_id = row.get("source", ""), row.get("record_id", "")
    shown = (source + record_id).isprintable() and len(source + record_id) <= 200
    return Bad("not_a_record", source, record_id) if shown else Bad("not_a_record")
