"""dead-letters: messages refused as meaningless, and what an operator does with them."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import (
    NOT_FOUND,
    SERVICES,
    Client,
    Refused,
    connected,
)
from services.monitor.commands.client import dead_letters as of_everyone
from services.monitor.commands.screen import Json

_SHOWN_ROWS = 100

dead_letters = typer.Typer(
    help="Messages refused as meaningless: list, show, redrive, discard.", no_args_is_help=False
)
Letter = Annotated[UUID, typer.Argument(metavar="ID", help="The letter's id, from the list.")]
Service = Annotated[
    str | None, typer.Option(help="Whose letter it is; without it, the first that has it.")
]


@dead_letters.callback(invoke_without_command=True)
def of_all(context: typer.Context, *, as_json: Json = False) -> None:
    """Messages that were refused as meaningless, and those that wait behind them."""
    if context.invoked_subcommand is None:
        _list(None, _SHOWN_ROWS, settled=False, as_json=as_json)


@dead_letters.command("list")
def of_service(
    *,
    service: Service = None,
    settled: Annotated[bool, typer.Option("--all", help="The settled ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Of each service.")] = _SHOWN_ROWS,
    as_json: Json = False,
) -> None:
    """What was refused, why, and what waits behind it."""
    _list(service, limit, settled=settled, as_json=as_json)


def _list(service: str | None, limit: int, *, settled: bool, as_json: bool) -> None:
    with connected() as client:
        rows = of_everyone(client, limit, settled=settled)
    shown = [row for row in rows if service in (None, row["service"])]
    columns = ("letter", "service", "state", "type", "code", "reason")
    screen.answer(shown, as_json, lambda: screen.records("dead letters", columns, shown))


@dead_letters.command()
def show(id_: Letter, *, service: Service = None, as_json: Json = False) -> None:
    """One letter: its headers, its body, its reason."""
    with connected() as client:
        found = _find(client, id_, service)
    screen.answer(found, as_json, lambda: _shown(found))


def _shown(found: dict[str, Any]) -> list[Any]:
    nested = ((name, found.get(name)) for name in ("headers", "body"))
    return [screen.facts("dead letter", found), screen.table("as it came", ("", ""), nested)]


@dead_letters.command()
def redrive(
    id_: Letter,
    *,
    body: Annotated[
        str | None, typer.Option(metavar="FILE", help="An edited body (JSON); `-` for stdin.")
    ] = None,
    service: Service = None,
    as_json: Json = False,
) -> None:
    """Handle it again, and in order what waits behind it."""
    edited = {} if body is None else {"body": _edited(body)}
    _act(id_, service, "redrive", edited, as_json=as_json)


@dead_letters.command()
def discard(
    id_: Letter,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    service: Service = None,
    as_json: Json = False,
) -> None:
    """Leave it unhandled for good; what waits behind it goes on."""
    _act(id_, service, "discard", {"reason": reason}, as_json=as_json)


def _act(id_: UUID, service: str | None, act: str, body: dict[str, Any], *, as_json: bool) -> None:
    with connected() as client:
        owner = _find(client, id_, service)["service"]
        done = client.post(owner, f"/v1/dead-letters/{id_}/{act}", body)
    document = {"service": owner, "id": str(id_), "act": act, **(done or {})}
    screen.answer(document, as_json, lambda: f"{act} of {id_} at {owner} is on its way")


def _find(client: Client, id_: UUID, service: str | None) -> dict[str, Any]:
    """The letter, with its service. Raises Refused where nobody has it."""
    if service not in (None, *SERVICES):
        raise typer.BadParameter(f"{service} is none of {', '.join(SERVICES)}")
    for name in SERVICES if service is None else (service,):
        try:
            return {"service": name, **client.get(name, f"/v1/dead-letters/{id_}")}
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise
    raise Refused("unknown_letter", f"no service has a dead letter {id_}", NOT_FOUND)


def _edited(file: str) -> Any:  # noqa: ANN401 any JSON
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        return json.loads(text)
    except OSError as error:
        raise typer.BadParameter(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise typer.BadParameter(f"{file} is not JSON") from error


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(dead_letters, name="dead-letters", rich_help_panel="Operating")
