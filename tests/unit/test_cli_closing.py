"""The accountant's commands: what they ask, what they print, and when they exit 1."""

import json
from pathlib import Path

import pytest

from tests.unit.cli_server import TRANSFER, Server
from tests.unit.test_cli_intake import run, server

__all__ = ["server"]

STATUTORY = {
    "region": "450100", "month": "2026-03", "balanced": True, "change": "2.00",
    "bank_change": "2.00", "expenditure": [], "sweeps": [], "banks": [],
    "income": [{"name": "转移收入", "name_en": "transfer income", "amount": "2.00"}],
    "suspense": {"change": "0.00"}, "unexplained": {"change": "0.00"},
    "memorandum": {"advances": [], "interest": "0.00"},
}  # fmt: skip
BOOKS = {
    "month": "2026-03", "ageing": [], "positions": [], "mirror": [],
    "regions": [{"region": "450100", "name": "南宁市", "closed": False,
                 "money_in": "2.00", "warnings": ["income_not_swept"]}],
}  # fmt: skip
CASES = {"month": "2026-03", "transfers": [], "on_time": [
    {"region": "450100", "step": "whole", "done": 4, "on_time": 3, "rate": "0.7500"},
    {"region": "410100", "step": "answer", "done": 1, "on_time": 1, "rate": "1.0000"},
]}  # fmt: skip
ENTRY = {
    "entry": "11111111-1111-1111-1111-111111111111", "number": 7, "date": "2026-03-02",
    "kind": "apply", "transfer": TRANSFER, "key": None, "cause": "m", "postings": [
        {"debit": "suspense", "credit": "advance:410100", "amount": "2.00"}],
}  # fmt: skip


def test_a_day_is_ended_by_hand(server: Server) -> None:
    answer = {"region": "450100", "date": "2026-03-31", "message_id": "m"}
    server.on("settlement/v1/days", answer, 202)

    result = run(server, "close-day", "--region", "450100", "--date", "2026-03-31", "--json")

    assert json.loads(result.stdout) == answer
    assert server.bodies("settlement/v1/days") == [{"region": "450100", "date": "2026-03-31"}]


@pytest.mark.parametrize("balanced", [True, False])
def test_the_cash_basis_view_exits_1_where_the_bank_is_not_explained(
    server: Server, tmp_path: Path, *, balanced: bool
) -> None:
    server.on("settlement/v1/statutory", {**STATUTORY, "balanced": balanced})
    out = tmp_path / "march.csv"

    result = run(server, "statutory", "--region", "450100", "--month", "2026-03", "--csv", str(out))

    assert result.exit_code == (0 if balanced else 1)
    assert "转移收入" in out.read_text("utf-8-sig")


def test_a_report_joins_the_books_and_the_transfers(server: Server, tmp_path: Path) -> None:
    server.on("settlement/v1/reports", BOOKS)
    server.on("transfer/v1/statistics", CASES)
    asked = ("report", "--month", "2026-03", "--region", "450100")
    folder, book = tmp_path / "march", tmp_path / "march.xlsx"

    result = run(server, *asked, "--csv", str(folder), "--xlsx", str(book), "--json")

    assert [row["step"] for row in json.loads(result.stdout)["on_time"]] == ["whole"]
    assert "income_not_swept" in result.stderr
    assert "income_not_swept" in (folder / "regions.csv").read_text("utf-8-sig")
    assert book.read_bytes()[:2] == b"PK"


def test_a_balance_of_a_date_is_asked_by_region(server: Server) -> None:
    found = {"date": "2026-03-31", "balanced": False, "invariants": {"entries_balance": False},
             "regions": {}, "network": []}  # fmt: skip
    server.on("settlement/v1/days/2026-03-31/balances", found)

    result = run(server, "trial-balance", "--date", "2026-03-31", "--region", "450100", "--json")

    assert result.exit_code == 1
    assert server.asked[-1].query == {"region": "450100"}
    assert run(server, "trial-balance", "--region", "450100").exit_code == 2


@pytest.mark.parametrize(("differences", "code"), [(0, 0), (1, 1)])
def test_the_audit_pours_the_log_into_the_books(
    server: Server, differences: int, code: int
) -> None:
    server.quiet()
    kept = {"upto": 9, "streams": ["settlement.commands"], "balances": 0, "daily": 0, "interest": 0}
    server.on("settlement/v1/audit/balances", kept)
    server.on("monitor/v1/log", {"a": "line"})
    told = {"messages": 9, "refused": 0, "entries": 9, "differences": differences, "examples": []}
    server.on("settlement/v1/audit/entries", told)

    result = run(server, "audit", "books", "--json")

    assert result.exit_code == code
    assert json.loads(result.stdout)["messages"]["entries"] == 9
    poured = [asked for asked in server.asked if asked.path == "settlement/v1/audit/entries"]
    assert (poured[0].json, poured[0].query) == ({"a": "line"}, {"upto": "9"})


def test_an_account_is_explained_down_to_who_acted(server: Server) -> None:
    found = {"region": "450100", "account": "suspense", "date": "2026-03-31", "balance": "1.00",
             "days": [], "entries": [ENTRY]}  # fmt: skip
    server.on("settlement/v1/explain", found)
    body = {"proposed_by": "an", "approved_by": "bo", "reason": "seen"}
    event = {"id": "m", "type": "settlement.match-receipt.v1", "at": "2026-03-02T09:30:00+08:00"}
    server.on("monitor/v1/events", {"events": [{**event, "body": body}], "next": ""})

    result = run(server, "explain", "450100/suspense", "--date", "2026-03-31", "--json")

    entry = json.loads(result.stdout)["entries"][0]
    assert entry["message"] == {"type": event["type"], "at": event["at"], **body}
    assert server.bodies("settlement/v1/explain") == [
        {"account": "450100/suspense", "day": "2026-03-31"}
    ]


def test_what_is_no_transfer_is_an_entry_a_receipt_or_a_work_item(server: Server) -> None:
    missing = {"code": "not_found", "message": "没有 / none"}
    server.on(f"transfer/v1/transfers/{TRANSFER}/explain", missing, 404)
    server.on("settlement/v1/explain", {"entries": [], "line": None, "parts": []})
    server.on(f"settlement/v1/items/{TRANSFER}", {"queue": "break"})

    entry = run(server, "explain", TRANSFER, "--json")
    server.on("settlement/v1/explain", missing, 404)
    item = run(server, "explain", TRANSFER, "--json")

    assert json.loads(entry.stdout) == {"entries": [], "line": None, "parts": []}
    assert json.loads(item.stdout) == {"queue": "break"}
    assert run(server, "explain", "no-id").exit_code == 2


def test_a_net_sheet_is_explained_with_positions_lines_and_who_said_what(server: Server) -> None:
    posting = {"debit": "payable:450100", "credit": "clearing:2026-04", "amount": "1.00"}
    line = {
        "line": f"{TRANSFER}:1", "corridor": "450300>450100", "amount": "1.00", "back": "0.00",
        "state": "settled", "sheet": "2026-04",
        "answers": [{"region": "450100", "verdict": "confirm", "by": "lin", "why": None}],
        "entries": [{"region": "450300", "postings": [posting]}],
    }  # fmt: skip
    position = {"region": "450100", "files": ["450000-20260512-1"],
                "debits": [{"receipt": TRANSFER, "file": None}],
                "receipts": [{"receipt": TRANSFER, "file": "ab12"}]}  # fmt: skip
    found = {"province": "450000", "month": "2026-04", "state": "paid", "lines": 1, "answers": [],
             "positions": [position], "explained": [line]}  # fmt: skip
    server.on("settlement/v1/netting/450000/2026-04", found)

    shown = run(server, "explain", "450000/2026-04")

    assert json.loads(run(server, "explain", "450000/2026-04", "--json").stdout) == found
    assert "450000/2026-04: paid" in shown.stdout


def test_a_whole_sheet_is_agreed_with_in_one_command(server: Server) -> None:
    server.on("settlement/v1/netting/confirm-sheet", {"message": "m"}, 202)

    said = ("--month", "2026-04", "--region", "450100", "--by", "lin")
    result = run(server, "netting", "confirm-sheet", *said, "--json")

    assert json.loads(result.stdout) == {"message": "m"}
    body = {"month": "2026-04", "region": "450100", "by": "lin"}
    assert server.bodies("settlement/v1/netting/confirm-sheet") == [body]
