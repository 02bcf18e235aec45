"""What goes back: lines of the other direction, and where they may stand."""

from uuid import UUID

import pytest

from services.settlement.netting.states import Line
from shared.messages.settlement_compensation import Waive
from shared.messages.settlement_netting import ProposeLine, Side
from tests.unit.netting_world import (
    APRIL,
    FINAL,
    GUANGXI,
    GUILIN,
    NANNING,
    OPENING_FEN,
    PUBLISHED,
    Province,
    day,
    person,
)

SIDES: tuple[Side, ...] = ("origin", "destination")


def take_back(province: Province, transfer: UUID, version: int, amount_fen: int) -> None:
    """Both sides have it that so much goes back."""
    for side in SIDES:
        province.send(
            ProposeLine(
                to=GUANGXI,
                origin=GUILIN,
                destination=NANNING,
                person=person(1),
                transfer=transfer,
                version=version,
                side=side,
                amount_fen=-amount_fen,
                released_on=province.day.date(),
            )
        )


def test_a_line_of_the_other_direction_waits_for_what_it_goes_back_from() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING, tell=False)

    take_back(province, transfer, 2, 30)

    assert province.line(transfer, 2).entered is None
    province.tell()
    assert {province.line(transfer, n).entered for n in (1, 2)} == {APRIL}


def test_a_dispute_takes_along_what_would_go_back_of_the_line() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)
    take_back(province, transfer, 2, 30)

    province.answer(province.line(transfer), NANNING, agrees=False)

    assert {province.line(transfer, n).entered for n in (1, 2)} == {None}
    province.answer(province.line(transfer), NANNING, agrees=True)
    assert {province.line(transfer, n).entered for n in (1, 2)} == {APRIL}


def settled(province: Province, *months: int) -> None:
    province.go_to(day(7, 20))
    province.pay_all()
    for month in months:
        assert set(province.clearing(month).values()) == {0}
    assert all(line.settled == bool(line.agreed_fen) for line in province.all(Line))
    for code in (GUILIN, NANNING):
        for other in (GUILIN, NANNING):
            assert province.account(code, f"payable:{other}") == 0
            assert province.account(code, f"overpaid:{other}") == 0


@pytest.mark.parametrize("when", ["open", "published", "final"])
def test_less_of_the_origin_is_a_line_of_the_other_direction(when: str) -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)
    province.go_to({"open": day(4, 9), "published": PUBLISHED, "final": FINAL}[when])

    province.spend_late(1, 300)

    back = province.line(transfer, 2)
    assert (back.agreed_fen, back.entered) == (-300, APRIL if when == "open" else APRIL + 1)
    settled(province, APRIL, APRIL + 1)
    assert province.claim(transfer, person(1)).matched_fen == OPENING_FEN + 1 - 300


@pytest.mark.parametrize("when", ["open", "published", "final"])
def test_a_reversal_gives_back_through_the_sheet_what_it_has_given(when: str) -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)
    province.go_to({"open": day(4, 9), "published": PUBLISHED, "final": FINAL}[when])

    province.reverse(1, GUILIN, NANNING)

    settled(province, APRIL, APRIL + 1)
    assert province.claim(transfer, person(1)).matched_fen == 0
    assert province.balance(GUILIN, person(1)) == OPENING_FEN + 1
    versions = [x.version for x in province.all(Line) if x.agreed_fen]
    assert versions == ([1, 1001] if when == "final" else [])


def test_what_goes_back_of_a_settled_version_is_booked_after_the_one_that_was_late() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)
    province.answer(province.line(transfer), NANNING, agrees=False)
    province.contribute(1, 200)
    province.go_to(FINAL)
    province.answer(province.line(transfer), NANNING, agrees=True)

    province.reverse(1, GUILIN, NANNING)

    entered = {x.version: x.entered for x in province.all(Line)}
    assert entered == {1: APRIL + 1, 2: APRIL, 1001: APRIL + 1}
    settled(province, APRIL, APRIL + 1)


def test_what_a_later_version_has_made_good_is_owed_again_until_that_one_is_booked() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)
    province.spend_late(1, 167)
    province.contribute(1, 167)

    settled(province, APRIL)

    assert {line.entered for line in province.all(Line)} == {APRIL}
    assert province.claim(transfer, person(1)).matched_fen == OPENING_FEN + 1


def test_what_was_forgiven_is_netted_no_more() -> None:
    province = Province()
    transfer = province.move(1, GUILIN, NANNING)
    fen = 40_000
    waive = {
        "to": NANNING,
        "origin": GUILIN,
        "person": person(1),
        "transfer": transfer,
        "proposed_by": "a",
        "approved_by": "b",
        "reason": "agreed",
        "amount_fen": fen,
    }

    province.send(Waive.model_validate(waive))

    assert province.line(transfer).agreed_fen == OPENING_FEN + 1 - fen
    settled(province, APRIL)
