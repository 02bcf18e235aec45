"""The stand-in bank: what it is told to pay it pays, as its fates say, and its books chain."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from deploy.sandbox import fates
from deploy.sandbox.bank import Bank
from deploy.sandbox.fates import Fate, Temper
from deploy.sandbox.instructions import payments
from services.settlement import camt, pain
from services.settlement.lines import Statement, check_balances
from shared import regions
from shared.calendar import WorkingCalendar

REGIONS = regions.load(Path(__file__).parents[2] / "deploy" / "regions")
DAY = date(2026, 3, 2)
ZHENGZHOU, NANNING, HEFEI = (REGIONS.get(code) for code in ("410100", "450100", "340100"))
SPACE = UUID("00000000-0000-0000-0000-000000000001")
CALENDAR = WorkingCalendar()


def transfer(index: int) -> UUID:
    return uuid5(SPACE, str(index))


def instruction(*amounts_fen: int, run: str = "R1", first: int = 0, name: str = "张伟") -> bytes:
    """What Zhengzhou tells its bank to pay to Nanning."""
    assert ZHENGZHOU is not None
    assert NANNING is not None
    dues = [pain.Due(transfer(first + i), "450100", fen, name) for i, fen in enumerate(amounts_fen)]
    created = datetime(2026, 3, 2, 18, tzinfo=UTC)
    header = pain.Run(run, "410100", DAY, lump=False, created_at=created)
    return pain.document(header, ZHENGZHOU, {"450100": NANNING}, dues)


def bank(folder: Path, **orders: Fate) -> Bank:
    """A bank that is ordered what to do with the payments 0, 1, … by the names p0, p1, …"""
    by_reference = {transfer(int(name[1:])).hex: fate for name, fate in orders.items()}
    return Bank(folder, REGIONS, Temper(1, realistic=False, orders=by_reference))


def statements(paths: Sequence[Path]) -> list[Statement]:
    """What comes is sent twice, late or with notices before: the statements, each once."""
    own = dict.fromkeys(path for path in paths if path.name.partition("-S")[1])
    return [one for path in own for one in camt.read(path.read_text("utf-8"))]


def weeks(one: Bank, days: int = 95) -> list[Statement]:
    """All statements of so many working days."""
    worked = (CALENDAR.add_working_days(DAY, n) for n in range(days))
    return [found for day in worked for found in statements(one.work(day))]


def moved(found: Sequence[Statement], account: str) -> list[int]:
    """The amounts of an account's entries, money out below zero."""
    lines = (line for one in found if one.account == account for line in one.lines)
    return [line.amount_fen if line.credit else -line.amount_fen for line in lines]


def accounts() -> tuple[str, str]:
    assert ZHENGZHOU is not None
    assert NANNING is not None
    return ZHENGZHOU.bank.expense_account, NANNING.bank.income_account


def test_an_instruction_is_read_as_it_was_written() -> None:
    found = payments(instruction(408_412, 100, name="欧阳锋"))

    expense, income = accounts()
    assert [(one.reference, one.amount_fen) for one in found] == [
        (transfer(0).hex, 408_412),
        (transfer(1).hex, 100),
    ]
    assert {(one.message, one.debtor_account, one.creditor_account) for one in found} == {
        ("R1", expense, income)
    }
    assert fates.name_in(found[0].remark, found[0].reference) == "欧阳锋"


def test_a_prompt_bank_pays_each_exactly_and_at_once(tmp_path: Path) -> None:
    one = bank(tmp_path)

    taken = one.take(instruction(408_412, 100), DAY)
    found = statements(one.work(DAY))

    expense, income = accounts()
    assert taken == 2
    assert sorted(moved(found, income)) == [100, 408_412]
    assert sorted(moved(found, expense)) == [-408_412, -100]
    references = {
        ref for s in found for line in s.lines for p in line.payments for ref in p.references
    }
    assert references == {transfer(0), transfer(1)}


def test_the_same_file_is_taken_once(tmp_path: Path) -> None:
    one = bank(tmp_path)
    one.take(instruction(100), DAY)

    again = one.take(instruction(100), DAY)

    assert again == 0
    assert one.pending() == 1


@pytest.mark.parametrize(
    ("trouble", "total", "entries"),
    [
        ("none", 10_000, 1),
        ("duplicate", 20_000, 2),
        ("never", 0, 0),
        ("returned", 0, 0),
    ],
)
def test_trouble_decides_what_arrives(
    tmp_path: Path, trouble: str, total: int, entries: int
) -> None:
    one = bank(tmp_path, p0=Fate(trouble, 5, "reference"))
    one.take(instruction(10_000), DAY)

    found = moved(weeks(one), accounts()[1])

    assert (sum(found), len(found)) == (total, entries)


def test_short_is_less_over_is_more_and_parts_make_the_whole(tmp_path: Path) -> None:
    orders = {f"p{i}": Fate(t, 3, "reference") for i, t in enumerate(("short", "over", "partial"))}
    one = bank(tmp_path, **orders)
    one.take(instruction(10_000, 10_000, 10_000), DAY)

    arrived: dict[UUID, list[int]] = defaultdict(list)
    for line in (line for s in weeks(one) if s.account == accounts()[1] for line in s.lines):
        arrived[line.payments[0].references[0]].append(line.amount_fen)

    assert 0 < sum(arrived[transfer(0)]) < 10_000
    assert sum(arrived[transfer(1)]) > 10_000
    assert sum(arrived[transfer(2)]) == 10_000
    assert len(arrived[transfer(2)]) in (2, 3)


def test_what_is_returned_comes_back_with_a_reason_and_is_paid_at_the_second_try(
    tmp_path: Path,
) -> None:
    one = bank(tmp_path, p0=Fate("returned", 2, "reference"))
    one.take(instruction(10_000), DAY)
    expense, income = accounts()

    first = weeks(one, 10)
    one.take(instruction(10_000, run="R2"), DAY)
    second = weeks(one, 10)

    returns = [line for s in first if s.account == expense for line in s.lines if line.credit]
    assert [(line.amount_fen, line.payments[0].return_code) for line in returns] == [
        (10_000, "AC03")
    ]
    assert moved(first, expense) == [-10_000, 10_000]
    assert moved(second, income) == [10_000]


def test_lumps_of_a_week_arrive_as_one_entry_with_its_list(tmp_path: Path) -> None:
    orders = {f"p{i}": Fate("lump", i, "reference") for i in range(3)}
    one = bank(tmp_path, **orders)
    one.take(instruction(100, 200, 300), DAY)

    found = [line for s in weeks(one, 10) if s.account == accounts()[1] for line in s.lines]

    assert [line.amount_fen for line in found] == [600]
    assert sorted(part.amount_fen or 0 for part in found[0].payments) == [100, 200, 300]
    assert found[0].booked_on == date(2026, 3, 6)


@pytest.mark.parametrize("writing", fates.WRITINGS)
def test_what_is_written_is_as_the_fate_says(tmp_path: Path, writing: str) -> None:
    one = bank(tmp_path, p0=Fate("none", 1, writing))
    one.take(instruction(100, name="王秀英"), DAY)

    found = [line for s in weeks(one, 5) if s.account == accounts()[1] for line in s.lines]
    payment = found[0].payments[0]

    assert (payment.references == (transfer(0),)) == (writing in ("reference", "remark"))
    shown = {"name": "王秀英", "pinyin": "WANG XIU YING", "typo": "王秀瑛", "damaged": "王秀?"}
    assert shown.get(writing, "") in payment.remark
    assert ("王秀英" in payment.remark) == (writing in ("reference", "remark", "name"))


def test_balances_lead_from_one_statement_to_the_next(tmp_path: Path) -> None:
    one = Bank(tmp_path, REGIONS, Temper(7))
    one.take(instruction(*range(1_000, 5_000, 50)), DAY)

    found = weeks(one)

    closing: dict[str, int] = {}
    for statement in sorted(found, key=lambda one: one.id):
        check_balances(statement, statement.lines)
        assert statement.opening_fen == closing.get(statement.account, statement.opening_fen)
        assert statement.closing_fen is not None
        closing[statement.account] = statement.closing_fen
    assert len(found) > 20


def test_a_bank_goes_on_where_it_stopped(tmp_path: Path) -> None:
    amounts = range(1_000, 3_000, 50)
    whole = Bank(tmp_path / "whole", REGIONS, Temper(7))
    whole.take(instruction(*amounts), DAY)
    expected = weeks(whole, 30)

    found: list[Statement] = []
    Bank(tmp_path / "parts", REGIONS, Temper(7)).take(instruction(*amounts), DAY)
    for n in range(30):
        stopped = Bank(tmp_path / "parts", REGIONS, Temper(7))
        found += statements(stopped.work(CALENDAR.add_working_days(DAY, n)))

    assert found == expected


def test_the_truth_says_what_was_done_with_each_payment(tmp_path: Path) -> None:
    one = bank(tmp_path, p0=Fate("short", 3, "nothing"))
    one.take(instruction(10_000, 500), DAY)
    weeks(one, 6)

    told = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text("utf-8").splitlines()]

    short = [row for row in told if row.get("reference") == transfer(0).hex]
    assert [row["what"] for row in short] == ["taken", "pay"]
    assert short[1]["trouble"] == "short"
    assert short[1]["fen"] < short[1]["instructed_fen"] == 10_000


def test_delays_are_as_people_report_them() -> None:
    temper = Temper(11)

    days = [temper.fate(transfer(i).hex, 1).days for i in range(4000)]

    shares = [
        sum(d is not None and first <= d <= last for d in days) / len(days)
        for first, last in ((1, 15), (16, 45), (46, 90))
    ]
    assert shares == pytest.approx([0.60, 0.30, 0.08], abs=0.03)
    assert 0.01 < days.count(None) / len(days) < 0.03


def test_orders_are_read_as_they_were_written(tmp_path: Path) -> None:
    late, never = Fate("lump", 4, "name"), Fate("never", None, "reference")
    fates.write_orders(tmp_path / "bank.csv", [("gx-hrss", "1", late), ("gx-hrss", "2", never)])

    assert set(fates.read_orders(tmp_path / "bank.csv").values()) == {late, never}


def test_an_order_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bank.csv"
    path.write_text("source,record_id,trouble,days,writing\ngx-hrss,1,lost,3,name\n", "utf-8")

    with pytest.raises(ValueError, match="lost"):
        fates.read_orders(path)
