"""risk: what the corridors will owe and pay, from their own history, and what would happen if."""

import re
from typing import Annotated, Any

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import Client, connected
from services.monitor.commands.screen import Json

_YUAN = re.compile(r"\d{1,12}(\.\d{1,2})?")
_TIMES = re.compile(r"x?(\d{1,3})")
_SHOWN_PERCENT = "80"

Row = dict[str, Any]


def risk(
    *,
    corridor: Annotated[
        str | None,
        typer.Option(metavar="O>D", help="410100>450100; else all that have a history."),
    ] = None,
    limit: Annotated[
        str | None, typer.Option(metavar="YUAN", help="What if this were the limit.")
    ] = None,
    stops_paying_days: Annotated[
        int, typer.Option(min=0, max=84, help="What if the origin paid nothing for so many days.")
    ] = 0,
    arrivals: Annotated[
        str, typer.Option(metavar="xN", help="What if so many times as many people came: x10.")
    ] = "x1",
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same answer.")] = 1,
    as_json: Json = False,
) -> None:
    """Exposure, money in and out and losses of the next 12 weeks, with how sure that is."""
    asked = {
        "limit": _yuan(limit),
        "stops_paying_days": stops_paying_days,
        "arrivals": _times(arrivals),
        "seed": seed,
    }
    with connected() as client:
        wanted = [corridor] if corridor else _corridors(client)
        found = [client.get("settlement", "/v1/risk", corridor=one, **asked) for one in wanted]
    if corridor is None:
        found = [row for row in found if row["history"]["claims"]]
    screen.answer(found, as_json, lambda: [part for row in found for part in _shown(row)])


def _yuan(limit: str | None) -> str | None:
    if limit is None:
        return None
    if not _YUAN.fullmatch(limit):
        raise typer.BadParameter("--limit is yuan: 5000000 or 5000000.00")
    whole, _, cents = limit.partition(".")
    return f"{whole}.{cents:0<2}"


def _times(arrivals: str) -> int:
    found = _TIMES.fullmatch(arrivals)
    if found is None or not 1 <= int(found[1]) <= 100:
        raise typer.BadParameter("--arrivals is x1 to x100")
    return int(found[1])


def _corridors(client: Client) -> list[str]:
    return [str(row["corridor"]) for row in client.get("settlement", "/v1/exposure")]


def _shown(row: Row) -> list[Any]:
    history = row["history"]
    head = f"{row['corridor']} ({row['distance']}): {history['claims']} claims"
    if not row["enough"]:
        return [f"{head}; {row['why']}", ""]
    shown = [
        f"{head} since {history['from']}, {history['borrowed_from']} borrowed",
        *history["notes"],
        f"never comes: {_percent(row['delays']['never_percent'])}",
        f"limit {row['limit']}; smallest that would have served 99 % of people the same day:"
        f" {row['smallest_limit_serving_99_percent']}",
        *_forecast("as it is", row["base"]),
    ]
    if row["what_if"]:
        assumed = ", ".join(f"{name} {value}" for name, value in row["what_if"]["assumes"].items())
        shown += _forecast(f"what if: {assumed}", row["what_if"])
    return [*shown, ""]


def _forecast(title: str, found: Row) -> list[Any]:
    rows = (
        (
            week["until"],
            *(_spread(week[name]) for name in ("money_in", "advanced", "exposure")),
            f"{week['suspended_percent']} %",
        )
        for week in found["weeks"]
    )
    columns = ("week until", "money in>", "advanced>", "open at its end>", "suspended>")
    title = f"{title}: median and {_SHOWN_PERCENT} % interval, yuan"
    loss = found["expected_loss"]
    lost = f"{loss['mean']} ({_spread(loss)})" if loss else "not known yet"
    return [
        screen.table(title, columns, rows),
        f"expected loss on what is open: {lost}; advanced on their day:"
        f" {found['advanced_same_day_percent']} %",
    ]


def _spread(found: Row) -> str:
    low, high = found[_SHOWN_PERCENT]
    return f"{found['median']}  [{low} … {high}]"


def _percent(found: Row) -> str:
    low, high = found["95"]
    return f"{found['median']} % (95 %: {low} … {high})"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel="Books")(risk)
