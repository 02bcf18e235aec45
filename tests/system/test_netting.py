"""Two months of a province are netted through real Kafka: a dispute rolls over, all is paid."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.sandbox.bank import Bank
from deploy.sandbox.fates import Temper
from shared import regions
from shared.identity import make_id
from shared.settings import Settings
from tests.system.conftest import running
from tests.system.stack import Stack, mover

NANNING, GUILIN, GUANGXI = "450100", "450300", "450000"
BALANCES = ("1234.56", "500.00", "0.44")


@pytest.fixture(scope="module")
def own() -> Iterator[Stack]:
    """A stack whose clock goes through months."""
    with running("jiexu-netting-") as stack:
        yield stack


def go(stack: Stack, at: str) -> None:
    stack.ask("clock", "set", f"{at}T10:00:00+08:00", timeout=300)
    stack.settle()


def sheet(stack: Stack, month: str) -> dict[str, Any]:
    [found] = stack.ask("netting", "--month", month)["sheets"]
    return dict(found)


def pay(stack: Stack, bank: Bank, folder: Path, on: date) -> int:
    """What is due goes to the bank, and what it says comes back; how many payments it was."""
    files = stack.ask("netting", "pay", "--out", str(folder))["files"]
    stack.settle()
    paid = sum(bank.take(Path(file).read_bytes(), on) for file in files)
    for path in bank.work(on):
        stack.ask("intake", "statement", str(path))
    stack.settle()
    return paid


def three_move(stack: Stack, feed: Path) -> None:
    rows = [
        row
        for n, balance in enumerate(BALANCES)
        for row in mover(
            *(f"net{n}", make_id("410102", date(1990, 3, 7), 300 + n), "韦静雯", balance),
            origin=("gx-hrss", GUILIN),
        )
    ]
    stack.send(feed, rows)
    stack.settle()


def answer(stack: Stack, verdict: str, line: str) -> None:
    why = ("--reason", "amount") if verdict == "dispute" else ()
    stack.ask("netting", verdict, line, "--region", NANNING, "--by", "lin", *why)


def all_is_cleared(stack: Stack) -> bool:
    """Of two windows in three books, and the books hold."""
    balance = stack.ask("trial-balance")
    accounts = [a for rows in balance["regions"].values() for a in rows]
    cleared = [a["balance"] for a in accounts if a["account"].startswith("clearing:")]
    return balance["balanced"] is True and cleared == ["0.00"] * 6


def test_two_month_ends_with_a_dispute(own: Stack, tmp_path: Path) -> None:
    own.ask("clock", "set", "2026-04-20T09:00:00+08:00")
    three_move(own, tmp_path / "feed.csv")
    due = own.ask("export", "remittances", "--region", GUILIN, "--date", "2026-04-30")
    assert due["runs"] == [], "what is netted is not remitted by itself"

    go(own, "2026-05-06")
    published = sheet(own, "2026-04")
    assert (published["state"], published["lines"]) == ("published", 3)
    lines = {line["amount"]: line["line"] for line in own.ask("netting", "lines")}
    answer(own, "dispute", lines["500.00"])
    go(own, "2026-05-13")

    final = sheet(own, "2026-04")
    assert (final["state"], final["lines"]) == ("final", 2)
    assert {(p["region"], p["pays"], p["gets"]) for p in final["positions"]} == {
        (GUILIN, "1235.00", "0.00"),
        (NANNING, "0.00", "1235.00"),
    }
    assert sorted(t["money"] for t in own.ask("transfers")) == ["advanced", "funded", "funded"]
    bank = Bank(tmp_path / "bank", regions.load(Settings().regions), Temper(1, realistic=False))
    assert [pay(own, bank, tmp_path, date(2026, 5, 13)) for _ in range(3)] == [1, 1, 0]
    assert sheet(own, "2026-04")["state"] == "paid"

    answer(own, "confirm", lines["500.00"])
    go(own, "2026-06-16")
    assert [pay(own, bank, tmp_path, date(2026, 6, 16)) for _ in range(2)] == [1, 1]
    assert sheet(own, "2026-05")["state"] == "paid"
    assert {(t["money"], t["closed"]) for t in own.ask("transfers")} == {("funded", True)}
    assert all_is_cleared(own)
    assert own.ask("dead-letters", "list") == []
