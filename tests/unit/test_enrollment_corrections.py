"""What corrects a record or moves an account, and what needs two people."""

from typing import Any

import pytest

from shared.messages import enrollment as e
from shared.messages import settlement
from tests.unit.enrollment_world import (
    HEFEI,
    NANNING,
    ZHENGZHOU,
    World,
    month,
    ranges,
    record,
)


def said(world: World, kind: type) -> list[Any]:
    return [m for m in world.said if isinstance(m, kind)]


def test_spending_goes_to_settlement() -> None:
    world = World()
    assert world.register("spend", "early", amount_fen=100) == "not_enrolled"
    world.enroll()

    assert world.register("spend", "spend", amount_fen=100) is None
    assert world.register("refund", "back", amount_fen=40, refers_to=record("spend")) is None

    (spend,), (refund,) = said(world, settlement.Spend), said(world, settlement.Refund)
    assert (spend.amount_fen, refund.amount_fen) == (100, 40)
    assert refund.refers_to == record("spend")


def test_who_has_no_account_spends_nothing() -> None:
    world = World()
    world.enroll(region=HEFEI)

    assert world.register("spend", "spend", to=HEFEI, amount_fen=100) == "no_account"


CORRECTIONS: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("open", {"months": ranges("2020-01..2026-02")}, "2020-01..2026-02", None),
    ("open", {"balance_fen": 500000}, "2019-03..2026-02", None),
    ("open", {"month": month("2020-01")}, "2019-03..2026-02", "not_correctable"),
    ("open", {"account": False}, "2019-03..2026-02", "not_correctable"),
    ("open", {}, "2019-03..2026-02", "nothing_to_correct"),
    ("nothing", {"months": ranges("2020-01")}, "2019-03..2026-02", "unknown_record"),
]


@pytest.mark.parametrize(("meant", "fields", "left", "code"), CORRECTIONS)
def test_a_correction_replaces_what_a_record_said(
    meant: str, fields: dict[str, Any], left: str, code: str | None
) -> None:
    world = World()
    world.open()

    given = world.register("correct", "fix", to=ZHENGZHOU, refers_to=record(meant), **fields)

    assert given == code
    assert world.relation(ZHENGZHOU).months == ranges(left)
    corrected = [c.balance_fen for c in said(world, settlement.CorrectBalance)]
    assert corrected == ([500000] if fields == {"balance_fen": 500000} else [])


def test_a_corrected_first_month_moves_the_entitlement() -> None:
    world = World()
    world.enroll(person_type="employee", employer=True)

    world.register("correct", "fix", refers_to=record("enroll"), month=month("2026-02"))

    assert world.relation().months == ranges("2026-02")
    assert world.relation().entitlement.entitled_from == month("2026-02")


def test_a_corrected_contribution_takes_its_month_back() -> None:
    world = World()
    world.enroll()
    world.contribute("paid", "2026-05")

    world.register("correct", "fix", refers_to=record("paid"), month=month("2026-04"))

    assert world.relation().months == ranges("2026-03..2026-04")


def test_a_corrected_stop_moves_the_last_month() -> None:
    world = World()
    world.open()
    world.stop(month=month("2026-03"))

    world.register("correct", "f", to=ZHENGZHOU, refers_to=record("stop"), month=month("2026-02"))

    assert world.relation(ZHENGZHOU).months == ranges("2019-03..2026-02")
    assert world.relation(ZHENGZHOU).last_month == month("2026-02")


CONTRIBUTION_FIXES: list[tuple[str, dict[str, Any], str | None]] = [
    ("paid", {"months": ranges("2026-04")}, "not_correctable"),
    ("paid", {"person_type": "employee"}, None),
    ("enroll", {"balance_fen": 1}, "not_correctable"),
    ("enroll", {"person_type": "employee"}, None),
    ("stop", {"months": ranges("2026-04")}, "not_correctable"),
    ("stop", {"person_type": "employee"}, None),
    ("paid", {"amount_fen": 5, "person_type": "employee"}, "not_correctable"),
]


@pytest.mark.parametrize(("meant", "fields", "code"), CONTRIBUTION_FIXES)
def test_a_correction_fits_the_record_it_corrects(
    meant: str, fields: dict[str, Any], code: str | None
) -> None:
    world = World()
    world.enroll()
    world.contribute("paid", "2026-04")
    world.stop(region=NANNING, month=month("2026-04"))

    given = world.register("correct", "fix", refers_to=record(meant), **fields)

    assert given == code
    assert world.relation().months == ranges("2026-03..2026-04")


def test_a_month_that_another_record_paid_as_well_stays_paid() -> None:
    world = World()
    world.enroll()
    world.contribute("one", "2026-04")
    world.contribute("two", "2026-04")

    world.register("correct", "fix", refers_to=record("two"), month=month("2026-05"))

    assert world.relation().months == ranges("2026-03..2026-05")


def test_correcting_the_only_contribution_moves_the_first_month() -> None:
    world = World()
    world.enroll(month=None)
    world.contribute("paid", "2026-03")

    world.register("correct", "fix", refers_to=record("paid"), month=month("2026-05"))

    assert world.relation().first_month == month("2026-05")
    assert world.relation().months == ranges("2026-05")


def test_a_corrected_stop_may_be_later_than_all_that_was_known() -> None:
    world = World()
    world.open()
    world.stop()

    world.register("correct", "f", to=ZHENGZHOU, refers_to=record("stop"), month=month("2026-03"))

    assert world.relation(ZHENGZHOU).months == ranges("2019-03..2026-03")


def test_a_refund_says_of_what() -> None:
    world = World()
    world.enroll()

    assert world.register("refund", "back", amount_fen=1) == "unknown_record"


def test_a_corrected_phone_reaches_those_who_write_letters() -> None:
    world = World()
    world.open()

    code = world.register("correct", "f", to=ZHENGZHOU, refers_to=record("open"), sealed="new")

    assert code is None
    assert world.person.sealed == "new"
    assert [m.sealed for m in said(world, e.Registered)] == [None, "new"]
