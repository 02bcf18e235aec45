"""trial-balance and export: what the ledger says, and what the bank is told."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.monitor.commands import closing, screen
from services.monitor.commands.client import EXIT_REFUSED, connected
from services.monitor.commands.screen import Json

_PANEL = "Books"

export = typer.Typer(help="Files for banks: remittances, sweep (pain.001).", no_args_is_help=True)


def trial_balance(
    *,
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="As it was at the end of a day."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="One region, with --date.")] = None,
    as_json: Json = False,
) -> None:
    """Every account of every region, and every invariant; exit 1 if one fails."""
    if region and day is None:
        raise typer.BadParameter("--region goes with --date: now, the books are checked as a whole")
    with connected() as client:
        if day is None:
            found = client.get("settlement", "/v1/trial-balance")
        else:
            found = closing.balance_on(client, day.date(), region)
    screen.answer(found, as_json, lambda: _balance(found))
    broken = [name for name, holds in found["invariants"].items() if not holds]
    if broken or not found["balanced"]:
        screen.remark(f"does not hold: {', '.join(broken) or 'balanced'}")
        raise typer.Exit(EXIT_REFUSED)


def _balance(found: dict[str, Any]) -> list[Any]:
    accounts = (
        (region, row["account"], row["debit"], row["credit"], row["balance"])
        for region, rows in found["regions"].items()
        for row in rows
    )
    mirror = (
        (
            row["corridor"],
            row["origin_owes"],
            row["destination_claims"],
            " ".join(f"{why} {amount}" for why, amount in row["explained"].items()),
            row["unexplained"],
        )
        for row in found.get("mirror", ())
    )
    columns = ("corridor", "origin owes>", "destination claims>", "explained", "unexplained>")
    holds = ((name, "holds" if so else "BROKEN") for name, so in found["invariants"].items())
    network = ((row["account"], row["balance"]) for row in found.get("network", ()))
    return [
        screen.table("accounts", ("region", "account", "debit>", "credit>", "balance>"), accounts),
        *([screen.table("mirror", columns, mirror)] if "mirror" in found else []),
        *(
            [screen.table("network", ("account", "balance>"), network)]
            if "network" in found
            else []
        ),
        screen.table("invariants", ("invariant", ""), holds),
        "balanced" if found["balanced"] else "NOT balanced",
    ]


@export.command()
def remittances(
    *,
    region: Annotated[str, typer.Option(help="The origin that pays, 410100.")],
    day: Annotated[
        datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Released by the end of it.")
    ],
    out: Annotated[Path | None, typer.Option(help="Where the XML goes; standard output.")] = None,
    lump: Annotated[
        bool, typer.Option("--lump", help="One payment per destination, with its list.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What the bank is to pay for the releases so far, as pain.001.001.09."""
    _export(region, day.date(), out, lump=lump, as_json=as_json)


@export.command()
def sweep(
    *,
    region: Annotated[str, typer.Option(help="Whose income account, 450100.")],
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="A month that is closed.")],
    out: Annotated[Path | None, typer.Option(help="Where the XML goes; standard output.")] = None,
    as_json: Json = False,
) -> None:
    """What a month has left in the income account goes to the fiscal one, as pain.001.001.09."""
    _file("/v1/sweeps", {"region": region, "month": month}, out, as_json=as_json)


def _export(region: str, day: date, out: Path | None, *, lump: bool, as_json: bool) -> None:
    body = {"region": region, "date": day.isoformat(), "lump": lump}
    _file("/v1/remittances", body, out, as_json=as_json)


def _file(path: str, body: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    if out is not None:
        # The question makes a run of payments: it is not asked for a file that cannot be.
        screen.ensure_writable(out)
    with connected() as client:
        answer = client.post_for_bytes("settlement", path, body)
    # The runs of that day; the file is the last of them.
    runs = [name for name in answer.headers.get("Jiexu-Runs", "").split(",") if name]
    document = {**body, "runs": runs}
    if not answer.content:
        screen.answer(document, as_json, lambda: f"nothing is due at {body['region']}")
    elif out is not None:
        with screen.whole_file(out) as file:
            file.write(answer.content)
        screen.answer({**document, "out": str(out)}, as_json, lambda: f"{runs[-1]} is in {out}")
    elif as_json:
        screen.print_json({**document, "xml": answer.text})
    else:
        typer.echo(answer.content)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.command("trial-balance", rich_help_panel=_PANEL)(trial_balance)
    app.add_typer(export, name="export", rich_help_panel=_PANEL)
