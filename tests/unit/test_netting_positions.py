"""One payment a region: paid, in parts, too much, rejected, come back."""

from shared.messages.settlement_bank import ReportRemittance
from shared.messages.settlement_netting import PositionPaid
from shared.messages.settlement_people import ItemOpened
from tests.unit.netting_bank import credit, debit
from tests.unit.netting_world import (
    APRIL,
    CITIES,
    FINAL,
    GUANGXI,
    GUILIN,
    LIUZHOU,
    NANNING,
    OPENING_FEN,
    Province,
)
from tests.unit.settlement_world import only


def test_a_region_pays_or_is_paid_once_and_every_clearing_account_is_zero() -> None:
    province = Province()
    for number, (o, d) in enumerate([(GUILIN, NANNING), (LIUZHOU, NANNING), (NANNING, GUILIN)]):
        province.move(number, o, d)
    province.go_to(FINAL)
    # Nanning is owed by both and owes Guilin: it is paid once, by the province.
    nets = {one.region: one.receivable_fen - one.payable_fen for one in province.owed(APRIL)}
    assert nets == {LIUZHOU: -OPENING_FEN - 1, GUILIN: 2, NANNING: OPENING_FEN - 1}

    province.pay_all()

    assert set(province.clearing(APRIL).values()) == {0}
    assert province.window(APRIL).state == "paid"
    for code in (*CITIES, GUANGXI):
        assert province.account(code, "suspense") == 0
        assert province.account(code, "remitting") == 0


def test_a_position_paid_in_two_parts_is_paid_with_the_second() -> None:
    province = Province()
    province.move(1, GUILIN, NANNING)
    province.go_to(FINAL)
    [owed, _] = province.owed(APRIL)

    first = province.pay(owed, 40_000)
    second = province.pay(province.owed(APRIL)[0])

    assert not [m for m in first if isinstance(m, PositionPaid)]
    assert only(PositionPaid, second).amount_fen == OPENING_FEN + 1
    assert province.clearing(APRIL)[GUANGXI] == -OPENING_FEN - 1


def test_what_comes_beyond_a_position_stays_in_suspense() -> None:
    province = Province()
    province.move(1, GUILIN, NANNING)
    province.go_to(FINAL)
    [owed, _] = province.owed(APRIL)

    over = credit(GUANGXI, "over", owed.amount_fen + 7, owed.reference, GUILIN)
    said = province.send(over)

    assert only(ItemOpened, said).amount_fen == 7
    assert province.account(GUANGXI, "suspense") == 7
    assert province.clearing(APRIL)[GUANGXI] == -owed.amount_fen


def test_a_position_that_comes_back_is_owed_again() -> None:
    province = Province()
    province.move(1, GUILIN, NANNING)
    province.go_to(FINAL)
    [owed, _] = province.owed(APRIL)
    fen = province.send_off(owed)
    returned = credit(GUILIN, "back", fen, owed.reference)

    province.send(returned.model_copy(update={"bank": "expense"}))

    assert province.account(GUILIN, "suspense") == 0
    assert province.clearing(APRIL)[GUILIN] == -fen
    assert province.owed(APRIL)[0].instructed_fen == 0
    province.pay_all()
    assert set(province.clearing(APRIL).values()) == {0}


def test_a_position_that_the_bank_rejects_is_owed_again_once() -> None:
    province = Province()
    province.move(1, GUILIN, NANNING)
    province.go_to(FINAL)
    [owed, _] = province.owed(APRIL)
    province.instruct(owed)
    report = {
        "to": GUILIN,
        "person": owed.window,
        "transfer": owed.reference,
        "run": "run 1",
        "status": "rejected",
        "code": "AC04",
        "destination": GUANGXI,
    }

    for _ in range(2):
        province.send(ReportRemittance.model_validate(report))

    assert province.account(GUILIN, "remitting") == 0
    assert province.clearing(APRIL)[GUILIN] == -owed.amount_fen
    province.pay_all()
    assert set(province.clearing(APRIL).values()) == {0}


def test_a_debit_that_nobody_instructed_is_no_position() -> None:
    province = Province()
    province.move(1, GUILIN, NANNING)
    province.go_to(FINAL)

    province.send(debit(GUILIN, "d", 5, province.owed(APRIL)[0].reference))

    assert province.account(GUILIN, "unexplained") == 5
