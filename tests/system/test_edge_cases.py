"""The edge cases that touch money (docs/edge-cases.md), through real Kafka and PostgreSQL.

They are played once, side by side, and each test looks at its own people. Cases 3, 9, 13, 26,
27, 30 and 32 have files of their own.
"""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.calendar import SHANGHAI
from shared.messages import transfer_uuid
from tests.system.bank_files import Line, camt053
from tests.system.edge_bank import (
    NANNING_INCOME,
    NEW_INCOME,
    another_account,
    at_hefei,
    run_of_hefei,
)
from tests.system.edge_people import GUILIN, NANNING, PEOPLE, ZHENGZHOU, first_rows, later_rows
from tests.system.stack import Stack, two_agree

GUILIN_INCOME = "4503010104000045301"
ON_TO_GUILIN = transfer_uuid("gx-hrss", "e12-6")
WAIT_S = 60

Row = Mapping[str, Any]


def paid(case: str, amount: str | None = None, **said: Any) -> Line:  # noqa: ANN401 as Line
    """A credit at Nanning with the reference of a transfer, unless told otherwise."""
    one = PEOPLE[case]
    return Line(f"E-{case}", amount or one.balance, **{"end_to_end": one.reference, **said})


def money_comes() -> list[Line]:
    lump = [PEOPLE["e6-lump-1"], PEOPLE["e6-lump-2"]]
    return [
        paid("e6-short", "300.00"),
        paid("e6-parts", "100.00"),
        Line("E-e6-rest", "262.06", end_to_end=PEOPLE["e6-parts"].reference),
        Line("E-lump", "727.12", listed=tuple((one.reference, one.balance) for one in lump)),
        paid("e8-homophone", end_to_end="", remark="欧阳明 个人账户转移"),
        paid("e8-twin-1", end_to_end="", remark="司马云 个人账户转移"),
        paid("e10", payer="合肥市医疗保障基金管理中心"),
        paid("e11-after"),
        paid("e11-spent"),
        paid("e12"),
        paid("e29-limit"),
    ]


@dataclass
class Played:
    """What was seen of the transfers before the money came, and after it."""

    stack: Stack
    folder: Path
    before: Mapping[str, Row]
    after: Mapping[str, Row]
    runs: Sequence[tuple[str, str]]

    def account(self, case: str, region: str = NANNING[1]) -> Mapping[str, str]:
        person = self.stack.ask("person", "-", text=PEOPLE[case].id_no)
        return next(dict(one) for one in person["accounts"] if one["region"] == region)

    def ended(self, case: str) -> tuple[str, str, str | None]:
        found = self.after[transfer_uuid("gx-hrss", f"{case}-3").hex]
        return found["record"], found["money"], found["reason"]

    def money(self, case: str) -> tuple[str, str, bool]:
        found = self.after[transfer_uuid("gx-hrss", f"{case}-3").hex]
        return found["money"], found["received"], found["closed"]


def transfers(stack: Stack) -> dict[str, Row]:
    return {row["transfer_id"].replace("-", ""): row for row in stack.ask("transfers")}


def statement(stack: Stack, path: Path, content: str | bytes) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    stack.ask("intake", "statement", str(path))


def the_books_stand_still(stack: Stack, folder: Path) -> None:
    """Settlement hears nothing while somebody moves: the record joins without it."""
    one = PEOPLE["e29-down"]
    pid = stack.processes()["settlement"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        stack.send(folder / "down.csv", one.rows)
        deadline = time.monotonic() + WAIT_S
        while (row := transfers(stack).get(one.reference)) is None or row["record"] != "joined":
            assert time.monotonic() < deadline, row
            time.sleep(0.2)
        assert (row["money"], row["advanced"]) == ("pending", "0.00")
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def played(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("edge")
    today = datetime.fromisoformat(stack.ask("clock")["now"]).astimezone(SHANGHAI).date()
    statement(stack, folder / "early.xml", camt053([paid("e7")], number="71", booked=today))
    stack.settle()
    stack.send(folder / "feed.csv", first_rows())
    the_books_stand_still(stack, folder)
    stack.settle()
    stack.send(folder / "later.csv", later_rows())
    stack.settle()
    before = transfers(stack)

    first = run_of_hefei(stack, today)
    statement(stack, folder / "h1.xml", at_hefei(1, "1000.00", today, "AC01"))
    stack.settle()
    another_account(stack, today + timedelta(days=1))
    second = run_of_hefei(stack, today + timedelta(days=1))
    statement(stack, folder / "h2.xml", at_hefei(2, "1000.00", today))
    money = camt053(money_comes(), opening="370.07", number="72", booked=today)
    statement(stack, folder / "nanning.xml", money)
    on = Line("E-on", "800.00", payer="南宁市社会医疗保险基金", end_to_end=ON_TO_GUILIN.hex)
    onward = camt053([on], account=GUILIN_INCOME, number="71", booked=today)
    statement(stack, folder / "guilin.xml", onward)
    stack.settle()
    return Played(stack, folder, before, transfers(stack), (first, second))


def test_1_cover_that_goes_on_is_not_left_and_nothing_is_advanced(played: Played) -> None:
    assert played.ended("e1") == ("refused", "none", "origin-not-stopped")
    assert played.account("e1", ZHENGZHOU[1])["balance"] == "310.01"


def test_2_of_two_destinations_one_gets_record_and_money(played: Played) -> None:
    ids = [transfer_uuid("gx-hrss", f"e2-{n}").hex for n in (3, 4)]

    found = sorted((played.after[one]["money"], played.after[one]["reason"]) for one in ids)

    assert found == [("advanced", None), ("none", "duplicate")]


def test_4_an_origin_that_refuses_keeps_the_money(played: Played) -> None:
    assert played.ended("e4") == ("refused", "none", "in_arrears")
    assert played.account("e4", ZHENGZHOU[1])["balance"] == "340.04"


def test_5_what_the_origins_feed_says_late_corrects_the_release(played: Played) -> None:
    stack, reference = played.stack, PEOPLE["e5-feed"].reference
    assert played.account("e5-spent")["balance"] == "255.05"
    assert played.after[reference]["advanced"] == "350.05"
    [waits] = [
        item
        for item in stack.ask("items", "--queue", "correction")
        if item["facts"]["transfer"].replace("-", "") == reference
    ]
    why = ("--item", waits["item"], "--reason", "evidence")
    stack.ask("propose", "enrollment.amend-record", *why, "--by", "chen")
    stack.ask("approve", waits["item"], "--by", "li")
    stack.settle()

    assert transfers(stack)[reference]["released"] == "340.05"
    assert played.account("e5-feed")["balance"] == "340.05"
    [decided] = stack.ask("transfer", waits["facts"]["transfer"])["items"]
    assert (decided["state"], decided["decided_by"]) == ("done", "li")


def test_6_what_comes_short_in_parts_or_in_a_lump_is_told_apart(played: Played) -> None:
    assert played.money("e6-short") == ("short", "300.00", False)
    assert played.account("e6-short")["unfunded"] == "61.06"
    assert played.money("e6-parts") == ("funded", "362.06", True)
    assert played.money("e6-lump-1") == ("funded", "363.06", True)
    assert played.money("e6-lump-2") == ("funded", "364.06", True)


def test_7_money_that_came_before_the_record_funds_it_at_once(played: Played) -> None:
    found = played.before[PEOPLE["e7"].reference]

    assert (found["money"], found["received"], found["closed"]) == ("funded", "370.07", True)


def transfer_of(case: str) -> str:
    return str(transfer_uuid("gx-hrss", f"{case}-3"))


def test_8_a_doubtful_name_asks_and_two_people_decide_and_undo_it(played: Played) -> None:
    stack = played.stack
    unmatched = stack.ask("receipts", "--state", "unmatched")
    asked = {}
    for case in ("e8-homophone", "e8-twin-1"):
        assert played.money(case) == ("advanced", "0.00", False)
        [asks] = [row for row in unmatched if row["amount"] == PEOPLE[case].balance]
        assert asks["verdict"] == "ambiguous"
        asked[case] = asks["receipt"]
        two_agree(stack, "match", asks["receipt"], transfer_of(case))
    two_agree(stack, "undo-match", asked["e8-twin-1"], transfer_of("e8-twin-1"))
    two_agree(stack, "match", asked["e8-twin-1"], transfer_of("e8-twin-2"))

    now = transfers(stack)
    money = {case: now[PEOPLE[case].reference]["money"] for case in PEOPLE if "e8" in case}
    assert money == {"e8-homophone": "funded", "e8-twin-1": "advanced", "e8-twin-2": "funded"}


def test_10_what_the_bank_returns_is_instructed_again_to_the_account_that_is_right(
    played: Played,
) -> None:
    told = played.stack.ask("transfer", transfer_of("e10"))["timeline"]
    names = [line["message"] for line in told]

    (first, old), (second, new) = played.runs
    assert first != second
    assert (NANNING_INCOME in old, NEW_INCOME in new) == (True, True)
    assert names.count("settlement.remittance-instructed.v1") == 2
    assert names.count("settlement.remittance-returned.v1") == 1
    assert played.money("e10") == ("funded", "410.10", True)


def test_11_who_dies_before_the_release_moves_no_money(played: Played) -> None:
    assert played.ended("e11-before") == ("withdrawn", "none", "deceased")
    assert played.account("e11-before", "130600")["balance"] == "0.00"


def test_11_who_dies_after_the_advance_leaves_it_to_the_heirs(played: Played) -> None:
    for case in ("e11-after", "e11-spent"):
        assert played.before[PEOPLE[case].reference]["money"] == "advanced"
        assert played.money(case) == ("funded", PEOPLE[case].balance, True)
        account = played.account(case)
        assert (account["balance"], account["unfunded"]) == ("0.00", "0.00")


def test_12_who_moves_on_takes_along_what_has_not_come_yet(played: Played) -> None:
    first, onward = PEOPLE["e12"].reference, ON_TO_GUILIN.hex

    assert [played.before[one]["money"] for one in (first, onward)] == ["advanced", "advanced"]
    assert [played.after[one]["money"] for one in (first, onward)] == ["funded", "funded"]
    assert [played.after[one]["advanced"] for one in (first, onward)] == ["812.12", "800.00"]
    assert played.account("e12", NANNING[1])["balance"] == "0.00"
    assert played.account("e12", GUILIN[1])["balance"] == "800.00"


def test_16_17_without_an_account_or_a_balance_the_record_moves_alone(played: Played) -> None:
    assert played.ended("e16") == ("joined", "none", None)
    assert played.account("e16", ZHENGZHOU[1])["balance"] == "416.16"
    assert played.ended("e17") == ("joined", "none", None)


def test_18_an_origin_that_pays_out_transfers_nothing(played: Played) -> None:
    found = played.after[PEOPLE["e18"].reference]

    assert (found["money"], found["paid_out"], found["advanced"]) == ("paid_out", "418.18", "0.00")
    assert played.account("e18", "340100")["balance"] == "0.00"


def test_25_a_held_account_leaves_when_two_people_let_it_go(played: Played) -> None:
    stack, one = played.stack, PEOPLE["e25"]
    opened, *moves = one.rows
    stack.send(played.folder / "e25-opens.csv", [opened])
    stack.settle()

    two_agree(stack, "freeze", ZHENGZHOU[1], "-", text=one.id_no)
    stack.send(played.folder / "e25-moves.csv", moves)
    stack.settle()
    waits = transfers(stack)[one.reference]
    held = played.account("e25", ZHENGZHOU[1])
    two_agree(stack, "unfreeze", ZHENGZHOU[1], "-", text=one.id_no)
    stack.ask("retry", waits["transfer_id"], "--reason", "the court has let it go")
    stack.settle()

    assert (waits["money"], waits["reason"]) == ("withheld", "account_frozen")
    assert (held["balance"], held["frozen"]) == (one.balance, "all")
    assert transfers(stack)[one.reference]["money"] == "advanced"


def test_29_above_the_limit_the_money_is_credited_when_it_comes(played: Played) -> None:
    before = played.before[PEOPLE["e29-limit"].reference]

    assert (before["money"], before["reason"]) == ("awaiting_funds", "single_limit")
    assert before["advanced"] == "0.00"
    assert played.money("e29-limit") == ("funded", "60000.29", True)
    assert played.account("e29-limit")["balance"] == "60000.29"


def test_29_books_that_stood_still_catch_up(played: Played) -> None:
    assert played.before[PEOPLE["e29-down"].reference]["money"] == "advanced"
    assert played.account("e29-down")["balance"] == "429.29"


def test_after_all_of_them_the_books_hold(played: Played) -> None:
    balance = played.stack.ask("trial-balance")

    assert balance["balanced"] is True
    assert {row["unexplained"] for row in balance["mirror"]} == {"0.00"}
    assert played.stack.ask("dead-letters", "list") == []
