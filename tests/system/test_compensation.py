"""Going back, through the command line and real engines: edge cases 5, 6, 9, 13, 30 and 32."""

from datetime import date
from pathlib import Path
from typing import Any

from shared.identity import make_id
from shared.messages import record_uuid
from tests.system.bank_files import Line, camt053
from tests.system.stack import Stack, mover, two_agree

NAMES = {
    "reversed": "张伟",
    "corrected": "李娜",
    "given-up": "王芳",
    "too-much": "韦静雯",
}
PEOPLE = {
    name: make_id("410102", date(1988, 4, n + 1), 301 + 2 * n) for n, name in enumerate(NAMES)
}


def transfer_of(stack: Stack, name: str) -> dict[str, Any]:
    [found] = stack.ask("transfers", "--person", "-", text=PEOPLE[name])
    return dict(found)


def account_of(stack: Stack, name: str, region: str) -> dict[str, str]:
    accounts = stack.ask("person", "-", text=PEOPLE[name])["accounts"]
    return next(account for account in accounts if account["region"] == region)


def spent(name: str, amount: str) -> dict[str, str]:
    person = {"id_type": "01", "id_no": PEOPLE[name], "source": "gx-hrss", "region": "450100"}
    at = "2026-03-02T10:30:00+08:00"
    return {**person, "record_id": f"{name}-s", "action": "spend", "occurred_at": at} | {
        "amount": amount
    }


def too_much_comes(stack: Stack, tmp_path: Path, transfer: str) -> None:
    """Ten yuan more than was owed arrive, and two people send them back."""
    end_to_end = transfer.replace("-", "")
    statement = tmp_path / "statement.xml"
    statement.write_text(camt053([Line("R-X", "110.00", end_to_end=end_to_end)], number="9"))
    stack.ask("intake", "statement", str(statement))
    stack.settle()
    assert transfer_of(stack, "too-much")["money"] == "over"
    [receipt] = [r for r in stack.ask("receipts") if transfer in r["transfers"]]
    back = (f"transfer={transfer}", f"receipt={receipt['receipt']}")
    two_agree(stack, "propose", "settlement.return-receipt", *back, "--reason", "evidence")


def test_what_people_decide_goes_back_and_the_books_hold(stack: Stack, tmp_path: Path) -> None:
    rows = [row for name in NAMES for row in mover(name, PEOPLE[name], NAMES[name], "100.00")]
    stack.send(tmp_path / "feed.csv", rows)
    stack.settle()
    stack.send(tmp_path / "spent.csv", [spent("reversed", "30.00"), spent("corrected", "80.00")])
    stack.settle()
    transfers = {name: transfer_of(stack, name)["transfer_id"] for name in NAMES}

    # 13, 30: reversed by two people; what was spent stays claimed from the origin.
    two_agree(stack, "reverse", transfers["reversed"], "--reason", "court-order")
    found = transfer_of(stack, "reversed")
    assert (found["record"], found["money"], found["restored"]) == ("restored", "advanced", "70.00")
    assert account_of(stack, "reversed", "410100")["balance"] == "70.00"
    assert account_of(stack, "reversed", "450100")["unfunded"] == "30.00"

    # 5, 32: the origin's agency corrects what it released; what was spent of it is owed.
    meant = record_uuid("ha-hrss", "corrected-1")
    fields = (f"transfer={transfers['corrected']}", "to=410100", f"refers_to={meant}")
    amend = ("propose", "enrollment.amend-record", *fields, "balance=60.00")
    two_agree(stack, *amend, "--reason", "evidence")
    assert account_of(stack, "corrected", "450100")["recoverable"] == "20.00"

    # 9: what never comes is written off.
    lost = ("propose", "settlement.write-off", f"transfer={transfers['given-up']}")
    two_agree(stack, *lost, "--reason", "never-paid")
    found = transfer_of(stack, "given-up")
    assert (found["money"], found["written_off"]) == ("written_off", "100.00")

    # 6: what came in excess goes back to the origin.
    too_much_comes(stack, tmp_path, transfers["too-much"])
    assert transfer_of(stack, "too-much")["money"] == "funded"

    balance = stack.ask("trial-balance")
    assert balance["balanced"] is True
    assert {row["unexplained"] for row in balance["mirror"]} == {"0.00"}
