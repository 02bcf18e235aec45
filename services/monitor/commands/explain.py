"""explain: why a transfer is as it is, in the words of every service that decided about it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from services.monitor.commands import evidence, screen
from services.monitor.commands.client import NOT_FOUND, Client, Refused, connected
from services.monitor.commands.query import items_of
from services.monitor.commands.screen import Json

_SHOWN_ABOVE = ("transfer", "decisions", "rules")

Told = dict[str, Any]


def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Transfer, entry, receipt, work item; 450100/advance:410100; 450000/2026-04.",
        ),
    ],
    *,
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="An account at the end of a day."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Why: each decision with its rule, the rule's source and the facts; each balance with its
    entries, each entry with its bank line, the message that caused it and who acted.
    """
    with connected() as client:
        if "/" in what:
            evidence.named(client, what, day.date() if day else None, as_json=as_json)
            return
        id_ = _uuid(what)
        case = _case(client, id_)
        if case is None:
            _otherwise(client, id_, as_json=as_json)
            return
        record, books = (_asked(client, name, id_) for name in ("enrollment", "settlement"))
        items = client.get("settlement", f"/v1/items/of/{id_}")
    told = {"enrollment": record, "transfer": case, "settlement": books}
    document = {
        "transfer_id": str(id_),
        "policy": case.get("policy"),
        "rules": [*case.get("rules", ()), *books.get("rules", ())],
        "decisions": _in_order(told),
        "waits_for": case.get("waits_for", []),
        "items": items,
        "books": {name: rows for name, rows in books.items() if name not in _SHOWN_ABOVE},
    }
    screen.answer(document, as_json, lambda: _why(document))


def _otherwise(client: Client, id_: UUID, *, as_json: bool) -> None:
    """A receipt with what was booked for it, an entry, or a work item."""
    parts = _receipts(client, id_)
    if not parts:
        evidence.anything(client, id_, as_json=as_json)
        return
    booked = evidence.booked(client, id_)
    told = [{**part, **booked} for part in parts]
    screen.answer(told, as_json, lambda: [shown for one in told for shown in _part(one)])


def _receipts(client: Client, id_: UUID) -> list[Told]:
    try:
        found = client.get("settlement", "/v1/receipts", receipt=str(id_))
    except Refused as refused:
        if refused.status == NOT_FOUND:
            return []
        raise
    return [_receipt(client, part) for part in found]


def _receipt(client: Client, part: Told) -> Told:
    """One payment of a receipt with what people did about it, if they had to."""
    try:
        item = client.get("settlement", f"/v1/items/{part['item']}")
    except Refused as refused:
        if refused.status != NOT_FOUND:
            raise
        return {**part, "decided": []}
    return {**part, "decided": item["history"]}


def _part(found: Told) -> list[Any]:
    """The rule, what was compared, and which candidates were rejected, and why."""
    rested_on = found["evidence"]
    considered = [
        {**one, "name": rested_on.get("names", {}).get(one["transfer"])}
        for one in rested_on.get("candidates", ())
    ]
    columns = ("transfer", "available>", "name", "rejected")
    steps = ("at", "what", "by", "code", "why")
    return [
        screen.facts("receipt", {**found, "transfers": " ".join(found["transfers"])}),
        screen.records("candidates", columns, considered),
        screen.records("decided", steps, found["decided"]),
        *(evidence.booking(found) if "entries" in found else ()),
    ]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter("an id is a UUID, an account is like 450100/suspense") from None


def _case(client: Client, id_: UUID) -> Told | None:
    """The transfer's own reasons; None where no transfer has the id."""
    try:
        return _told(client.get("transfer", f"/v1/transfers/{id_}/explain"))
    except Refused as refused:
        if refused.status == NOT_FOUND:
            return None
        raise


def _asked(client: Client, service: str, transfer: UUID) -> Told:
    try:
        return _told(client.post(service, "/v1/explain", {"transfer": str(transfer)}))
    except Refused as refused:
        # The case has not reached every service.
        if refused.status == NOT_FOUND:
            return {}
        raise


def _told(answer: Any) -> Told:  # noqa: ANN401 any JSON
    """A service that has decisions alone answers with their list."""
    return answer if isinstance(answer, dict) else {"decisions": answer}


def _in_order(told: dict[str, Told]) -> list[Told]:
    """All decisions by their time; at the same time, in the order of the story."""
    rows = [
        {"service": name, **row}
        for name, found in told.items()
        for row in found.get("decisions", ())
    ]
    return sorted(rows, key=lambda row: datetime.fromisoformat(row["at"]))


def _why(document: Told) -> list[Any]:
    decisions = (
        (
            screen.moment(row["at"]),
            row["service"],
            row.get("decision") or row.get("type"),
            row.get("why") or row.get("rule"),
            row.get("source"),
            row.get("facts"),
        )
        for row in document["decisions"]
    )
    names = ("at", "service", "decision", "why", "source", "facts")
    shown = [
        screen.table("decisions", names, decisions),
        screen.records("rules", ("rule", "value", "source"), document["rules"]),
    ]
    if document["waits_for"]:
        waits = (
            (row.get("step"), screen.last_day(row.get("due_at")), row.get("missed"))
            for row in document["waits_for"]
        )
        shown.append(screen.table("waits for", ("step", "due", "missed>"), waits))
    shown += evidence.interest(document["books"])
    shown += items_of(document["items"])
    return [f"policy {document['policy']}", *shown]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel="Cases")(explain)
