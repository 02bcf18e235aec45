"""The bank's truth: what it does beside paying, and that no difference of a fen is overlooked."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from deploy.sandbox import replies, truth
from deploy.sandbox.bank import Bank
from deploy.sandbox.bank_books import Due
from deploy.sandbox.fates import Fate, Temper
from deploy.sandbox.instructions import payments
from services.settlement import statements
from services.settlement.bank_commands import OwnAccount, entries_of
from shared.money import yuan
from tests.schemas.published import faults
from tests.unit.test_lines import a_line, a_statement
from tests.unit.test_sandbox_bank import (
    CALENDAR,
    DAY,
    REGIONS,
    accounts,
    bank,
    instruction,
    moved,
    transfer,
    weeks,
)

Rows = list[dict[str, Any]]


class Told(NamedTuple):
    """A truth, and what the books say."""

    truth: truth.Truth
    sides: Rows
    parts: Rows
    balances: dict[str, Rows]


def sent(one: Bank, days: int = 12) -> list[bytes]:
    worked = (CALENDAR.add_working_days(DAY, n) for n in range(days))
    return [path.read_bytes() for day in worked for path in one.work(day)]


def test_a_rejected_payment_is_never_made_and_is_told_in_a_status_report(tmp_path: Path) -> None:
    one = bank(tmp_path, p0=Fate("rejected", 1, "reference"))
    one.take(instruction(100, 200), DAY)

    files = sent(one)

    reports = [r for file in files for r in statements.read(file)[1]]
    assert [(r.run, r.reference, r.status, r.code) for r in reports] == [
        ("R1", transfer(0).hex, "rejected", "AC04")
    ]
    assert truth.read(tmp_path, REGIONS).debited == Counter({transfer(1).hex: 200})


def test_a_credit_is_taken_back_by_its_own_reference_and_the_payer_has_it_again(
    tmp_path: Path,
) -> None:
    one = bank(tmp_path, p0=Fate("taken-back", 1, "reference"))
    one.take(instruction(100), DAY)

    found = weeks(one, 6)

    expense, income = accounts()
    assert (moved(found, expense), moved(found, income)) == ([-100, 100], [100, -100])
    for account in (expense, income):
        first, second = (line for s in found if s.account == account for line in s.lines)
        assert (first.reversal, second.reversal) == (False, True)
        assert first.reference == second.reference
    told = truth.read(tmp_path, REGIONS)
    assert (told.debited[transfer(0).hex], told.back[transfer(0).hex]) == (100, 100)


def test_a_debit_is_reversed_by_its_own_reference(tmp_path: Path) -> None:
    one = bank(tmp_path, p0=Fate("reversed", 1, "reference"))
    one.take(instruction(100), DAY)

    found = weeks(one, 6)

    expense, income = accounts()
    lines = [line for s in found if s.account == expense for line in s.lines]
    assert [(line.credit, line.reversal) for line in lines] == [(False, False), (True, True)]
    assert lines[0].reference == lines[1].reference
    assert moved(found, income) == []


def test_half_of_what_comes_back_is_announced_before(tmp_path: Path) -> None:
    orders = {transfer(i).hex: Fate("returned", 2, "reference") for i in range(40)}
    one = Bank(tmp_path, REGIONS, Temper(5, orders=orders))
    one.take(instruction(*[100] * 40), DAY)

    files = sent(one)

    announced = [r.reference for file in files for r in statements.read(file)[1]]
    assert 10 < len(announced) < 30
    assert len(set(announced)) == len(announced)
    assert truth.read(tmp_path, REGIONS).announced == Counter(dict.fromkeys(announced, 100))


def test_statements_come_twice_late_and_after_notices_and_none_is_lost(tmp_path: Path) -> None:
    one = Bank(tmp_path, REGIONS, Temper(9))
    amounts = range(1_000, 7_000, 50)
    one.take(instruction(*amounts), DAY)

    files = [*sent(one, 60), *(path.read_bytes() for path in one.rest())]

    read = [s for file in files for s in statements.read(file)[0]]
    own = [s for s in read if s.kind == "camt.053"]
    notices = [s for s in read if s.kind == "camt.054"]
    names = [s.id for s in own]
    by_account: dict[str, list[int]] = {}
    for statement in own:
        by_account.setdefault(statement.account, []).append(statement.number)
    assert notices
    assert len(names) > len(set(names)), "some came twice"
    assert any(numbers != sorted(numbers) for numbers in by_account.values()), "some came late"
    for numbers in by_account.values():
        assert set(numbers) == set(range(1, max(numbers) + 1))


def test_what_the_bank_says_is_as_published(tmp_path: Path) -> None:
    one = bank(tmp_path, p0=Fate("reversed", 0, "reference"), p1=Fate("rejected", 0, "reference"))
    one.take(instruction(100, 200), DAY)

    for file in sent(one):
        kind = "pain.002.001.10" if b"pain.002" in file else "camt.053.001.08"
        assert faults(kind.replace("002.001.10", "002.001.12"), _as_12(file)) == []


def _as_12(file: bytes) -> bytes:
    """No package carries version 10; in what is used here they are alike."""
    return file.replace(b"pain.002.001.10", b"pain.002.001.12")


def test_a_return_is_read_as_it_is_written() -> None:
    (payment,) = payments(instruction(100))
    due = Due(payment, Fate("returned", 1, "reference"), "announce", 100)

    ((report,),) = (statements.read(replies.return_of("N1", DAY, due, "AC03"))[1],)

    assert (report.reference, report.amount_fen, report.code) == (transfer(0).hex, 100, "AC03")


@pytest.mark.parametrize("reversal", [False, True])
def test_an_entry_is_found_in_the_books_by_the_id_it_has_there(*, reversal: bool) -> None:
    line = a_line(reversal=reversal)
    (entry,) = entries_of(OwnAccount("450100", "income"), a_statement(line), [line])

    assert truth.receipt_of("450100", "income", "R1", reversal=reversal) == str(entry.receipt)


# --- the check ------------------------------------------------------------------------------------


def told(folder: Path) -> Told:
    """A truth, and books that agree with it."""
    one = bank(folder, p0=Fate("none", 1, "reference"), p1=Fate("returned", 1, "reference"))
    one.take(instruction(100, 200, 300, first=0), DAY)
    for n in range(6):
        one.work(CALENDAR.add_working_days(DAY, n))
    found = truth.read(folder, REGIONS)
    zero = dict.fromkeys(
        ("remitting", "debited", "returned", "overpaid", "returning", "matched"), 0
    )
    side = [
        {**zero, "debited": 100, "matched": 100},
        {**zero, "debited": 200, "returned": 200},
        {**zero, "debited": 300, "matched": 300},
    ]
    sides = [
        {"transfer": str(transfer(i)), "origin": "410100", "destination": "450100"}
        | {name: yuan(fen) for name, fen in row.items()}
        for i, row in enumerate(side)
    ]
    parts = [
        {
            "receipt": receipt,
            "part": part,
            "amount": yuan(fen),
            "applied": yuan(fen if fen != 200 else 0),
            "reserved": "0.00",
            "transfers": [str(UUID(true))],
        }
        for (receipt, part), (true, fen) in found.parts.items()
    ]
    balances = {
        region: [{"account": f"bank:{kind}", "balance": yuan(fen)}]
        for (region, kind), fen in found.balances.items()
    }
    return Told(found, sides, parts, balances)


def differences(it: Told) -> list[str]:
    return [
        *truth.of_parts(it.truth, it.parts),
        *truth.of_transfers(it.truth, it.sides, it.parts, {}),
        *truth.of_accounts(it.truth, it.balances, it.sides, {}),
    ]


def test_books_that_agree_with_the_truth_show_no_difference(tmp_path: Path) -> None:
    assert differences(told(tmp_path)) == []


Damage = Callable[[Told], object]
DAMAGES: dict[str, Damage] = {
    "a fen too much matched": lambda it: it.sides[0].update(matched="1.01"),
    "a fen less matched": lambda it: it.sides[2].update(matched="2.99"),
    "a debit that is not known": lambda it: it.sides[1].update(debited="0.00"),
    "still in transit": lambda it: it.sides[0].update(remitting="0.01"),
    "on its way back": lambda it: it.sides[1].update(returning="2.00"),
    "a receipt that is missing": lambda it: it.parts.pop(),
    "a receipt of a fen more": lambda it: it.parts[0].update(amount="9.99"),
    "another's money": lambda it: [one.update(transfers=[str(transfer(9))]) for one in it.parts],
    "a receipt that never was": lambda it: it.parts.append({**it.parts[0], "part": 7}),
    "a transfer that is missing": lambda it: it.sides.pop(),
    "the bank account": lambda it: it.balances["450100"][0].update(balance="0.00"),
    "suspense": lambda it: it.balances["450100"].append({"account": "suspense", "balance": "0.01"}),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_every_difference_is_found(tmp_path: Path, damage: Damage) -> None:
    it = told(tmp_path)

    damage(it)

    assert differences(it)


def test_the_payment_of_a_net_position_is_of_no_transfer_and_is_compared_too(
    tmp_path: Path,
) -> None:
    it = told(tmp_path)
    net = it.sides.pop(0)
    reference = UUID(net["transfer"]).hex
    sheet = {"province": "450000", "positions": [
        {"reference": reference, "region": "450100", "gets": "1.00", "arrived": "1.00"},
        {"reference": None, "region": "450300", "gets": "0.00", "arrived": "0.00"},
    ]}  # fmt: skip

    nets = truth.positions([sheet])

    assert nets == {reference: ("450100", 100)}
    assert not list(truth.of_transfers(it.truth, it.sides, it.parts, nets))
    assert not list(truth.of_accounts(it.truth, it.balances, it.sides, nets))
    assert list(truth.of_transfers(it.truth, it.sides, it.parts, {reference: ("450100", 99)}))


def test_money_of_nobody_is_in_suspense(tmp_path: Path) -> None:
    one = Bank(tmp_path, REGIONS, Temper(3))
    for n in range(30):
        one.work(CALENDAR.add_working_days(date(2026, 3, 2), n))
    found = truth.read(tmp_path, REGIONS)

    books = {
        region: [{"account": "suspense", "balance": yuan(fen)}]
        for region, fen in found.credited.items()
    }

    assert found.arrived[""] == sum(found.credited.values()) > 0
    assert not [d for d in truth.of_accounts(found, books, [], {}) if "suspense" in d]
