"""What is told of a person and of a decision."""

from datetime import date

from services.enrollment import shapes
from services.enrollment.persons import Explanation, Verdict
from tests.unit.enrollment_world import (
    MARCH,
    NANNING,
    PERSON,
    ZHENGZHOU,
    World,
    ranges,
    record,
    transfer,
)

TODAY = date(2026, 3, 2)


def test_who_joined_is_covered_and_waits_for_nothing() -> None:
    world = World()
    world.open()
    world.stop()
    world.enroll()
    world.join()

    shape = shapes.person_shape(world.person, TODAY)

    assert shape["covered_today"] is True
    assert shape["next"] is None
    assert [e["region"] for e in shape["enrollments"]] == [ZHENGZHOU, NANNING]
    assert shape["enrollments"][1]["months"] == ["2019-03..2026-03"]


def test_who_waits_is_told_until_when() -> None:
    world = World()
    world.enroll()

    shape = shapes.person_shape(world.person, TODAY)

    assert shape["covered_today"] is False
    assert shape["next"] == {"what": "entitled", "at": "2026-06-01T00:00:00+08:00"}
    assert shape["enrollments"][0]["waiting_months"] == 3


def test_who_has_not_paid_is_told_to_pay() -> None:
    unpaid, owing = World(), World()
    unpaid.enroll(month=None)
    owing.enroll(person_type="employee", employer=True)
    owing.contribute("due", "2026-04", paid_on=None)

    first = shapes.person_shape(unpaid.person, TODAY)
    due = shapes.person_shape(owing.person, TODAY)

    assert first["next"] == {"what": "pay the first month", "at": None}
    assert due["next"] == {"what": "pay the months due", "at": None}


def test_cover_that_stopped_lasts_to_the_end_of_its_last_month() -> None:
    world = World()
    world.open()
    world.stop()

    assert shapes.person_shape(world.person, date(2026, 2, 28))["covered_today"] is True
    assert shapes.person_shape(world.person, date(2026, 3, 1))["covered_today"] is False


def test_the_dead_are_not_covered() -> None:
    world = World()
    world.open()
    world.register("decease", "death", to=ZHENGZHOU)

    shape = shapes.person_shape(world.person, TODAY)

    assert (shape["covered_today"], shape["next"]) == (False, None)


def test_nobody_sees_the_relations_of_other_regions() -> None:
    world = World()
    world.open()
    world.enroll()

    seen = shapes.seen(world.person, lambda region: region == NANNING)

    assert [r.region for r in seen.relations.values()] == [NANNING]


def test_a_decision_is_shown_with_its_rule_and_source() -> None:
    facts = {"code": "duplicate", "origin": ZHENGZHOU}
    why = Explanation(
        PERSON, transfer("t"), ZHENGZHOU, MARCH, "release", "one at a time", "design", facts
    )

    shape = shapes.explanation_shape(why)

    assert shape["at"] == "2026-03-02T09:30:00+08:00"
    assert (shape["rule"], shape["source"]) == ("one at a time", "design")
    assert (shape["code"], shape["facts"]) == ("duplicate", {"origin": ZHENGZHOU})


def test_what_is_not_decided_is_null() -> None:
    verdict = Verdict(record("1"), "refused", "retiree", transfer("1"), MARCH, "test", "1")

    decided = shapes.verdict_shape("test", "1", verdict)
    open_ = shapes.verdict_shape("test", "2", None)

    assert (decided["decision"], decided["code"]) == ("refused", "retiree")
    assert decided["transfer_id"] == str(transfer("1"))
    assert (open_["decision"], open_["code"], open_["message"]) == (None, None, None)


def test_months_without_any_are_none() -> None:
    world = World()
    world.open(months=())

    shape = shapes.person_shape(world.person, TODAY)

    assert shape["enrollments"][0]["months"] == []
    assert shape["enrollments"][0]["entitled_from"] is None
    assert ranges("") == ()
