"""Monthly multilateral netting: windows, lines, disputes, final postings, one payment a region."""

from collections import deque

import pytest

from services.settlement.netting import windows
from services.settlement.netting.states import Answer, Line
from shared.calendar import shanghai_day
from shared.messages.settlement import AdvanceFunded, FundsCredited
from shared.messages.settlement_netting import (
    ConfirmSheet,
    LineConfirmed,
    LineDisputed,
    PostLines,
    SheetFinal,
    SheetPublished,
)
from tests.unit import netting_world
from tests.unit.netting_bank import credit, debit
from tests.unit.netting_world import (
    APRIL,
    FINAL,
    GUANGXI,
    GUILIN,
    LIUZHOU,
    NANNING,
    OPENING_FEN,
    PUBLISHED,
    Province,
    day,
    person,
)
from tests.unit.settlement_world import only

MAY = APRIL + 1


def test_what_both_sides_have_enters_the_sheet_of_its_month() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)

    line = province.line(transfer)

    assert (line.month, line.entered, line.agreed_fen) == (APRIL, APRIL, OPENING_FEN + 1)


def test_what_was_released_before_the_day_of_netting_is_remitted() -> None:
    province = Province(day=day(3, 31))
    transfer = province.move(1, GUILIN, NANNING)

    assert province.all(Line) == []
    assert province.claim(transfer, person(1)).clearing is None
    assert province.release(transfer, person(1)).clearing is None


def test_the_first_money_decides_how_a_transfer_is_settled_and_not_the_first_question() -> None:
    empty = Province(day=day(3, 31))
    zero = empty.move(-OPENING_FEN, GUILIN, NANNING)  # nothing is there to release
    assert empty.release(zero, person(-OPENING_FEN)).code == "zero_balance"
    empty.go_to(day(4, 2))

    empty.contribute(-OPENING_FEN, 70)

    assert empty.release(zero, person(-OPENING_FEN)).clearing == GUANGXI
    assert empty.line(zero).entered == APRIL


def test_a_line_of_one_side_is_in_no_sheet_until_the_other_has_it() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING, tell=False)
    assert province.line(transfer).entered is None
    province.move(2, GUILIN, LIUZHOU)  # tells of both

    assert province.line(transfer).entered == APRIL


def test_a_line_heard_of_after_the_close_rolls_over_on_both_sides() -> None:
    province = Province()
    province.move(1, GUILIN, NANNING)
    transfer = province.move(2, GUILIN, LIUZHOU, tell=False)
    province.go_to(PUBLISHED)

    province.tell()

    line = province.line(transfer)
    assert (line.month, line.entered) == (APRIL, MAY)


def test_between_month_end_and_the_fifth_two_windows_are_open() -> None:
    province = Province()
    april = province.move(1, GUILIN, NANNING, tell=False)
    province.go_to(day(5, 3))
    may = province.move(2, GUILIN, NANNING)

    assert (province.line(april).entered, province.line(may).entered) == (APRIL, MAY)


def test_the_sheet_is_out_by_the_fifth_and_final_after_the_days_to_answer() -> None:
    province = Province()
    province.move(1, GUILIN, NANNING)

    published = only(SheetPublished, province.go_to(PUBLISHED))
    final = only(SheetFinal, province.go_to(FINAL))

    # Working days after 5 May: 6, 7, 8, the Saturday 9 that makes up for the holiday, and 11.
    assert shanghai_day(published.answer_by).isoformat() == "2026-05-12"
    assert published.positions == final.positions
    assert [(p.region, p.receivable_fen - p.payable_fen) for p in final.positions] == [
        (NANNING, OPENING_FEN + 1),
        (GUILIN, -OPENING_FEN - 1),
    ]


def test_a_final_line_funds_the_transfer_and_owes_the_province() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)

    said = province.go_to(FINAL)

    funded = only(AdvanceFunded, said)
    assert (funded.transfer, funded.matched_fen) == (transfer, OPENING_FEN + 1)
    fen = OPENING_FEN + 1
    assert province.clearing(APRIL) == {NANNING: fen, GUILIN: -fen, LIUZHOU: 0, GUANGXI: 0}
    assert province.account(GUILIN, f"payable:{NANNING}") == 0
    assert province.account(NANNING, f"advance:{GUILIN}") == 0


def test_what_was_only_announced_is_credited_by_the_sheet() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING, tell=False)
    [announced] = province.late
    province.late.clear()
    province.send(announced.model_copy(update={"advance": False}))

    said = province.go_to(FINAL)

    assert only(FundsCredited, said).transfer == transfer
    assert province.balance(NANNING, person(1)) == OPENING_FEN + 1
    assert province.account(NANNING, f"awaited:{GUILIN}") == 0


def test_a_disputed_line_leaves_on_both_sides_and_the_rest_is_final() -> None:
    province = Province()
    disputed, rest = (province.move(n, GUILIN, NANNING) for n in (1, 2))
    province.go_to(PUBLISHED)

    said = province.answer(province.line(disputed), GUILIN, agrees=False)
    final = only(SheetFinal, province.go_to(FINAL))

    assert only(LineDisputed, said).month == APRIL
    assert final.lines == 1
    assert province.line(rest).settled
    assert province.line(disputed).entered is None
    assert province.claim(disputed, person(1)).open_fen == OPENING_FEN + 1

    province.answer(province.line(disputed), NANNING, agrees=True)
    assert province.line(disputed).entered is None, "whose dispute it is takes it back"
    province.answer(province.line(disputed), GUILIN, agrees=True)
    assert province.line(disputed).entered == MAY


def test_an_answer_after_the_deadline_changes_nothing() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)
    province.go_to(FINAL)

    assert province.answer(province.line(transfer), NANNING, agrees=False) == []
    assert province.line(transfer).entered == APRIL


def test_more_of_the_origin_after_the_close_is_a_line_of_the_next_sheet() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)
    province.go_to(PUBLISHED)

    province.contribute(1, 500)

    assert province.line(transfer, 2).entered == MAY
    assert province.line(transfer).entered == APRIL
    province.go_to(day(6, 20))
    assert province.claim(transfer, person(1)).matched_fen == OPENING_FEN + 501


@pytest.mark.parametrize("direct_fen", [OPENING_FEN + 1, 40_000])
def test_a_receipt_for_a_netted_claim_is_matched_and_its_line_is_so_much_smaller(
    direct_fen: int,
) -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)

    province.send(credit(NANNING, "r", direct_fen, transfer, GUILIN))
    assert province.line(transfer).entered is None, "the two sides differ"
    province.send(debit(GUILIN, "d", direct_fen, transfer))

    rest_fen = OPENING_FEN + 1 - direct_fen
    assert province.line(transfer).agreed_fen == rest_fen
    assert province.line(transfer).entered == (APRIL if rest_fen else None)
    province.go_to(FINAL)
    province.pay_all()
    assert province.claim(transfer, person(1)).matched_fen == OPENING_FEN + 1
    assert province.account(GUILIN, f"overpaid:{NANNING}") == 0
    assert set(province.clearing(APRIL).values()) == {0}


def test_money_that_arrives_while_the_final_line_is_on_its_way_is_owed_back() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)
    province.go_to(day(5, 11))
    province.held = deque()
    province.go_to(FINAL)
    fen = OPENING_FEN + 1
    province.send(credit(NANNING, "r", fen, transfer, GUILIN))
    held = list(province.held)
    province.held = None

    for message in sorted(held, key=lambda m: isinstance(m, PostLines)):
        province.send(message)

    assert province.account(NANNING, f"payable:{GUILIN}") == fen
    assert province.clearing(APRIL) == {NANNING: fen, GUILIN: -fen, LIUZHOU: 0, GUANGXI: 0}


def test_a_region_agrees_with_a_whole_sheet_but_for_what_it_disputes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows, "MOST_LINES", 2)
    monkeypatch.setattr(netting_world, "MOST_LINES", 2)
    province = Province()
    moved = [province.move(number, GUILIN, NANNING) for number in range(1, 6)]
    other = province.move(6, LIUZHOU, GUILIN)
    province.go_to(PUBLISHED)
    province.answer(province.line(moved[0]), NANNING, agrees=False)
    province.answer(province.line(moved[1]), NANNING, agrees=True)
    whole = ConfirmSheet(to=GUANGXI, month=APRIL, region=NANNING, by="lin")

    said = province.send(whole)

    assert [m.transfer for m in said if isinstance(m, LineConfirmed)] == moved[2:]
    assert {province.line(one).confirms for one in moved[1:]} == {(NANNING,)}
    assert province.line(moved[0]).disputes == (NANNING,)
    assert province.line(other).confirms == ()
    assert [m for m in province.send(whole) if isinstance(m, LineConfirmed)] == []
    told = {(a.transfer, a.verdict, a.by, a.month) for a in province.all(Answer)}
    assert told == {
        (moved[0], "dispute", "lin", APRIL),
        *((one, "confirm", "lin", APRIL) for one in moved[1:]),
    }


def test_agreeing_with_a_final_sheet_changes_nothing() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)
    province.go_to(FINAL)

    said = province.send(ConfirmSheet(to=GUANGXI, month=APRIL, region=NANNING, by="lin"))

    assert [m for m in said if isinstance(m, LineConfirmed)] == []
    assert province.line(transfer).confirms == ()
