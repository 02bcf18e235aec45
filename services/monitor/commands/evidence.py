"""explain for accounts, entries, receipts, work items and net sheets: down to the bank's file, and
who acted.
"""

import re
from datetime import date
from typing import Any
from uuid import UUID

from services.monitor.commands import screen
from services.monitor.commands.client import NOT_FOUND, Client, Refused

_LINES = 200
_SHEET = re.compile(r"[0-9]{6}/[0-9]{4}-[0-9]{2}")
_ACTED = ("by", "proposed_by", "approved_by", "reason", "why")

Told = dict[str, Any]


def named(client: Client, name: str, day: date | None, *, as_json: bool) -> None:
    """What is called by a region and a name: a net sheet (`450000/2026-04`), or an account."""
    if _SHEET.fullmatch(name):
        sheet(client, name, as_json=as_json)
    else:
        account(client, name, day, as_json=as_json)


def account(client: Client, name: str, day: date | None, *, as_json: bool) -> None:
    """A balance: the days on which it moved, and the entries of the last of them."""
    body = {"account": name, "day": day.isoformat() if day else None}
    found = client.post("settlement", "/v1/explain", body)
    _caused(client, found["entries"])
    screen.answer(found, as_json, lambda: _account(found))


def sheet(client: Client, name: str, *, as_json: bool) -> None:
    """A net sheet: its positions down to the bank's files, its lines down to their entries, and who
    said what.
    """
    path = f"/v1/netting/{name}"
    found: Told = client.get("settlement", path, limit=_LINES)
    page = found["explained"]
    while len(page) == _LINES:
        after = page[-1]["line"]
        page = client.get("settlement", path, limit=_LINES, after=after)["explained"]
        found["explained"] += page
    screen.answer(found, as_json, lambda: _sheet(found))


def _sheet(found: Told) -> list[Any]:
    title = f"{found['province']}/{found['month']}: {found['state']}, {found['lines']} lines"
    positions = (
        {
            **row,
            "files": " ".join(row["files"]),
            "left by": _lines(row["debits"]),
            "arrived by": _lines(row["receipts"]),
        }
        for row in found["positions"]
    )
    money = ("receivable>", "payable>", "pays>", "gets>")
    names = ("region", *money, "files", "left by", "arrived by")
    lines = (
        {
            **row,
            "said": "; ".join(
                f"{a['region']} {a['verdict']} {a['by']} {a['why'] or ''}".strip()
                for a in row["answers"]
            ),
            "booked": " · ".join(
                f"{e['region']} {p['debit']} > {p['credit']} {p['amount']}"
                for e in row["entries"]
                for p in e["postings"]
            ),
        }
        for row in found["explained"]
    )
    columns = ("line", "corridor", "amount>", "back>", "state", "sheet", "said", "booked")
    said = ("region", "verdict", "by", "lines>", "first", "last")
    return [
        screen.records(title, names, positions),
        screen.records("answers", said, found["answers"]),
        screen.records("lines", columns, lines),
    ]


def _lines(told: list[Told]) -> str:
    return " ".join(f"{row['receipt']} {row['file'] or ''}".strip() for row in told)


def anything(client: Client, id_: UUID, *, as_json: bool) -> None:
    """An entry, a receipt, or a work item. Raises Refused where nothing has the id."""
    try:
        found: Told = client.post("settlement", "/v1/explain", {"id": str(id_)})
    except Refused as refused:
        if refused.status != NOT_FOUND:
            raise
        item = client.get("settlement", f"/v1/items/{id_}")
        screen.answer(item, as_json, lambda: screen.facts("work item", item))
        return
    _caused(client, found["entries"])
    screen.answer(found, as_json, lambda: _entries_and_line(found))


def booked(client: Client, id_: UUID) -> Told:
    """The bank's line of a receipt, with its file, and what was booked because of it."""
    try:
        found: Told = client.post("settlement", "/v1/explain", {"id": str(id_)})
    except Refused as refused:
        if refused.status == NOT_FOUND:
            return {}
        raise
    _caused(client, found["entries"])
    return {"line": found["line"], "entries": found["entries"]}


def booking(found: Told) -> list[Any]:
    """Entries, and the line of the bank that they were booked for."""
    line = screen.facts("line of the bank", found["line"]) if found["line"] else None
    return [_entries(found["entries"]), *([line] if line else [])]


def _caused(client: Client, entries: list[Told]) -> None:
    """Each entry's cause: the message, when it was said, and who acted by it."""
    known: dict[str, Told] = {}
    for which in ("transfer", "key"):
        for name in sorted({entry[which] for entry in entries if entry[which]}):
            page = client.get("monitor", "/v1/events", **{which: name, "limit": 1000})
            known |= {event["id"]: event for event in page["events"]}
    for entry in entries:
        event = known.get(entry["cause"])
        if event is not None:
            body = event["body"] or {}
            acted = {name: body[name] for name in _ACTED if body.get(name)}
            entry["message"] = {"type": event["type"], "at": event["at"], **acted}


def _account(found: Told) -> list[Any]:
    title = f"{found['region']}/{found['account']} on {found['date']}: {found['balance']}"
    return [
        screen.records(title, ("date", "debit>", "credit>"), found["days"]),
        _entries(found["entries"]),
    ]


def _entries_and_line(found: Told) -> list[Any]:
    shown = booking(found)
    if found["parts"]:
        columns = ("part", "amount>", "applied>", "verdict", "rule", "transfers", "evidence")
        shown.append(screen.records("what it is for", columns, found["parts"]))
    return [*shown, *interest(found)]


def interest(found: Told) -> list[Any]:
    """How interest came about: balance x days = fen-days, x rate / days of a year = fen."""
    columns = ("since", "until", "balance>", "days>", "fen_days>", "rate_bp>", "year_days>", "fen>")
    return [
        screen.records(
            f"interest {one['amount']} at {one['region']}: {one['fen']} fen, {one['rounding']}"
            + ("" if one["agrees"] else "; the books had come to something else"),
            columns,
            one["stretches"],
        )
        for one in found.get("interest", ())
    ]


def _entries(entries: list[Told]) -> Any:  # noqa: ANN401 rich's table
    rows = (
        (
            entry["number"],
            entry["date"],
            entry["kind"],
            entry["entry"],
            entry["transfer"],
            " · ".join(f"{p['debit']} > {p['credit']} {p['amount']}" for p in entry["postings"]),
            _message(entry),
        )
        for entry in entries
    )
    names = ("number>", "date", "kind", "entry", "transfer", "debit > credit", "caused by")
    return screen.table("entries", names, rows)


def _message(entry: Told) -> str:
    told = entry.get("message")
    if told is None:
        return str(entry["cause"])
    who = " ".join(f"{name} {told[name]}" for name in _ACTED if name in told)
    return f"{told['type']} {screen.moment(told['at'])} {who}".strip()
