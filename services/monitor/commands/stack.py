"""up, down, status, serve: the processes themselves."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import (
    EXIT_REFUSED,
    EXIT_UNREACHABLE,
    SERVICES,
    Refused,
    connect,
)
from services.monitor.commands.screen import Json
from services.monitor.commands.waiting import survey

if TYPE_CHECKING:
    from deploy.embedded.home import Home

_PANEL = "Stack"


def up(
    *,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Kafka and PostgreSQL as processes, no containers.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes per service; JIEXU_WORKERS, else 1.")
    ] = None,
    cell: Annotated[
        str | None, typer.Option(help="Another cell, with a database of its own; with --join.")
    ] = None,
    join: Annotated[
        Path | None, typer.Option(help="The home of the first cell, whose Kafka this one uses.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start the stack of JIEXU_HOME and return when it is ready."""
    if not embedded:
        message = "say `jiexu up --embedded` for a stack without containers, `make up` for one with"
        raise typer.BadParameter(message)
    from deploy.embedded import stack
    from deploy.embedded.home import StackFailed
    from shared.settings import Settings

    try:
        _join(Settings().home, join, cell)
        made = stack.up(Settings().home, workers=workers, report=screen.remark)
    except StackFailed as failed:
        raise Refused("not_started", str(failed)) from failed
    document = {
        "state": made.state,
        "home": str(made.home),
        "kafka": made.kafka,
        "database": made.database,
        "urls": dict(made.urls),
    }
    table = screen.table("addresses", ("service", "url"), made.urls.items())
    screen.answer(document, as_json, lambda: [f"ready in {made.home}", table])


def _join(home: Path, network: Path | None, cell: str | None) -> None:
    from deploy.embedded import cells
    from deploy.embedded.home import Home

    if (cell is None) != (network is None):
        raise typer.BadParameter("--cell and --join go together")
    if cell is not None and network is not None:
        cells.join(Home.at(home), Home.at(network), cell)


def down(*, as_json: Json = False) -> None:
    """Stop the embedded stack of JIEXU_HOME; its data stays."""
    from deploy.embedded import stack
    from deploy.embedded.home import StackFailed
    from shared.settings import Settings

    home = Settings().home
    try:
        stack.down(home, screen.remark)
    except StackFailed as failed:
        raise Refused("not_stopped", str(failed)) from failed
    screen.answer({"state": "stopped", "home": str(home.absolute())}, as_json, list)


def status(*, as_json: Json = False) -> None:
    """The health of everything: processes, readiness, what is pending or parked (dead letters)."""
    processes = _processes()
    client = connect()
    try:
        services = survey(client)
    finally:
        client.close()
    healthy = all(row["ready"] for row in services)
    healthy &= all(row["ready"] for row in processes.get("processes", []))
    document = {"healthy": healthy, **processes, "services": services}
    screen.answer(document, as_json, lambda: _health(document))
    if not healthy:
        screen.remark("something is not ready; its log is in JIEXU_HOME/logs")
        none_answers = all(row.get("unreachable") for row in services)
        raise typer.Exit(EXIT_UNREACHABLE if none_answers else EXIT_REFUSED)


def cells(
    province: Annotated[str | None, typer.Argument(help="A province to give away, 450000.")] = None,
    cell: Annotated[str | None, typer.Argument(help="The cell that is to serve it.")] = None,
    *,
    rows_to: Annotated[
        Path | None, typer.Option(help="Move its rows too: the home of that cell, joined, empty.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Which cell serves which province; with a province and a cell, give it to that cell."""
    from deploy.embedded import cells as network
    from deploy.embedded.home import Home, StackFailed
    from shared.settings import Settings

    home = Home.at(Settings().home)
    if (province is None) != (cell is None) or (rows_to is not None and cell is None):
        raise typer.BadParameter("name the province and the cell")
    moved: dict[str, int] = {}
    try:
        if province is not None and cell is not None:
            moved = _give(home, province, cell, rows_to)
    except StackFailed as failed:
        raise Refused("not_assigned", str(failed)) from failed
    known = network.provinces(home)
    document = {
        "cell": network.cell_of(home),
        "first": network.FIRST,
        "provinces": known,
        "rows_moved": moved,
    }
    shown = screen.table("provinces", ("province", "cell"), known.items())
    screen.answer(document, as_json, lambda: [f"all others: {network.FIRST}", shown])


def _give(home: "Home", province: str, cell: str, rows_to: Path | None) -> dict[str, int]:
    """The province goes to the cell; without rows before the first start only."""
    from deploy.embedded import cells as network
    from deploy.embedded import moving
    from deploy.embedded.home import Home, StackFailed
    from deploy.provinces import MoveRefused

    if rows_to is None:
        if network.network_of(home).stack_file.exists():
            raise StackFailed(
                "the first cell has worked already: from its home, with the rows (--rows-to HOME)"
            )
        network.assign(home, {province: cell})
        return {}
    target = Home.at(rows_to)
    network.join(target, home, cell)
    try:
        return moving.give(home, target, province, screen.remark)
    except MoveRefused as refused:
        raise Refused("not_moved", str(refused)) from refused


def _processes() -> dict[str, Any]:
    """What the launcher of an embedded stack knows; nothing where the stack runs elsewhere."""
    from shared.settings import Settings

    settings = Settings()
    if all(settings.url(name) for name in SERVICES):
        return {}
    from deploy.embedded import stack

    return stack.status(settings.home)


def _health(document: dict[str, Any]) -> list[Any]:
    shown = []
    if "processes" in document:
        columns = ("name", "alive", "ready", "pid>", "restarts>")
        title = f"processes of {document['home']}"
        shown.append(screen.records(title, columns, document["processes"]))
    counts = ("lag>", "unpublished>", "due>", "own>", "parked>")
    shown.append(screen.records("services", ("service", "ready", *counts), document["services"]))
    return [*shown, "all is well" if document["healthy"] else "NOT all is well"]


def serve(
    name: Annotated[str, typer.Argument(help=" | ".join(SERVICES), metavar="NAME")],
    worker: Annotated[
        int | None, typer.Option(min=0, help="Which of its processes this is; JIEXU_WORKER.")
    ] = None,
) -> None:
    """Run one process of a service here, with the settings of the environment."""
    if name not in SERVICES:
        raise typer.BadParameter(f"{name} is none of {', '.join(SERVICES)}")
    # In our place, so that signals reach it and nothing of the command line stays in memory.
    which = [] if worker is None else ["--worker", str(worker)]
    os.execv(sys.executable, [sys.executable, "-m", "services.serve", name, *which])  # noqa: S606 our own interpreter


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    for command in (up, down, status, cells, serve):
        app.command(rich_help_panel=_PANEL)(command)
