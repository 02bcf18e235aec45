"""Spreadsheets: numbers are numbers, texts are never formulas, headers speak two languages."""

import csv
import io
import zipfile
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from services.monitor.commands import months
from services.monitor.commands.sheets import Column, Sheet, csv_text, text, write_csv, write_xlsx

COLUMNS = (
    Column("region", "统筹地区", "region"),
    Column("amount", "金额", "amount", "money"),
    Column("count", "件数", "count", "count"),
    Column("rate", "按时率", "rate", "rate"),
)
ROWS = (
    {"region": "450100", "amount": "123456789012.34", "count": 7, "rate": "0.9876"},
    {"region": '=HYPERLINK("http://x")', "amount": "-1.00", "count": 0, "rate": None},
)
SHEET = Sheet("money", "资金 money", COLUMNS, ROWS)
NAMES = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def part(path: Path, name: str) -> Element:
    with zipfile.ZipFile(path) as file:
        root: Element = fromstring(file.read(name))
    return root


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_text_that_looks_like_a_formula_is_set_behind_an_apostrophe(sign: str) -> None:
    assert text(f"{sign}1+1") == f"'{sign}1+1"


def test_csv_has_both_languages_and_leaves_money_as_it_is() -> None:
    marked = csv_text(SHEET)

    rows = list(csv.reader(io.StringIO(marked.removeprefix("\ufeff"))))
    assert marked.startswith("\ufeff")
    assert rows[0] == ["统筹地区 region", "金额 amount", "件数 count", "按时率 rate"]
    assert rows[1] == ["450100", "123456789012.34", "7", "0.9876"]
    assert rows[2] == ['\'=HYPERLINK("http://x")', "-1.00", "0", ""]


def test_csv_goes_into_one_file_for_each_table(tmp_path: Path) -> None:
    written = write_csv(tmp_path / "march", [SHEET])

    assert [path.name for path in written] == ["money.csv"]
    assert written[0].read_text("utf-8-sig").startswith("统筹地区")


def test_xlsx_holds_numbers_with_formats_and_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"

    write_xlsx(path, [SHEET])

    tab = part(path, "xl/worksheets/sheet1.xml")
    cells = {cell.get("r"): cell for cell in tab.iterfind(".//m:c", NAMES)}
    formats = [
        f.get("formatCode") for f in part(path, "xl/styles.xml").iterfind(".//m:numFmt", NAMES)
    ]
    assert cells["B2"].findtext("m:v", None, NAMES) == "123456789012.34"
    assert (cells["B2"].get("t"), cells["A3"].get("t")) == (None, "s")
    assert tab.find(".//m:f", NAMES) is None
    assert "#,##0.00;[Red]-#,##0.00" in formats


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.xlsx", tmp_path / "other.xlsx"

    write_xlsx(one, [SHEET])
    write_xlsx(other, [SHEET])

    assert one.read_bytes() == other.read_bytes()


def test_a_report_has_a_table_for_each_question() -> None:
    told = {
        "month": "2026-03",
        "regions": [{"region": "450100", "closed": True, "warnings": ["a", "b"]}],
        "transfers": [{"region": "450100",
                       "in": {"total": 3, "out_of_province": 2, "pairs": {"310>310": 3}},
                       "out": {"total": 0, "out_of_province": 0, "pairs": {}}}],
        "on_time": [],
        "ageing": [{"corridor": "410100>450100", "open": "1.00", "count": 1,
                    "ages": {"0-15": "1.00"}}],
        "mirror": [{"corridor": "410100>450100", "explained": {"in_transit": "1.00"}}],
        "positions": [],
    }  # fmt: skip

    sheets = {sheet.name: sheet for sheet in months.report(told)}

    assert list(sheets) == ["regions", "transfers", "on-time", "ageing", "mirror", "positions"]
    assert sheets["regions"].rows[0]["warned"] == "a; b"
    assert [row["count"] for row in sheets["transfers"].rows] == [3, 3, 0]
    assert sheets["ageing"].rows[0]["0-15"] == "1.00"
    assert sheets["mirror"].rows[0]["why"] == "in_transit 1.00"


def test_the_cash_basis_view_is_one_table() -> None:
    told = {
        "region": "450100", "month": "2026-03", "change": "2.00", "bank_change": "2.00",
        "income": [{"name": "转移收入", "name_en": "transfer income", "amount": "2.00"}],
        "expenditure": [], "suspense": {"change": "0.00"}, "unexplained": {"change": "0.00"},
        "sweeps": [{"from": "bank:income", "to": "bank:fiscal", "amount": "1.00"}],
        "banks": [{"account": "bank:income", "opening": "0.00", "closing": "2.00"}],
        "memorandum": {"advances": [{"origin": "410100", "opening": "1.00", "credited": "0.00",
                                     "settled": "1.00", "closing": "0.00"}],
                       "interest": "3.00"},
    }  # fmt: skip

    sheet = months.statutory(told)

    assert [row["amount"] for row in sheet.rows] == [
        "2.00", "0.00", "0.00", "2.00", "0.00", "2.00", "2.00", "1.00",
        "1.00", "0.00", "1.00", "0.00", "3.00",
    ]  # fmt: skip
