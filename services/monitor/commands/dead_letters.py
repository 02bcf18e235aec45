"""dead-letters: messages refused as meaningless, and what an operator does with them."""

import json
import re
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
from services.monitor.commands.operating import read_filters
from services.monitor.commands.screen import Json

_SHOWN_ROWS = 100

dead_letters = typer.Typer(
    help="Messages refused as meaningless: list, show, redrive, discard.", no_args_is_help=False
)
Letter = Annotated[UUID, typer.Argument(metavar="ID", help="The letter's id, from the list.")]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="NAME=VALUE",
        help="All that fit: code=…, type=…, key=…, older=2h; may repeat.",
    ),
]
Which = dict[str, Any]
Service = Annotated[
    str | None, typer.Option(help="Whose letter it is; without it, the first that has it.")
]


@dead_letters.callback(invoke_without_command=True)
def of_all(context: typer.Context, *, as_json: Json = False) -> None:
    """Messages that were refused as meaningless, and those that wait behind them."""
    if context.invoked_subcommand is None:
        _list(None, _SHOWN_ROWS, {}, settled=False, as_json=as_json)


@dead_letters.command("list")
def of_service(
    *,
    service: Service = None,
    filter_: Filters = None,
    settled: Annotated[bool, typer.Option("--all", help="The settled ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Of each service.")] = _SHOWN_ROWS,
    as_json: Json = False,
) -> None:
    """What was refused, why, and what waits behind it."""
    _list(service, limit, _which(filter_), settled=settled, as_json=as_json)


def _list(service: str | None, limit: int, which: Which, *, settled: bool, as_json: bool) -> None:
    _known(service)
    with connected() as client:
        shown = of_everyone(client, limit, service=service, settled=settled, **which)
    columns = ("letter", "service", "state", "type", "code", "reason")
    screen.answer(shown, as_json, lambda: screen.records("dead letters", columns, shown))


@dead_letters.command()
def show(id_: Letter, *, service: Service = None, as_json: Json = False) -> None:
    """One letter: its headers, its body, its reason."""
    with connected() as client:
        found = _find(client, id_, service)
    screen.answer(found, as_json, lambda: _shown(found))


def _shown(found: dict[str, Any]) -> list[Any]:
    nested = ((name, found.get(name)) for name in ("headers", "body", "acts"))
    return [screen.facts("dead letter", found), screen.table("as it came", ("", ""), nested)]


@dead_letters.command()
def redrive(
    id_: Annotated[
        UUID | None, typer.Argument(metavar="[ID]", help="The letter's id, from the list.")
    ] = None,
    *,
    body: Annotated[
        str | None, typer.Option(metavar="FILE", help="An edited body (JSON); `-` for stdin.")
    ] = None,
    type_: Annotated[str | None, typer.Option("--type", help="An edited type.")] = None,
    filter_: Filters = None,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help="A second, of a filter.")] = 20.0,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept. Nothing personal.")] = None,
    service: Service = None,
    as_json: Json = False,
) -> None:
    """Handle it again, and in order what waits behind it; or all that fit a filter."""
    if (id_ is None) == (not filter_):
        raise typer.BadParameter("name one letter, or say which by --filter")
    if id_ is None:
        _redrive_all(service, _which(filter_), rate, reason, as_json=as_json)
        return
    given = {"body": body and _edited(body), "type": type_, "reason": reason}
    edited = {name: value for name, value in given.items() if value is not None}
    _act(id_, service, "redrive", edited, as_json=as_json)


def _redrive_all(
    service: str | None, which: Which, rate: float, reason: str | None, *, as_json: bool
) -> None:
    _known(service)
    if not reason:
        raise typer.BadParameter("--reason: say why; it is kept with every letter")
    asked = {**which, "rate": rate, "reason": reason}
    names = SERVICES if service is None else (service,)
    with connected() as client:
        path = "/v1/dead-letters/redrive"
        done = [{"service": name, **client.post(name, path, asked)} for name in names]
    total = sum(row["letters"] for row in done)
    document = {"act": "redrive", "letters": total, "services": done}
    screen.answer(
        document,
        as_json,
        lambda: screen.records(
            f"{total} letters, {rate:g} a second", ("service", "letters>", "until", "more"), done
        ),
    )


def _which(given: list[str] | None) -> Which:
    which = read_filters(given or (), ("code", "type", "key", "older"))
    if "older" in which:
        which["older"] = _seconds(which["older"])
    return which


def _seconds(text: str) -> float:
    """An age as `90s`, `15m`, `2h` or `3d`. Raises typer.BadParameter."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if found is None:
        raise typer.BadParameter(f"an age is written 90s, 15m, 2h or 3d, and not {text}")
    return int(found[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}[found[2]]


def _known(service: str | None) -> None:
    if service not in (None, *SERVICES):
        raise typer.BadParameter(f"{service} is none of {', '.join(SERVICES)}")


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
    _known(service)
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
