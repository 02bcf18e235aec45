"""The command line `jiexu`: sends files in, asks the services over HTTP, runs an embedded stack."""

from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

from services.monitor.commands import (
    audit,
    backups,
    bank,
    books,
    clock,
    closing,
    dead_letters,
    events,
    explain,
    intake,
    items,
    netting,
    operating,
    query,
    risk,
    sandbox,
    stack,
)
from services.monitor.commands.client import (
    EXIT_REFUSED,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    Refused,
    Unreachable,
)
from services.monitor.commands.screen import JSON_WANTED, masked, print_json, remark

_HELP = """Jiexu (接续): medical insurance follows a person from region to region.

The money is credited in advance (预划), and made real (做实) when it arrives.

See it work: [bold cyan]jiexu demo[/]

By hand: [bold cyan]jiexu up --embedded[/] · [bold cyan]jiexu intake registrations FILE --wait[/] ·
[bold cyan]jiexu transfers[/] · [bold cyan]jiexu transfer ID[/] · [bold cyan]jiexu trial-balance[/]
· [bold cyan]jiexu down[/]
"""
_EPILOG = """With --json: one document on standard output, everything else on standard error.

Exit: 0 done · 1 refused, or a check failed · 2 wrong usage · 3 the stack is not reachable.

JIEXU_HOME (.jiexu) holds the embedded stack; JIEXU_MONITOR_URL, … and JIEXU_TOKEN name another.

An ID number given as - is read from standard input, so that no process list shows it.
"""


class Commands(TyperGroup):
    """Turns what a command may raise into its exit code and a sentence."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 the types of click that typer keeps to itself
        """Run the command."""
        # Where a line cannot be read, the option may not have been reached; running takes the rest.
        typed = tuple(ctx.args)
        try:
            return super().invoke(ctx)
        except Refused as refused:
            _fail(ctx, refused.code, refused.message, refused.details)
            raise typer.Exit(EXIT_REFUSED) from refused
        except Unreachable as unreachable:
            _fail(ctx, "unreachable", str(unreachable))
            raise typer.Exit(EXIT_UNREACHABLE) from unreachable
        except typer.TyperException as wrong:
            # A usage error repeats what was typed.
            if isinstance(text := getattr(wrong, "message", None), str):
                wrong.message = masked(text)
                if "--json" in typed and getattr(wrong, "exit_code", None) == EXIT_USAGE:
                    print_json({"code": "usage", "message": masked(_said(wrong))})
            raise


def _said(wrong: typer.TyperException) -> str:
    """The sentence of a usage error, with the name of the option or argument it is about."""
    said = getattr(wrong, "format_message", None)
    return str(said()) if said else str(wrong)


def _fail(
    context: typer.Context, code: str, message: str, details: Mapping[str, Any] | None = None
) -> None:
    """Say why, as asked for; a program finds the reason where it looks for the answer."""
    if context.meta.get(JSON_WANTED):
        print_json({"code": code, "message": message, **(details or {})})
    remark(f"{code}: {message}")


app = typer.Typer(
    name="jiexu",
    cls=Commands,
    help=_HELP,
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    # A trace with local variables would show what people typed.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _family in (
    sandbox,
    stack,
    intake,
    query,
    explain,
    books,
    bank,
    closing,
    netting,
    audit,
    backups,
    clock,
    events,
    dead_letters,
    operating,
    items,
    risk,
):
    _family.register(app)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
