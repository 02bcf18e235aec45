"""audit: the books made again, from their postings and from the messages that they handled."""

import json
import time
from typing import Annotated, Any

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import EXIT_REFUSED, Client, connected
from services.monitor.commands.screen import Json
from services.monitor.commands.waiting import settle

_PANEL = "Books"
_SETTLE_SECONDS = 60.0
_KEPT = ("balances", "daily", "interest")

audit = typer.Typer(
    help="The books made again: from postings, from messages.", no_args_is_help=True
)


@audit.command()
def books(
    *,
    messages: Annotated[
        bool, typer.Option(help="Also make the entries again from the event log.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Balances from postings, postings from messages; exit 1 where anything differs."""
    with connected() as client:
        if messages:
            # What made the entries so far has to be in the log.
            settle(client, _SETTLE_SECONDS)
        found = made_again(client, messages=messages)
    screen.answer(found, as_json, lambda: _shown(found))
    if not found["holds"]:
        screen.remark("the books are not what their postings and messages say")
        raise typer.Exit(EXIT_REFUSED)


def made_again(client: Client, *, messages: bool = True) -> dict[str, Any]:
    """What differs, and how long it took."""
    kept = client.get("settlement", "/v1/audit/balances")
    found = {name: kept[name] for name in _KEPT} | {"entries": kept["upto"]}
    if messages:
        began = time.monotonic()
        streams = ",".join(kept["streams"])
        with (
            client.download("monitor", "/v1/log", streams=streams) as lines,
            client.upload("settlement", "/v1/audit/entries", lines, upto=kept["upto"]) as answer,
        ):
            answer.read()
            seconds = round(time.monotonic() - began, 1)
            found["messages"] = {**json.loads(answer.content), "seconds": seconds}
    replayed = found.get("messages", {})
    found["holds"] = not (any(kept[name] for name in _KEPT) or replayed.get("differences"))
    return found


def _shown(found: dict[str, Any]) -> list[Any]:
    facts = {
        "balances that are not their postings": str(found["balances"]),
        "balances of closed days that are not": str(found["daily"]),
        "accounts with other interest than that": str(found["interest"]),
        "entries": str(found["entries"]),
    }
    told = found.get("messages")
    if told is None:
        return [screen.facts("the books", facts)]
    facts["messages handled again"] = str(told["messages"])
    facts["entries made again"] = str(told["entries"])
    facts["entries that differ"] = str(told["differences"])
    facts["seconds"] = str(told["seconds"])
    columns = ("code", "region", "kind", "entry", "cause", "kept", "made")
    shown = [screen.facts("the books", facts)]
    if told["examples"]:
        shown.append(screen.records("differences", columns, told["examples"]))
    return shown


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(audit, name="audit", rich_help_panel=_PANEL)
