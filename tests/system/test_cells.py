"""Two cells on one Kafka: the story crosses between them unchanged, and a cell that is down holds
up only what is for it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from shared.identity import make_id
from tests.system.bank_files import Line, camt053
from tests.system.stack import Stack, mover

GUANGXI = "450000"


@pytest.fixture
def pair() -> Iterator[tuple[Stack, Stack]]:
    """The first cell, and a second one that serves Guangxi."""
    with ExitStack() as ends:
        first, south = (Stack(Path(tempfile.mkdtemp(prefix="jiexu-cell-"))) for _ in range(2))
        for stack in (first, south):
            ends.callback(shutil.rmtree, stack.home, ignore_errors=True)
        ends.callback(first.run, "down", timeout=120)
        first.ask("cells", GUANGXI, "south")
        first.ask("up", "--embedded")
        ends.callback(south.run, "down", timeout=120)
        south.ask("up", "--embedded", "--cell", "south", "--join", str(first.home))
        yield first, south


def send(pair: tuple[Stack, Stack], folder: Path, rows: list[dict[str, str]]) -> None:
    """Each source sends to the cell of its province."""
    for stack, ours in zip(pair, (False, True), strict=True):
        part = [row for row in rows if row["region"].startswith("45") is ours]
        if part:
            answers = stack.send(folder / f"{ours}.csv", part)
            assert [answer["outcome"] for answer in answers] == ["accepted"] * len(part)


def settle(*stacks: Stack) -> None:
    """What one cell has handled may be work for the other."""
    for stack in (*stacks, *stacks):
        stack.settle()


def moving(record: str, id_no: str, name: str, origin: tuple[str, str]) -> list[dict[str, str]]:
    """Somebody who enrolls in Zhengzhou and applies for the transfer there."""
    opened, stopped, enrolled = mover(record, id_no, name, "300.00", origin)
    here = {"source": "ha-hrss", "region": "410100"}
    applied = {
        **{name: enrolled[name] for name in ("id_type", "id_no", "occurred_at")},
        **here,
        "scheme": "310",
        "record_id": f"{record}-4",
        "action": "apply",
        "previous_region": origin[1],
    }
    return [opened, stopped, {**enrolled, **here}, applied]


def records(stack: Stack) -> dict[str, str]:
    """How far the record of each transfer is, by its origin."""
    return {transfer["origin"]: transfer["record"] for transfer in stack.ask("transfers")}


def _account(stack: Stack, id_no: str, region: str) -> dict[str, str]:
    accounts = stack.ask("person", "-", text=id_no)["accounts"]
    return next(account for account in accounts if account["region"] == region)


def person(n: int) -> str:
    return make_id("410102", date(1988, 8, 8), n)


def test_a_story_between_two_cells_is_that_of_one(
    pair: tuple[Stack, Stack], tmp_path: Path
) -> None:
    first, south = pair
    send(pair, tmp_path, mover("across", person(1), "张伟", "4084.12"))
    settle(*pair)

    (transfer,) = south.ask("transfers")
    assert (transfer["record"], transfer["money"]) == ("joined", "advanced")
    assert first.ask("transfers") == []
    assert _account(first, person(1), "410100")["balance"] == "0.00"
    there = _account(south, person(1), "450100")
    assert (there["balance"], there["unfunded"]) == ("4084.12", "4084.12")
    assert any((south.home / "letters").rglob("*.jsonl"))

    statement = tmp_path / "statement.xml"
    statement.write_text(camt053([Line("C1", "4084.12", remark="张伟 个人账户转移")], number="7"))
    misled = first.run("intake", "statement", str(statement))
    assert (misled.code, misled.document["code"]) == (1, "not_your_region")
    south.ask("intake", "statement", str(statement))
    settle(*pair)
    (transfer,) = south.ask("transfers")
    assert (transfer["money"], transfer["closed"]) == ("funded", True)
    for stack in pair:
        assert stack.ask("trial-balance")["balanced"] is True
        assert stack.ask("dead-letters", "list") == []


def test_a_cell_that_is_down_holds_up_only_what_is_for_it(
    pair: tuple[Stack, Stack], tmp_path: Path
) -> None:
    first, south = pair
    waiting = moving("waiting", person(2), "王芳", ("gx-hrss", "450100"))
    within = moving("within", person(3), "陈静", ("he-hrss", "130100"))
    send(pair, tmp_path, [row for row in waiting if row["region"] == "450100"])
    settle(*pair)
    south.ask("down")
    send((first, south), tmp_path, [row for row in waiting if row["region"] == "410100"])
    send((first, south), tmp_path, within)
    first.settle()

    assert records(first) == {"450100": "opened", "130100": "joined"}
    assert first.ask("trial-balance")["balanced"] is True

    south.ask("up", "--embedded")
    settle(*pair)
    assert records(first) == {"450100": "joined", "130100": "joined"}
    for stack in pair:
        assert stack.ask("trial-balance")["balanced"] is True
        assert stack.ask("dead-letters", "list") == []


def test_a_province_moves_to_an_empty_cell_with_its_open_transfers(tmp_path: Path) -> None:
    with ExitStack() as ends:
        first, south = (Stack(Path(tempfile.mkdtemp(prefix="jiexu-move-"))) for _ in range(2))
        for stack in (first, south):
            ends.callback(shutil.rmtree, stack.home, ignore_errors=True)
            ends.callback(stack.run, "down", timeout=120)
        first.ask("up", "--embedded")
        first.send(tmp_path / "before.csv", mover("before", person(5), "张伟", "77.70"))
        first.send(
            tmp_path / "inside.csv",
            mover("inside", person(6), "韦静雯", "55.50", ("gx-hrss", "450300")),
        )
        first.settle()
        before = first.ask("transfers")
        move = ("cells", GUANGXI, "south", "--rows-to", str(south.home))
        refused = first.run(*move)
        assert (refused.code, refused.document["code"]) == (1, "not_assigned")
        first.ask("down")

        moved = first.ask(*move, timeout=400)

        assert moved["provinces"] == {GUANGXI: "south"}
        assert moved["rows_moved"]["transfer.transfers"] == 2
        for stack in (first, south):
            stack.ask("up", "--embedded")
            stack.settle()
            assert stack.ask("trial-balance")["balanced"] is True
        assert first.ask("transfers") == []
        assert south.ask("transfers") == before
        assert _account(south, person(5), "450100")["balance"] == "77.70"
        assert _account(first, person(5), "410100")["balance"] == "0.00"
        _fund(south, tmp_path / "statement.xml")
        settle(first, south)
        assert {t["money"] for t in south.ask("transfers")} == {"funded"}
        for stack in (first, south):
            assert stack.ask("trial-balance")["balanced"] is True
            assert stack.ask("dead-letters", "list") == []


def _fund(stack: Stack, statement: Path) -> None:
    lines = [
        Line("M1", "77.70", remark="张伟 个人账户转移"),
        Line("M2", "55.50", remark="韦静雯 转移", payer="桂林市社会医疗保险基金"),
    ]
    statement.write_text(camt053(lines, number="9"))
    stack.ask("intake", "statement", str(statement))
