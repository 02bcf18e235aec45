"""A month is closed on the sandbox's clock, through real Kafka: the views agree with the books."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from shared.calendar import SHANGHAI
from shared.identity import make_id
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
    statement.write_text(camt053([line], booked=today))
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
