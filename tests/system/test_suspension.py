"""A corridor whose origin does not pay is suspended by the clock, and resumed when it pays."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.identity import make_id
from shared.settings import Settings
from tests.system.bank_files import Line, camt053
from tests.system.conftest import running
from tests.system.stack import Stack, mover
from tests.system.test_story import money_of, transfer_of

CORRIDOR = "410100>450100"
PEOPLE = {
    "first": (make_id("410102", date(1991, 3, 7), 17), "张一伟", "4084.12"),
    "second": (make_id("410102", date(1992, 3, 7), 18), "李二娜", "1000.00"),
    "third": (make_id("410102", date(1993, 3, 7), 19), "王三芳", "2000.00"),
}


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack whose regions suspend a corridor after three working days."""
    regions = tmp_path / "regions"
    shutil.copytree(Settings().regions, regions)
    for file in regions.glob("*.toml"):
        text = file.read_text("utf-8")
        file.write_text(text.replace("suspend_after = 90\n", "suspend_after = 3\n"), "utf-8")
        assert "[[limit]]" not in text or "suspend_after = 3\n" in file.read_text("utf-8")
    monkeypatch.setenv("JIEXU_REGIONS", str(regions))
    with running("jiexu-limits-") as stack:
        yield stack


def moves(stack: Stack, folder: Path, who: str) -> dict[str, Any]:
    id_no, name, balance = PEOPLE[who]
    stack.send(folder / f"{who}.csv", mover(who, id_no, name, balance))
    stack.settle()
    return transfer_of(stack, id_no)


def pays(stack: Stack, folder: Path, who: str, number: int, opening: str) -> None:
    id_no, name, balance = PEOPLE[who]
    reference = transfer_of(stack, id_no)["transfer_id"].replace("-", "")
    line = Line(f"R-{who}", balance, remark=f"{name} 个人账户转移", end_to_end=reference)
    file = folder / f"{who}.xml"
    file.write_text(camt053([line], number=str(number), opening=opening))
    stack.ask("intake", "statement", str(file))
    stack.settle()


def corridor(stack: Stack) -> dict[str, Any]:
    [found] = [row for row in stack.ask("exposure") if row["corridor"] == CORRIDOR]
    return dict(found)


def test_who_does_not_pay_is_suspended_and_who_pays_again_is_resumed(
    impatient: Stack, tmp_path: Path
) -> None:
    stack = impatient
    first = moves(stack, tmp_path, "first")
    stack.ask("clock", "advance", "5wd")
    suspended = corridor(stack)
    second = moves(stack, tmp_path, "second")
    pays(stack, tmp_path, "second", 1, "0.00")
    credited = money_of(stack, PEOPLE["second"][0])["450100"]["balance"]
    third = moves(stack, tmp_path, "third")
    waiting = corridor(stack)["waiting"]
    pays(stack, tmp_path, "first", 2, "1000.00")
    resumed = corridor(stack)
    offered = transfer_of(stack, PEOPLE["third"][0])
    told = [row["type"] for row in stack.ask("events") if "corridor" in row["type"]]
    explained = stack.ask("explain", second["transfer_id"])["decisions"]
    [declined] = [row for row in explained if row.get("decision") == "advance-declined"]

    assert (first["money"], second["money"], third["money"]) == (
        "advanced",
        "awaiting_funds",
        "awaiting_funds",
    )
    assert suspended["suspended"]["code"] == "overdue_share"
    assert (suspended["open"], suspended["overdue"]) == ("4084.12", "4084.12")
    assert credited == "1000.00"
    assert waiting == {"count": 1, "amount": "2000.00"}
    assert (resumed["suspended"], resumed["open"]) == (None, "2000.00")
    assert (offered["money"], offered["advanced"]) == ("advanced", "2000.00")
    assert told.count("settlement.corridor-suspended.v1") == 1
    assert told.count("settlement.corridor-resumed.v1") == 1
    assert declined["code"] == "corridor_suspended"
    assert declined["facts"]["suspended"]["overdue"] == "4084.12"
    assert declined["facts"]["limit"] == "50000000.00"
    assert stack.ask("trial-balance")["balanced"] is True
