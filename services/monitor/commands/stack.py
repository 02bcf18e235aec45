"""up, down, status, serve: the processes themselves."""

import os
import sys
from typing import Annotated, Any

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

_PANEL = "Stack"


def up(
    *,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Kafka and PostgreSQL as processes, no containers.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes per service; JIEXU_WORKERS, else 1.")
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
    for command in (up, down, status, serve):
        app.command(rich_help_panel=_PANEL)(command)
