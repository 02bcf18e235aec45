"""Records that ask for a transfer, take it back, or end it by a death."""

from datetime import date
from typing import Any

from shared.messages import enrollment as e
from shared.messages import transfer as t
from tests.unit.enrollment_world import (
    GUILIN,
    NANNING,
    ZHENGZHOU,
    World,
    month,
    transfer,
)


def said(world: World, kind: type) -> list[Any]:
    return [m for m in world.said if isinstance(m, kind)]


def test_an_application_asks_for_the_transfer() -> None:
    world = World()
    world.open(region=GUILIN)
    world.stop(region=GUILIN)
    world.enroll(region=ZHENGZHOU)

    code = world.register(
        "apply", "apply", to=ZHENGZHOU, transfer=transfer("apply"), applicant="employer"
    )

    assert code is None
    (asked,) = said(world, t.Apply)
    assert (asked.transfer, asked.origin) == (transfer("apply"), GUILIN)
    assert (asked.scheme, asked.new_scheme) == ("310", "310")
    assert (asked.trigger, asked.first_month) == ("employer", month("2026-03"))


def test_an_application_needs_a_place_to_come_from_and_one_to_be() -> None:
    world = World()
    assert world.register("apply", "early", to=ZHENGZHOU) == "not_enrolled"
    world.enroll(region=ZHENGZHOU)

    assert world.register("apply", "where", to=ZHENGZHOU) == "origin_unknown"
    same = world.register("apply", "same", to=ZHENGZHOU, previous_region=ZHENGZHOU)
    assert same == "same_region"


def test_a_loaded_retiree_cannot_apply() -> None:
    world = World()
    world.open(person_type="retiree")

    code = world.register("apply", "apply", to=ZHENGZHOU, previous_region=GUILIN)

    assert code == "retiree"


def test_a_withdrawal_names_the_record_that_asked() -> None:
    world = World()
    world.enroll(previous_region=ZHENGZHOU, transfer=transfer("enroll"))

    unknown = world.register("withdraw", "other", transfer=transfer("nothing"))
    code = world.register("withdraw", "withdraw", transfer=transfer("enroll"))

    assert (unknown, code) == ("unknown_record", None)
    assert [w.transfer for w in said(world, t.Withdraw)] == [transfer("enroll")]


def test_after_a_death_nothing_is_accepted() -> None:
    world = World()
    world.enroll(previous_region=ZHENGZHOU, transfer=transfer("enroll"))

    assert world.register("decease", "death") is None

    told = {(d.transfer, d.died_on) for d in said(world, e.PersonDeceased)}
    assert told == {(transfer("enroll"), date(2026, 3, 2)), (None, date(2026, 3, 2))}
    assert world.contribute("late", "2026-04") == "deceased"
    assert world.register("decease", "again") == "deceased"


def test_the_death_reported_at_the_origin_reaches_the_transfer_at_its_destination() -> None:
    world = World()
    world.open()
    world.stop()
    world.ask()

    world.register("decease", "death", to=ZHENGZHOU)

    told = {(d.to, d.transfer) for d in said(world, e.PersonDeceased)}
    assert told == {(NANNING, transfer("enroll")), (ZHENGZHOU, None)}
