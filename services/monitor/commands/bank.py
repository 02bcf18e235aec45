"""statements, bank-messages, bank-accounts: what banks sent, what they ask, where we are paid."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import connected
from services.monitor.commands.screen import Json, moment

_PANEL = "Books"
_HASH_SHOWN = 12

messages = typer.Typer(
    help="What banks ask or tell that a person must see: recalls, resolutions.",
    no_args_is_help=True,
)
Region = Annotated[str | None, typer.Option(help="Only this region, 450100.")]


def statements(
    *,
    digest: Annotated[
        str | None, typer.Option("--hash", metavar="H", help="All that this file did, SHA-256.")
    ] = None,
    region: Region = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    as_json: Json = False,
) -> None:
    """The files that banks sent, refused ones too, and the statements that are missing."""
    with connected() as client:
        if digest is not None:
            found = client.get("settlement", f"/v1/statements/{digest.lower()}")
        else:
            found = client.get("settlement", "/v1/statements", region=region, limit=limit)
    show = _file if digest is not None else _files
    screen.answer(found, as_json, lambda: show(found))


_FILES = ("hash", "received", "sent_by", "outcome", "account", "entries>", "accepted>", "sent>")
_GAPS = (
    *("account", "after", "after_day", "closed>"),
    *("before", "before_day", "opened>", "numbers"),
)


def _files(found: Mapping[str, Any]) -> list[Any]:
    files = (
        {
            **row,
            "hash": row["hash"][:_HASH_SHOWN],
            "received": moment(row["received_at"]),
            "account": " ".join(row["accounts"][:2]) + (" …" if len(row["accounts"]) > 2 else ""),
            "outcome": row["code"] or row["outcome"],
        }
        for row in found["files"]
    )
    gaps = (
        {**row, "numbers": "{from} to {to}".format(**row["missing"]) if row["missing"] else ""}
        for row in found["gaps"]
    )
    return [
        screen.records("files", _FILES, files),
        screen.records("missing statements", _GAPS, gaps),
    ]


def _file(found: Mapping[str, Any]) -> list[Any]:
    shown = {name: found[name] for name in found if name not in ("statements", "reports")}
    tables = [screen.facts("file", shown)]
    for one in found["statements"]:
        title = f"{one['kind']} {one['statement']} of {one['account']}, {one['closed_on']}"
        lines = (
            {**row, "became": ", ".join(row["verdicts"]) or row["booked"] or ""}
            for row in one["lines"]
        )
        columns = ("key", "receipt", "direction", "amount>", "new", "became")
        tables.append(screen.records(title, columns, lines))
    if found["reports"]:
        columns = ("kind", "run", "reference", "status", "code", "amount>")
        tables.append(screen.records("reports", columns, found["reports"]))
    return tables


def bank_accounts(*, region: Region = None, as_json: Json = False) -> None:
    """The accounts that funds have and had: since when, and who changed them."""
    with connected() as client:
        found = client.get("settlement", "/v1/bank-accounts", region=region)
    columns = ("region", "bank", "account", "since", "proposed_by", "approved_by", "reason")
    screen.answer(found, as_json, lambda: screen.records("accounts", columns, found))


@messages.command("list")
def noted(
    *,
    region: Region = None,
    state: Annotated[str | None, typer.Option(help="open or answered.")] = None,
    as_json: Json = False,
) -> None:
    """What banks asked or told, the oldest first."""
    with connected() as client:
        found = client.get("settlement", "/v1/bank-messages", region=region, state=state)
    columns = ("note", "account", "kind", "code", "amount>", "reference", "state", "answered_by")
    screen.answer(found, as_json, lambda: screen.records("messages of banks", columns, found))


@messages.command("answer")
def answer(
    note: Annotated[UUID, typer.Argument(metavar="NOTE")],
    *,
    agree: Annotated[bool, typer.Option("--agree/--refuse", help="To what the bank asks.")],
    reason: Annotated[str, typer.Option(help="Why; names nobody.")],
    as_json: Json = False,
) -> None:
    """Say that it is dealt with. It moves no money: a receipt is returned by two people."""
    with connected() as client:
        body = {"agreed": agree, "reason": reason}
        found = client.post("settlement", f"/v1/bank-messages/{note}/answer", body)
    screen.answer(found, as_json, lambda: f"{note}: {'agreed' if agree else 'refused'}")


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.command(rich_help_panel=_PANEL)(statements)
    app.command(rich_help_panel=_PANEL)(bank_accounts)
    app.add_typer(messages, name="bank-messages", rich_help_panel=_PANEL)
