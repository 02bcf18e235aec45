"""Tables for people who work in spreadsheets: CSV with headers in two languages, and one XLSX.

A text never becomes a formula: in XLSX it is a string cell, in CSV a sign that a spreadsheet would
calculate with is set behind an apostrophe. Money is a number with two decimals, never a float here.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from services.monitor.commands.screen import whole_file

Kind = Literal["text", "money", "count", "rate", "date"]
Row = Mapping[str, Any]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_FORMATS: Mapping[Kind, str] = {
    "text": "@",
    "money": "#,##0.00;[Red]-#,##0.00",
    "count": "#,##0",
    "rate": "0.00%",
    "date": "@",
}
_WIDEST = 60


@dataclass(frozen=True)
class Column:
    """A field of the rows, and its headers."""

    field: str
    chinese: str
    english: str
    kind: Kind = "text"

    @property
    def header(self) -> str:
        """Both languages in one cell."""
        return f"{self.chinese} {self.english}"


@dataclass(frozen=True)
class Sheet:
    """A table with its name, which is a file's or a tab's."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]


def text(value: object) -> str:
    """A text that no spreadsheet takes for a formula."""
    plain = "" if value is None else str(value)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def csv_text(sheet: Sheet) -> str:
    """The table as CSV, with the mark by which spreadsheets know UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(column.header for column in sheet.columns)
    for row in sheet.rows:
        writer.writerow(_plain(column.kind, row.get(column.field)) for column in sheet.columns)
    return "\ufeff" + out.getvalue()


def _plain(kind: Kind, value: object) -> str:
    return text(value) if kind in {"text", "date"} else "" if value is None else str(value)


def write_csv(folder: Path, sheets: Iterable[Sheet]) -> list[Path]:
    """One file for each table. Raises Refused where it cannot be written."""
    written = []
    for sheet in sheets:
        path = folder / f"{sheet.name}.csv"
        write_one(path, sheet)
        written.append(path)
    return written


def write_one(path: Path, sheet: Sheet) -> None:
    """One table as a CSV file. Raises Refused where it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(csv_text(sheet).encode())


def write_xlsx(path: Path, sheets: Iterable[Sheet]) -> None:
    """All tables as tabs of one file. Raises Refused where it cannot be written."""
    import xlsxwriter

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    # The time of making would make equal reports unequal.
    book.set_properties({"title": "Jiexu", "created": datetime(2000, 1, 1, tzinfo=UTC)})
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    formats = {kind: book.add_format({"num_format": code}) for kind, code in _FORMATS.items()}
    for sheet in sheets:
        tab = book.add_worksheet(sheet.title[:31])
        tab.freeze_panes(1, 0)
        for n, column in enumerate(sheet.columns):
            tab.write_string(0, n, column.header, bold)
            widest = max((len(str(row.get(column.field) or "")) for row in sheet.rows), default=0)
            tab.set_column(n, n, min(_WIDEST, max(14, widest + 2)))
        for line, row in enumerate(sheet.rows, start=1):
            for n, column in enumerate(sheet.columns):
                _cell(tab, line, n, column.kind, row.get(column.field), formats[column.kind])
    book.close()
    with whole_file(path) as file:
        file.write(out.getvalue())


def _cell(tab: Any, line: int, n: int, kind: Kind, value: object, form: object) -> None:  # noqa: ANN401
    if value is None or value == "":
        tab.write_blank(line, n, None, form)
    elif kind in {"text", "date"}:
        tab.write_string(line, n, str(value), form)
    else:
        tab.write_number(line, n, Decimal(str(value)), form)
