"""A month is closed on the sandbox's clock, through real Kafka: the views agree with the books, and
edge case 27, what is swept then is still somebody's.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from shared.calendar import SHANGHAI
from shared.identity import make_id
from shared.messages import transfer_uuid
from tests.system.bank_files import Line, camt053
from tests.system.conftest import running
from tests.system.stack import Stack, mover


@pytest.fixture(scope="module")
def own() -> Iterator[Stack]:
    """A clock that goes on for weeks is nobody else's."""
    with running("jiexu-month-") as stack:
        yield stack


def test_a_month_is_closed_and_its_views_agree_with_the_books(own: Stack, tmp_path: Path) -> None:
    id_no = make_id("410102", date(1990, 3, 7), 77)
    own.send(tmp_path / "feed.csv", mover("month", id_no, "张伟", "4084.12"))
    own.settle()
    now = datetime.fromisoformat(own.ask("clock")["now"]).astimezone(SHANGHAI)
    month, today = f"{now:%Y-%m}", now.date()
    following = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    statement = tmp_path / "statement.xml"
    line = Line("R-month", "4084.12", payer="郑州市医疗保障中心", remark="张伟 个人账户转移")
    early = Line("R-early", "500.00", end_to_end=transfer_uuid("gx-hrss", "early-3").hex)
    statement.write_text(camt053([line, early], booked=today))
    own.ask("intake", "statement", str(statement))
    own.settle()

    own.ask("clock", "set", f"{following}T00:00:00+08:00", timeout=300)
    own.settle()

    days = {row["region"]: row for row in own.ask("days")}
    assert days["450100"]["closed_on"] == days["450100"]["balanced_on"] == today.isoformat()
    statutory = own.ask("statutory", "--region", "450100", "--month", month)
    assert statutory["balanced"] is True
    lines = {line["line"]: line["amount"] for line in statutory["income"]}
    assert lines["transfer_income"] == "4084.12"
    report = own.ask("report", "--month", month, "--xlsx", str(tmp_path / "month.xlsx"))
    region = next(row for row in report["regions"] if row["region"] == "450100")
    assert (region["money_in"], region["advanced"]) == ("4084.12", "4084.12")
    assert "income_not_swept" in region["warnings"]
    then, at_the_end = own.ask("trial-balance"), own.ask("trial-balance", "--date", str(today))
    assert (then["balanced"], at_the_end["balanced"]) == (True, True)
    assert at_the_end["regions"] == then["regions"]
    made_again = own.ask("audit", "books")
    assert made_again["holds"] is True
    assert made_again["messages"]["entries"] == made_again["entries"] > 0


def test_27_what_was_swept_before_its_transfer_came_still_funds_it(
    own: Stack, tmp_path: Path
) -> None:
    """Goes on from the month above, in whose statement 500.00 came for nobody yet."""
    now = datetime.fromisoformat(own.ask("clock")["now"]).astimezone(SHANGHAI)
    last = now.date() - timedelta(days=1)
    month = f"{last:%Y-%m}"
    about = ("--region", "450100", "--month", month)
    told = tmp_path / "sweep.xml"

    too_early = own.run("export", "sweep", *about, "--out", str(told))
    assert too_early.document["code"] == "month_not_closed"
    own.ask("close-day", "--region", "450100", "--date", last.isoformat())
    own.settle()
    own.ask("export", "sweep", *about, "--out", str(told))
    name = f"450100-{month.replace('-', '')}-S"
    assert name in told.read_text()
    swept = Line("R-sweep", "4584.12", payer="", end_to_end=name, debit=True)
    statement = tmp_path / "swept.xml"
    statement.write_text(camt053([swept], opening="4584.12", number="2", booked=now.date()))
    own.ask("intake", "statement", str(statement))
    own.settle()
    id_no = make_id("410102", date(1988, 5, 9), 78)
    own.send(tmp_path / "early.csv", mover("early", id_no, "李娜", "500.00"))
    own.settle()

    [one] = [row for row in own.ask("transfers") if row["released"] == "500.00"]
    assert (one["record"], one["money"], one["received"]) == ("joined", "funded", "500.00")
    balance = own.ask("trial-balance")
    accounts = {row["account"]: row["balance"] for row in balance["regions"]["450100"]}
    assert balance["balanced"] is True
    assert accounts.get("suspense", "0.00") == "0.00"
    assert (accounts["bank:income"], accounts["bank:fiscal"]) == ("0.00", "4584.12")
