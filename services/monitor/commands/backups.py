"""backup, restore, and the payments that wait for a person after a restore."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import EXIT_REFUSED, Refused, connected
from services.monitor.commands.screen import Json

if TYPE_CHECKING:
    from deploy.embedded.home import Home

_PANEL = "Back up and restore"

payments = typer.Typer(
    help="Payments that a restore has held: the bank may know them.", no_args_is_help=True
)
Run = Annotated[str, typer.Argument(help="The run that the bank was given: 410100-20260331-1.")]
Reason = Annotated[str, typer.Option(help="How you know; it is kept.")]


def backup(*, as_json: Json = False) -> None:
    """Back up the embedded database, and archive all that is written from now on."""
    from deploy.embedded import backups, stack
    from deploy.embedded.home import Home, StackFailed
    from shared.settings import Settings

    home = Settings().home
    if stack.find(home) is None:
        message = f"no stack runs in {home.absolute()}: start it, or back up by PostgreSQL's tools"
        raise Refused("not_running", message)
    try:
        made = backups.take(Home.at(home))
    except StackFailed as failed:
        raise Refused("not_backed_up", str(failed)) from failed
    document = {"folder": str(made.folder), "ended_at": made.ended_at.isoformat()}
    told = f"in {made.folder}; `jiexu restore --to T` goes to any T from {made.ended_at} on"
    screen.answer(document, as_json, lambda: told)


def restore(
    *,
    to: Annotated[
        str | None, typer.Option(help="The moment, ISO 8601 with offset; else the last archived.")
    ] = None,
    kafka_lost: Annotated[
        bool, typer.Option("--kafka-lost", help="Kafka is empty. Alone: the database stays.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Set the embedded stack back to a moment, or give it a new Kafka; nothing is paid twice."""
    from deploy.embedded import stack
    from deploy.embedded.home import Home, StackFailed
    from shared.settings import Settings

    moment = _moment(to)
    place = Home.at(Settings().home)
    workers = (place.read_stack() or {}).get("workers")
    try:
        with place.restores():
            document = _restore(place, moment, workers, kafka_lost=kafka_lost)
    except StackFailed as failed:
        raise Refused("not_restored", str(failed)) from failed
    # Before the services start: what is left to do is written nowhere else.
    screen.answer(document, as_json, lambda: _told(document))
    try:
        stack.up(place.folder, workers=workers, report=screen.remark)
    except StackFailed as failed:
        screen.remark(
            "not_started: 已恢复，但服务尚未就绪；待办见上 / it is restored, what is to be done is "
            f"told above; only the services are not ready (`jiexu up --embedded`): {failed}"
        )
        raise typer.Exit(EXIT_REFUSED) from failed


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - refused below, like any time without an offset
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} is not a time with an offset: 2026-03-31T12:00:00Z")
    if moment > datetime.now(UTC):
        raise typer.BadParameter(f"{text} is still to come")
    return moment


def _restore(
    place: "Home", to: datetime | None, workers: int | None, *, kafka_lost: bool
) -> dict[str, Any]:
    """The database as of the moment; then the topics; all is stopped then.

    What cannot be restored is left as it was, stopped; so is what was before one that was cut
    short.
    """
    from deploy.embedded import backups, cells, stack
    from deploy.embedded.home import StackFailed, write_json

    if len(cells.all_cells(place)) > 1:
        raise StackFailed("restoring one cell of several is not built: see docs/reliability.md")
    if place.restoring_file.exists():
        stack.down(place.folder, screen.remark)
        backups.put_back(place)
    backup = backups.fitting(place, to) if to is not None or not kafka_lost else None
    backups.begin(place, _command(to, kafka_lost=kafka_lost))
    stack.down(place.folder, screen.remark)
    try:
        kept = backups.rewind(place, backup, to) if backup else None
        bare = stack.up(place.folder, workers=workers, services=(), report=screen.remark)
        reached = backups.reached(place, backup).isoformat() if backup else None
        done = _recovered(bare.environment(), kafka_lost=kafka_lost)
    except (StackFailed, OSError) as failed:
        stack.down(place.folder, screen.remark)
        backups.put_back(place)
        if backup:
            screen.remark("the database is as it was before; `jiexu up` starts it")
        raise StackFailed(str(failed)) from failed
    document = {**done, "reached": reached, "former_data": str(kept) if kept else None}
    write_json(place.folder / "restored.json", document)
    backups.settle(place)
    stack.down(place.folder, screen.remark)
    return document


def _command(to: datetime | None, *, kafka_lost: bool) -> str:
    moment = f" --to {to.isoformat()}" if to else ""
    return f"jiexu restore{moment}{' --kafka-lost' if kafka_lost else ''}"


def _recovered(environment: Mapping[str, str], *, kafka_lost: bool) -> dict[str, Any]:
    """What `deploy.recovery` did; a process of its own, as in a cluster. Raises StackFailed."""
    from deploy.embedded.home import StackFailed
    from deploy.embedded.launcher import CHECKOUT

    done = subprocess.run(
        [sys.executable, "-m", "deploy.recovery", *(["--kafka-lost"] if kafka_lost else [])],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StackFailed(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _told(document: dict[str, Any]) -> list[Any]:
    sent = ", ".join(f"{name} {count}" for name, count in document["republished"].items())
    held, again = document["payments_held"], document["statements_to_read_again"]
    return [
        f"恢复到 / the database is as of {document['reached'] or 'now: it was not set back'}",
        f"generation {document['generation']}; sent again: {sent}",
        screen.records(
            "upstream records that Kafka has deleted (their senders send again)",
            ("lane", "from>", "records>"),
            document["upstream_gone"],
        ),
        screen.records(
            "payments held: the bank was told of them after that moment (jiexu payments)",
            ("run", "region", "transfers>", "amount>", "given_out_at"),
            held,
        ),
        screen.records(
            "sweeps: the bank was told of them after that moment; exported again they are the same",
            ("run", "region", "month", "amount>", "given_out_at"),
            document["sweeps_given_out"],
        ),
        screen.records(
            "statements to read again (jiexu intake statement)",
            ("account", "kind", "statement", "closed_on", "page>"),
            again,
        ),
        "send again what came by file or HTTP after that moment, first registrations; "
        "then `jiexu payments`, then statements; then `jiexu backup`",
    ]


@payments.command("held")
def held(*, as_json: Json = False) -> None:
    """The runs of which payments are held."""
    with connected() as client:
        found = client.get("settlement", "/v1/held-payments")
    columns = ("run", "region", "date", "transfers>", "amount>")
    screen.answer(found, as_json, lambda: screen.records("held payments", columns, found))


@payments.command("confirm")
def confirm(run: Run, *, reason: Reason, as_json: Json = False) -> None:
    """The bank has this file: the books take it as it was."""
    _settle(run, "confirm", reason, as_json=as_json)


@payments.command("release")
def release(run: Run, *, reason: Reason, as_json: Json = False) -> None:
    """The bank never got this file: its payments are due again, under another name."""
    _settle(run, "release", reason, as_json=as_json)


def _settle(run: str, verdict: str, reason: str, *, as_json: bool) -> None:
    with connected() as client:
        body = {"reason": reason}
        found = client.post("settlement", f"/v1/held-payments/{run}/{verdict}", body)
    screen.answer(found, as_json, lambda: f"{run}: {found['transfers']} payments, {verdict}")


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    for command in (backup, restore):
        app.command(rich_help_panel=_PANEL)(command)
    app.add_typer(payments, name="payments", rich_help_panel=_PANEL)
