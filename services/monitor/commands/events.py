"""events: what happened, as the event log has it."""

import itertools
import time
from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import PAGE_ROWS, Client, connected
from services.monitor.commands.screen import Json

_SHOWN_ROWS = 100
_LOOK_SECONDS = 0.3

Row = dict[str, Any]


def events(
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on as things happen, until interrupted.")
    ] = False,
    transfer: Annotated[UUID | None, typer.Option(metavar="ID", help="One transfer's.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="All with --json, else 100.")] = None,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="Go on after it.")] = None,
    as_json: Json = False,
) -> None:
    """The event log, oldest first; with --follow and --json one document per line."""
    wanted = limit if limit or as_json or follow else _SHOWN_ROWS
    subject = None if transfer is None else str(transfer)
    with connected() as client:
        rows = itertools.islice(_read(client, subject, after, follow=follow), wanted)
        if follow:
            for row in rows:
                screen.print_json_line(row) if as_json else typer.echo(_line(row))
        elif as_json:
            screen.print_json_array(rows)
        else:
            shown = list(rows)
            for row in shown:
                typer.echo(_line(row))
            if len(shown) == wanted:
                screen.remark("there may be more: say --limit, --json or --follow")


def _read(
    client: Client, transfer: str | None, cursor: str | None, *, follow: bool
) -> Iterator[Row]:
    """The events after the cursor, and with `follow` those that come."""
    while True:
        page = client.get("monitor", "/v1/events", transfer=transfer, after=cursor, limit=PAGE_ROWS)
        yield from page["events"]
        cursor = page["next"] or cursor
        if len(page["events"]) == PAGE_ROWS:
            continue
        if not follow:
            return
        time.sleep(_LOOK_SECONDS)


def _line(row: Row) -> str:
    about = row.get("transfer") or row.get("key") or ""
    return f"{row.get('at')}  {row.get('type'):<40}  {row.get('region') or '':<6}  {about}"


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.command(rich_help_panel="Operating")(events)
