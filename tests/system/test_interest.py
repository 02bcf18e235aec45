"""Edge case 26 by the command line: what an account has earned leaves with it, and is shown."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from shared.calendar import SHANGHAI
from shared.identity import make_id
from shared.settings import Settings
from tests.system.bank_files import Line, camt053
from tests.system.conftest import running
from tests.system.stack import Stack, mover
from tests.system.test_story import transfer_of

ID_NO, NAME = make_id("410102", date(1987, 3, 7), 26), "司徒生息"
RATE = """
[[interest]]
from = 2026-01-01
rate_bp = {bp}
settled_on = "06-20"
source = "a test"
"""


@pytest.fixture
def paying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack of which Zhengzhou pays 0.35 % a year and Nanning 0.20 %."""
    regions = tmp_path / "regions"
    shutil.copytree(Settings().regions, regions)
    for region, bp in (("410100", 35), ("450100", 20)):
        with (regions / f"{region}.toml").open("a", encoding="utf-8") as file:
            file.write(RATE.format(bp=bp))
    monkeypatch.setenv("JIEXU_REGIONS", str(regions))
    with running("jiexu-interest-") as stack:
        yield stack


def today(stack: Stack) -> date:
    return datetime.fromisoformat(stack.ask("clock")["now"]).astimezone(SHANGHAI).date()


def test_26_interest_until_the_release_leaves_as_a_line_of_its_own(
    paying: Stack, tmp_path: Path
) -> None:
    stack = paying
    stack.ask("clock", "set", "2026-03-03T09:00:00+08:00")
    opened, *moves = mover("e26", ID_NO, NAME, "4084.12")
    stack.send(tmp_path / "opened.csv", [opened])
    stack.settle()
    stack.ask("clock", "advance", "90d")
    stack.send(tmp_path / "moves.csv", moves)
    stack.settle()
    left_on = today(stack)

    transfer = transfer_of(stack, ID_NO)
    case = transfer["transfer_id"]
    explained = stack.ask("explain", case)["books"]
    [stretch] = explained["interest"][0]["stretches"]
    told = [line["text"] for line in stack.ask("transfer", case)["timeline"]]

    assert left_on == date(2026, 6, 1)
    assert (transfer["released"], transfer["advanced"]) == ("4087.69", "4087.69")
    assert (stretch["fen_days"], stretch["rate_bp"]) == (408412 * 90, 35)
    assert (explained["interest"][0]["fen"], explained["interest"][0]["agrees"]) == (
        "357.3605",
        True,
    )
    assert any("4084.12 yuan and 3.57 yuan of interest" in text for text in told)

    _two_people_find_three_fen_more(stack, case)
    _the_total_comes(stack, tmp_path, case, left_on)


def _the_total_comes(stack: Stack, folder: Path, case: str, left_on: date) -> None:
    paid = stack.ask("export", "remittances", "--region", "410100", "--date", left_on.isoformat())
    assert "4087.72" in paid["xml"]
    line = Line("R-26", "4087.72", end_to_end=case.replace("-", ""))
    (folder / "money.xml").write_text(camt053([line], booked=left_on))
    stack.ask("intake", "statement", str(folder / "money.xml"))
    stack.settle()
    funded = transfer_of(stack, ID_NO)
    assert (funded["money"], funded["received"], funded["closed"]) == ("funded", "4087.72", True)

    made_again, balance = stack.ask("audit", "books"), stack.ask("trial-balance")
    assert (made_again["holds"], made_again["interest"]) == (True, 0)
    assert balance["balanced"]
    assert {row["unexplained"] for row in balance["mirror"]} == {"0.00"}


def _two_people_find_three_fen_more(stack: Stack, case: str) -> None:
    fields = (f"transfer={case}", "to=410100", "interest=3.60")
    act = ("propose", "settlement.correct-interest", *fields, "--reason", "error")
    item = stack.ask(*act, "--by", "chen")["item"]
    stack.ask("approve", item, "--by", "li")
    stack.settle()

    assert transfer_of(stack, ID_NO)["advanced"] == "4087.72"
    [decided] = stack.ask("transfer", case)["items"]
    assert (decided["queue"], decided["state"]) == ("interest", "done")
