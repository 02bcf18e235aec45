"""netting: the net sheets of the provinces, what regions say to their lines, paying positions."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from services.monitor.commands import screen
from services.monitor.commands.client import Client, connected
from services.monitor.commands.clock import clock_now
from services.monitor.commands.screen import Json

_PANEL = "Books"
_LINES_SHOWN = 50

Month = Annotated[str | None, typer.Option(metavar="YYYY-MM", help="The month of the releases.")]
Region = Annotated[str | None, typer.Option(help="What this region has a part in, 450100.")]
Line = Annotated[str, typer.Argument(metavar="LINE", help="TRANSFER:VERSION, as `lines` shows it.")]
By = Annotated[str, typer.Option(help="Who says so.")]
Whose = Annotated[str, typer.Option("--region", help="For which region, 450100.")]

netting = typer.Typer(help="Net sheets: show, lines, confirm, confirm-sheet, dispute, pay.")


@netting.callback(invoke_without_command=True)
def sheets(
    context: typer.Context,
    *,
    month: Month = None,
    region: Region = None,
    as_json: Json = False,
) -> None:
    """What the regions of a province owe each other, month by month, and how far it is settled."""
    if context.invoked_subcommand is not None:
        return
    with connected() as client:
        found = client.get("settlement", "/v1/netting", month=month, region=region)
        lines = client.get(
            *("settlement", "/v1/netting/lines"), month=month, region=region, limit=_LINES_SHOWN
        )
    document = {"sheets": found, "lines": lines}
    screen.answer(document, as_json, lambda: [*map(_sheet, found), _lines(lines)])


def _sheet(sheet: dict[str, Any]) -> Any:  # noqa: ANN401 - a Rich table
    title = f"{sheet['province']} {sheet['month']}: {sheet['state']}, {sheet['lines']} lines"
    if sheet["state"] == "published":
        title += f", to be answered by {sheet['answer_by']}"
    columns = ("region", "receivable>", "payable>", "pays>", "gets>", "instructed>", "arrived>")
    names = [column.rstrip(">") for column in columns]
    rows = (tuple(row[name] for name in names) for row in sheet["positions"])
    return screen.table(title, columns, rows)


def _lines(lines: Iterable[dict[str, Any]]) -> Any:  # noqa: ANN401 - a Rich table
    columns = ("line", "corridor", "month", "sheet", "amount>", "back>", "state", "disputed by")
    rows = (
        (
            *(row["line"], row["corridor"], row["month"], row["sheet"] or "rolls over"),
            *(row["amount"], row["back"], row["state"], " ".join(row["disputed_by"])),
        )
        for row in lines
    )
    return screen.table("lines", columns, rows)


@netting.command("lines")
def list_lines(
    *,
    month: Month = None,
    region: Region = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    after: Annotated[str | None, typer.Option(help="Those after this line.")] = None,
    as_json: Json = False,
) -> None:
    """Every line with what each side has, the sheet it is in, and why it is in none."""
    with connected() as client:
        asked = {"month": month, "region": region}
        rows = list(client.pages("settlement", "/v1/netting/lines", "line", limit, after, **asked))
    screen.answer(rows, as_json, lambda: _lines(rows))


@netting.command()
def confirm(line: Line, *, region: Whose, by: By, as_json: Json = False) -> None:
    """A region agrees with a line, or takes back its dispute; silence until the deadline agrees."""
    body = {"line": line, "region": region, "by": by}
    _say("confirm", body, f"confirm of {line} is", as_json=as_json)


@netting.command("confirm-sheet")
def confirm_sheet(
    *,
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month of the releases.")],
    region: Whose,
    by: By,
    as_json: Json = False,
) -> None:
    """A region agrees with every line of a published sheet; what is disputed is in none."""
    body = {"month": month, "region": region, "by": by}
    _say("confirm-sheet", body, f"confirming the sheet of {month} is", as_json=as_json)


@netting.command()
def dispute(
    line: Line,
    *,
    region: Whose,
    by: By,
    reason: Annotated[str, typer.Option(help="Why; it is kept. Nothing personal.")],
    as_json: Json = False,
) -> None:
    """A region does not agree: the line leaves the sheet on both sides and rolls over."""
    body = {"line": line, "region": region, "by": by, "reason": reason}
    _say("dispute", body, f"dispute of {line} is", as_json=as_json)


def _say(verdict: str, body: dict[str, str], what: str, *, as_json: bool) -> None:
    with connected() as client:
        found = client.post("settlement", f"/v1/netting/{verdict}", body)
    told = f"{what} on its way; jiexu wait, then jiexu netting lines"
    screen.answer(found, as_json, lambda: told)


@netting.command()
def pay(
    *,
    region: Annotated[
        str | None, typer.Option(help="Who pays, 450300, or the province, 450000; all that may.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A folder for the payment files; the current one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """One payment per net position that is due, as pain.001: regions first, then the province."""
    folder = out or Path()
    with connected() as client:
        today = clock_now(client).date()
        payers = [region] if region is not None else _payers(client)
        files = [path for code in payers if (path := _file(client, code, today, folder))]
    document = {"date": today.isoformat(), "files": [str(path) for path in files]}
    said = "\n".join(map(str, files)) or "no position is due"
    screen.answer(document, as_json, lambda: said)


def _payers(client: Client) -> list[str]:
    """Who has, or will have, something to pay: the regions of final sheets, and their provinces."""
    found = [s for s in client.get("settlement", "/v1/netting") if s["state"] == "final"]
    regions = {p["region"] for s in found for p in s["positions"] if p["pays"] != "0.00"}
    return [*sorted(regions), *sorted({s["province"] for s in found})]


def _file(client: Client, region: str, on: date, folder: Path) -> Path | None:
    body = {"region": region, "date": on.isoformat(), "net": True}
    answer = client.post_for_bytes("settlement", "/v1/remittances", body)
    if not answer.content:
        return None
    run = answer.headers.get("Jiexu-Runs", region).split(",")[-1]
    path = folder / f"{run}.xml"
    screen.ensure_writable(path)
    with screen.whole_file(path) as file:
        file.write(answer.content)
    return path


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(netting, name="netting", rich_help_panel=_PANEL)
