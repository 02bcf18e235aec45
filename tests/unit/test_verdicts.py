"""Each verdict is told to the agency, and that a receipt came late is a flag on any of them."""

from datetime import timedelta
from typing import get_args

import pytest

from services.settlement.states import Part, Verdict
from services.settlement.verdicts import LATE, LETTERS, letter
from shared.messages.settlement import (
    AdvanceFunded,
    ExcessFound,
    ReceiptUnmatched,
    RecordReceipt,
    ShortfallFound,
)
from shared.messages.settlement_people import MatchReceipt
from tests.unit.settlement_world import (
    DAY,
    T1,
    A,
    B,
    World,
    advanced,
    announced,
    detail,
    late_contribution,
    only,
    opened_world,
    receipt,
    release_funds,
    some_id,
)

TWO = {"proposed_by": "chen", "approved_by": "li", "reason": "evidence"}


def booked(
    after_days: int, name: str = "r1", fen: int = 100, *, named: bool = True
) -> RecordReceipt:
    """A receipt, so many days after the release."""
    day = DAY.date() + timedelta(days=after_days)
    one = detail(fen, *([T1] if named else []), payer_region=A)
    return receipt(name, one).model_copy(update={"booked_on": day})


def part_of(world: World, name: str = "r1") -> Part:
    parts: list[Part] = list(world.all(Part))
    return next(part for part in parts if part.receipt == some_id(name))


def is_late(world: World, name: str = "r1") -> bool:
    return bool((part_of(world, name).evidence or {}).get("late"))


def test_every_verdict_has_its_letter_in_both_languages() -> None:
    assert set(LETTERS) == set(get_args(Verdict))
    for verdict, texts in LETTERS.items():
        assert letter(verdict, late=False) == " / ".join(texts)
        assert all(sentence in letter(verdict, late=True) for sentence in (*texts, *LATE))


@pytest.mark.parametrize(("days", "late"), [(1, False), (20, False), (24, True), (60, True)])
def test_what_comes_after_fifteen_working_days_is_late(days: int, late: bool) -> None:  # noqa: FBT001 - a table
    world = advanced()

    told = only(AdvanceFunded, world.send(booked(days)))

    assert (told.late, is_late(world)) == (late, late)


@pytest.mark.parametrize(("fen", "kind"), [(60, ShortfallFound), (130, ExcessFound)])
def test_late_is_a_flag_on_any_verdict(fen: int, kind: type[ShortfallFound | ExcessFound]) -> None:
    world = advanced()

    assert only(kind, world.send(booked(60, fen=fen))).late
    assert is_late(world)


def test_a_late_duplicate_is_told_as_such() -> None:
    world = advanced()
    world.send(booked(1))

    told = only(ReceiptUnmatched, world.send(booked(60, "r2")))

    assert (told.code, told.late) == ("duplicate", True)


def test_what_is_matched_by_hand_or_waited_for_its_claim_is_late_by_its_own_day() -> None:
    world = advanced()
    world.send(booked(60, named=False))
    assert not is_late(world)
    which = {"to": B, "account": f"{B}:income", "receipt": some_id("r1"), "transfer": T1}
    assert only(AdvanceFunded, world.send(MatchReceipt.model_validate({**which, **TWO}))).late
    assert is_late(world)

    early = opened_world()
    early.send(booked(1))
    said = early.send(*announced(early.send(release_funds())))
    assert not only(AdvanceFunded, said).late


def test_an_excess_that_is_used_later_is_judged_by_the_day_it_came() -> None:
    world = advanced()
    world.send(booked(1, fen=150))

    said = world.send(*late_contribution(world, 50))

    assert not only(AdvanceFunded, said).late
