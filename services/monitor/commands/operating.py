"""retry, pause, resume: what an operator does with one transfer, or with all that fit a filter."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import Client, connected
from services.monitor.commands.screen import Json

_PANEL = "Operating"
_FILTERS = ("state", "region", "corridor")

Transfer = Annotated[UUID | None, typer.Argument(metavar="[TRANSFER]", help="The transfer's id.")]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="NAME=VALUE",
        help="All that fit: state=short, region=450100, corridor=410100>450100, stuck; may repeat.",
    ),
]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the transfer. Nothing personal.")]


def retry(
    id_: Transfer = None, *, filter_: Filters = None, reason: Reason, as_json: Json = False
) -> None:
    """Say again what nobody has answered. Harmless where it was answered after all."""
    _act("retry", id_, filter_, reason, as_json=as_json)


def pause(
    id_: Transfer = None, *, filter_: Filters = None, reason: Reason, as_json: Json = False
) -> None:
    """Hold back what a transfer would say; what comes for it is handled all the same."""
    _act("pause", id_, filter_, reason, as_json=as_json)


def resume(
    id_: Transfer = None, *, filter_: Filters = None, reason: Reason, as_json: Json = False
) -> None:
    """Say what was held back, in order, and go on."""
    _act("resume", id_, filter_, reason, as_json=as_json)


def _act(
    act: str, id_: UUID | None, given: list[str] | None, reason: str, *, as_json: bool
) -> None:
    if (id_ is None) == (not given):
        raise typer.BadParameter("name one transfer, or say which by --filter")
    chosen = read_filters(given or (), _FILTERS, ("stuck",))
    with connected() as client:
        if id_ is not None:
            path = f"/v1/transfers/{id_}/{act}"
            ordered = [client.post("transfer", path, {"reason": reason})]
        else:
            ordered = _all(client, act, {**chosen, "reason": reason})
    document = {"act": act, "transfers": len(ordered), "ordered": ordered}
    told = f"{act} of {len(ordered)} transfers is on its way; jiexu wait, then jiexu transfer ID"
    screen.answer(document, as_json, lambda: told)


def _all(client: Client, act: str, body: Mapping[str, Any]) -> list[Any]:
    """Page by page: a retry or a pause of many is many small transactions."""
    ordered: list[Any] = []
    after: str | None = None
    while True:
        page = client.post("transfer", f"/v1/acts/{act}", {**body, "after": after})
        ordered += page["ordered"]
        after = page["next"]
        if after is None:
            return ordered


def read_filters(
    given: Sequence[str], names: Sequence[str], flags: Sequence[str] = ()
) -> dict[str, Any]:
    """`NAME=VALUE` words as a mapping. Raises typer.BadParameter."""
    found: dict[str, Any] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if name in flags and not equals:
            found[name] = True
        elif name in names and value and name not in found:
            found[name] = value
        else:
            known = ", ".join([*(f"{each}=…" for each in names), *flags])
            raise typer.BadParameter(f"--filter takes each of {known} once, and not {word}")
    return found


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    commands: tuple[Callable[..., None], ...] = (retry, pause, resume)
    for command in commands:
        app.command(rich_help_panel=_PANEL)(command)
