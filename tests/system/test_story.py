"""The main job through the command line: three rows in, advanced; one receipt in, funded."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.identity import make_id
from tests.system.bank_files import Line, camt053
from tests.system.stack import Stack, mover

STORIES = {
    "across-provinces": (("ha-hrss", "410100"), "郑州市医疗保障中心", "张伟", "4084.12"),
    "inside-guangxi": (("gx-hrss", "450300"), "桂林市社会医疗保险基金", "韦静雯", "1234.56"),
}


def money_of(stack: Stack, id_no: str) -> dict[str, dict[str, str]]:
    person = stack.ask("person", "-", text=id_no)
    return {account["region"]: account for account in person["accounts"]}


def transfer_of(stack: Stack, id_no: str) -> dict[str, Any]:
    found = stack.ask("transfers", "--person", "-", text=id_no)
    assert len(found) == 1
    return dict(found[0])


@pytest.mark.parametrize("name", STORIES)
def test_three_rows_are_advanced_and_one_receipt_funds_them(
    stack: Stack, tmp_path: Path, name: str
) -> None:
    origin, payer, person, balance = STORIES[name]
    id_no = make_id("410102", date(1990, 3, 7), 100 + len(name))
    feed = tmp_path / "feed.csv"
    rows = mover(name, id_no, person, balance, origin=origin)
    for _ in range(3):
        answers = stack.send(feed, rows)
        stack.settle()

    assert [answer["outcome"] for answer in answers] == ["duplicate"] * 3
    transfer = transfer_of(stack, id_no)
    assert (transfer["record"], transfer["money"]) == ("joined", "advanced")
    assert transfer["transfer_id"] == answers[2]["transfer_id"]
    accounts = money_of(stack, id_no)
    assert (accounts["450100"]["balance"], accounts["450100"]["unfunded"]) == (balance, balance)
    assert accounts[origin[1]]["balance"] == "0.00"

    statement = tmp_path / "statement.xml"
    line = Line(f"R-{name}", balance, payer=payer, remark=f"{person} 个人账户转移")
    statement.write_text(camt053([line], number=name))
    for _ in range(3):
        stack.ask("intake", "statement", str(statement))
        stack.settle()

    transfer = transfer_of(stack, id_no)
    assert (transfer["money"], transfer["closed"], transfer["received"]) == (
        "funded",
        True,
        balance,
    )
    assert money_of(stack, id_no)["450100"]["unfunded"] == "0.00"
    joined = stack.ask("person", "-", text=id_no)["enrollments"]
    assert {e["region"]: e["months_total"] for e in joined}["450100"] == 85
    assert stack.ask("trial-balance")["balanced"] is True


def test_the_timeline_tells_the_story_in_order(stack: Stack, tmp_path: Path) -> None:
    id_no = make_id("410102", date(1991, 5, 1), 11)
    stack.send(tmp_path / "feed.csv", mover("timeline", id_no, "李娜", "100.00"))
    stack.settle()
    transfer = transfer_of(stack, id_no)["transfer_id"]

    timeline = stack.ask("transfer", transfer)["timeline"]
    told = [line["message"] for line in timeline]

    letter = "the person was told: advance credited (file)"
    [sent] = [n for n, line in enumerate(timeline) if letter in line["text"]]
    assert told.index("settlement.advance-credited.v1") < sent
    story = [
        "enrollment.registered.v1",
        "enrollment.release-record.v1",
        "enrollment.record-released.v1",
        "settlement.release-funds.v1",
        "settlement.funds-released.v1",
        "settlement.credit-advance.v1",
        "settlement.advance-credited.v1",
    ]
    assert [message for message in told if message in story] == story


def test_every_decision_is_explained_with_its_rule_and_source(stack: Stack, tmp_path: Path) -> None:
    id_no = make_id("410102", date(1992, 6, 1), 13)
    stack.send(tmp_path / "feed.csv", mover("why", id_no, "王芳", "10.00"))
    stack.settle()
    transfer = transfer_of(stack, id_no)["transfer_id"]

    decisions = stack.ask("explain", transfer)["decisions"]

    assert "ask the origin to release the record" in str(decisions)
    assert all(step["rule"] and step["source"] and step["facts"] for step in decisions)
    [begun] = [step for step in decisions if step.get("type") == "enrollment.registered.v1"]
    assert begun["facts"]["transfer cross-province 310>310: automatic"] == "yes"


def test_a_reading_command_repeated_is_equal_to_the_byte(stack: Stack) -> None:
    for words in (("transfers",), ("trial-balance",), ("receipts",), ("exposure",)):
        assert stack.ask(*words) == stack.ask(*words)


def test_an_unreachable_stack_is_told_with_exit_3(tmp_path: Path) -> None:
    answer = Stack(tmp_path / "nowhere").run("transfers")

    assert answer.code == 3
    assert "jiexu up" in answer.errors
