"""JSON bodies of the registration feed: one record, an array of them, or a CloudEvent around."""

import json
from collections.abc import Mapping

from services.enrollment.sheet import Bad, Row


class NotJson(ValueError):
    """The body is not JSON at all."""


def rows_of(body: bytes) -> list[Row]:
    """The rows in a body; one that cannot be read is a single unreadable row."""
    try:
        return parse(body)
    except NotJson:
        return [Bad("not_json")]


def parse(body: bytes) -> list[Row]:
    """The rows in a body. Raises NotJson. Numbers stay the text they were written as."""
    try:
        document = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise NotJson from None
    # A structured CloudEvent has its data inside; the feed itself has no field of that name.
    if isinstance(document, dict) and "data" in document:
        document = document["data"]
    return [_row(item) for item in (document if isinstance(document, list) else [document])]


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
