"""close-day, days, statutory, report: how an accountant ends a day and a month."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.monitor.commands import months, screen
from services.monitor.commands.client import EXIT_REFUSED, Client, connected
from services.monitor.commands.screen import Json
from services.monitor.commands.sheets import Sheet, write_csv, write_one, write_xlsx

_PANEL = "Books"
_DAY = ["%Y-%m-%d"]

Region = Annotated[str, typer.Option(help="The region, 450100.")]
AnyRegion = Annotated[str | None, typer.Option(help="One region; else all that you may see.")]
MonthOption = Annotated[str, typer.Option(metavar="YYYY-MM", help="The month.")]
Xlsx = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a spreadsheet.")]


def close_day(
    *,
    region: Region,
    day: Annotated[datetime, typer.Option("--date", formats=_DAY, help="The day that is over.")],
    as_json: Json = False,
) -> None:
    """End a region's day before midnight does: what comes after it bears the next date."""
    with connected() as client:
        body = {"region": region, "date": day.date().isoformat()}
        found = client.post("settlement", "/v1/days", body)
    screen.answer(found, as_json, lambda: f"{found['date']} of {region} is being closed")


def days(*, region: AnyRegion = None, as_json: Json = False) -> None:
    """Which day of each region was closed last, and which has the last entry."""
    with connected() as client:
        found = client.get("settlement", "/v1/days", region=region)
    columns = ("region", "closed_on", "balanced_on", "moved_on")
    screen.answer(found, as_json, lambda: screen.records("days", columns, found))


def statutory(
    *,
    region: Region,
    month: MonthOption,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as CSV.")] = None,
    xlsx: Xlsx = None,
    as_json: Json = False,
) -> None:
    """The cash-basis view of a month; exit 1 where its lines do not explain the bank accounts."""
    with connected() as client:
        found = client.get("settlement", "/v1/statutory", region=region, month=month)
    sheet = months.statutory(found)
    if csv is not None:
        write_one(csv, sheet)
    if xlsx is not None:
        write_xlsx(xlsx, [sheet])
    screen.answer(found, as_json, lambda: [_shown(sheet), _verdict(found)])
    if not found["balanced"]:
        screen.remark(
            f"the lines come to {found['change']}, the bank accounts changed by"
            f" {found['bank_change']}"
        )
        raise typer.Exit(EXIT_REFUSED)


def _verdict(found: dict[str, Any]) -> str:
    said = "explained by the lines" if found["balanced"] else "NOT explained by the lines"
    return f"the bank accounts changed by {found['bank_change']}, {said}"


def report(
    *,
    month: MonthOption,
    region: AnyRegion = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write its tables as CSV files.")
    ] = None,
    xlsx: Xlsx = None,
    as_json: Json = False,
) -> None:
    """The month: transfers, money, deadlines kept, ageing of advances, both sides compared."""
    with connected() as client:
        found = month_of(client, month, region)
    sheets = months.report(found)
    if csv is not None:
        write_csv(csv, sheets)
    if xlsx is not None:
        write_xlsx(xlsx, sheets)
    screen.answer(found, as_json, lambda: [_shown(sheet) for sheet in sheets if sheet.rows])
    for row in found["regions"]:
        for code in row["warnings"]:
            screen.remark(f"{row['region']} {row['name']}: {code}")


def month_of(client: Client, month: str, region: str | None = None) -> dict[str, Any]:
    """What the books and the transfers say of a month, together."""
    books = client.get("settlement", "/v1/reports", month=month, region=region)
    cases = client.get("transfer", "/v1/statistics", month=month)
    own = {
        name: [row for row in cases[name] if region in {None, row["region"]}]
        for name in ("transfers", "on_time")
    }
    return {**books, **own}


def _shown(sheet: Sheet) -> Any:  # noqa: ANN401 rich's table
    columns = [
        f"{column.header}>" if column.kind in {"money", "count", "rate"} else column.header
        for column in sheet.columns
    ]
    rows = ([row.get(column.field) for column in sheet.columns] for row in sheet.rows)
    return screen.table(sheet.title, columns, rows)


def balance_on(client: Client, day: date, region: str | None) -> dict[str, Any]:
    """The trial balance at the end of a day."""
    found: dict[str, Any] = client.get(
        "settlement", f"/v1/days/{day.isoformat()}/balances", region=region
    )
    return found


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.command("close-day", rich_help_panel=_PANEL)(close_day)
    app.command(rich_help_panel=_PANEL)(days)
    app.command(rich_help_panel=_PANEL)(statutory)
    app.command(rich_help_panel=_PANEL)(report)
