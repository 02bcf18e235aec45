"""demo and bench: the main job on shipped input, and how fast it is."""

from typing import Annotated

import typer

from services.monitor.commands import screen
from services.monitor.commands.screen import Json

_PANEL = "Start here"


def demo(
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave its stack running, to look around.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The whole story on shipped input, from nothing to the closing report (some minutes)."""
    from deploy.sandbox.demo import run
    from shared.settings import Settings

    raise typer.Exit(run(Settings().home, screen.console(errors=as_json), as_json, keep=keep))


def bench(
    *,
    transfers: Annotated[int, typer.Option(min=1, help="How many people move.")] = 2000,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="Registrations a second, whatever comes back.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes per service.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Keep its folder.")] = False,
    as_json: Json = False,
) -> None:
    """Throughput and latency through real Kafka and PostgreSQL; the books must balance."""
    from deploy.sandbox.bench import run

    console = screen.console(errors=as_json)
    result = run(transfers, rate=rate, workers=workers, keep=keep, console=console)
    screen.answer(result, as_json, lambda: screen.table("bench", ("", ""), result.items()))


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    for command in (demo, bench):
        app.command(rich_help_panel=_PANEL)(command)
