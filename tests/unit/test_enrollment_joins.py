"""The destination's side: months joined, and from when the person is entitled."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.entitlement import join, record_digest
from services.enrollment.persons import Joined, Relation
from shared import months
from shared.decision import Unexpected
from shared.messages import enrollment as e
from tests.unit.enrollment_world import (
    BAODING,
    NANNING,
    SHIJIAZHUANG,
    ZHENGZHOU,
    World,
    month,
    ranges,
    transfer,
)


def joined(world: World) -> e.RecordJoined:
    return [m for m in world.said if isinstance(m, e.RecordJoined)][-1]


def test_the_published_example_holds() -> None:
    world = World()
    world.enroll()

    world.join("2019-03..2026-02")

    answer = joined(world)
    assert answer.months == ranges("2019-03..2026-03")
    assert answer.months_total == 85
    assert answer.entitled_from == month("2026-03")
    assert (answer.waiting_months, answer.retroactive_from) == (0, None)


GAPS = [
    # last month at the origin, months paid back, entitled from, waiting, retroactive from
    ("2026-02", (), "2026-03", 0, None),
    ("2025-12", (), "2026-03", 0, None),
    ("2025-11", (), "2026-03", 0, None),
    ("2025-11", ("2025-12", "2026-01"), "2026-03", 0, None),
    ("2025-11", ("2025-12", "2026-01", "2026-02"), "2026-03", 0, "2025-12"),
    ("2026-01", ("2026-02",), "2026-03", 0, "2026-02"),
    ("2025-10", (), "2026-06", 3, None),
    ("2025-10", ("2025-11", "2025-12", "2026-01", "2026-02"), "2026-06", 3, None),
    ("2020-01", (), "2026-06", 3, None),
    ("2026-04", (), "2026-03", 0, None),
]


@pytest.mark.parametrize(("last", "repaid", "entitled", "waiting", "retroactive"), GAPS)
def test_the_gap_decides_when_entitlement_begins(
    last: str, repaid: tuple[str, ...], entitled: str, waiting: int, retroactive: str | None
) -> None:
    world = World()
    world.enroll()
    for paid in repaid:
        world.contribute(f"back {paid}", paid, nature="back-paid")

    world.join(f"2019-03..{last}")

    answer = joined(world)
    assert answer.entitled_from == month(entitled)
    assert answer.waiting_months == waiting
    assert answer.retroactive_from == (month(retroactive) if retroactive else None)


SWITCHES = [("2024-03..2026-02", 0), ("2024-04..2026-02", 3), ("2019-01..2023-12;2025-01", 3)]


@pytest.mark.parametrize(("record", "waiting"), SWITCHES)
def test_a_change_of_scheme_needs_two_unbroken_years(record: str, waiting: int) -> None:
    world = World()
    world.enroll()

    world.join(record, scheme="390")

    assert joined(world).waiting_months == waiting


def test_the_other_scheme_of_the_same_region_counts_too() -> None:
    world = World()
    world.open(region=NANNING, scheme="390", person_type="resident")
    world.stop(region=NANNING, scheme="390")

    world.enroll()

    assert world.relation().entitlement.waiting_months == 0


def test_who_was_never_insured_waits_unless_an_employer_pays() -> None:
    flexible, employee = World(), World()

    flexible.enroll()
    employee.enroll(person_type="employee", employer=True)

    assert flexible.relation().entitlement.entitled_from == month("2026-06")
    assert employee.relation().entitlement.entitled_from == month("2026-03")


def test_a_record_that_is_not_as_it_was_sent_is_disputed() -> None:
    world = World()
    world.enroll()

    (answer,) = world.join("2019-03..2026-02", digest=record_digest(1, ranges("2019-03")))

    assert isinstance(answer, e.RecordDisputed)
    assert answer.code == "digest-mismatch"
    assert world.relation().joined == ()


def test_a_corrected_record_replaces_the_one_before() -> None:
    world = World()
    world.enroll()
    world.join("2019-03..2026-02")

    world.join("2020-03..2026-02", version=2)

    assert joined(world).months == ranges("2020-03..2026-03")


def test_an_old_version_that_comes_late_changes_nothing() -> None:
    world = World()
    world.enroll()
    world.join("2020-03..2026-02", version=2)

    world.join("2019-03..2026-02")

    assert joined(world).months == ranges("2020-03..2026-03")


def test_months_for_somebody_who_is_not_enrolled_mean_nothing() -> None:
    with pytest.raises(Unexpected):
        World().join("2019-03..2026-02")


def test_own_contributions_and_the_record_may_come_in_any_order() -> None:
    def tell(world: World, step: str) -> None:
        steps: dict[str, Any] = {
            "first": lambda: world.contribute("first", "2026-03"),
            "second": lambda: world.contribute("second", "2026-04"),
            "back": lambda: world.contribute("back", "2026-02", nature="back-paid"),
            "join": lambda: world.join("2019-03..2026-01;2026-03"),
        }
        steps[step]()

    ends = set()
    for order in permutations(["first", "second", "back", "join"]):
        world = World()
        world.enroll(month=None)
        for step in order:
            tell(world, step)
        relation = world.relation()
        ends.add((relation.months, relation.entitlement))

    assert len(ends) == 1


months_held = st.lists(
    st.tuples(st.integers(24_000, 24_060), st.integers(0, 12)).map(lambda r: (r[0], r[0] + r[1])),
    max_size=6,
).map(months.merge)


def relation_of(own: months.Ranges) -> Relation:
    return Relation(NANNING, "310", "flexible", account=True, paid=own)


def listed(record: months.Ranges) -> set[int]:
    return {n for first, last in record for n in range(first, last + 1)}


@given(months_held, months_held)
def test_joined_months_are_those_of_both_each_once(
    own: months.Ranges, brought: months.Ranges
) -> None:
    whole = join(relation_of(own), Joined(transfer("t"), ZHENGZHOU, "310", 1, brought))

    assert listed(whole.months) == listed(own) | listed(brought)
    assert months.count(whole.months) == len(listed(own) | listed(brought))
    assert whole.own == own


@given(months_held, st.lists(months_held, max_size=3))
def test_the_order_in_which_records_join_does_not_matter(
    own: months.Ranges, records: list[months.Ranges]
) -> None:
    arrivals = [
        Joined(transfer(str(n)), ZHENGZHOU, "310", 1, record) for n, record in enumerate(records)
    ]

    forth = back = relation_of(own)
    for arrival in arrivals:
        forth = join(forth, arrival)
    for arrival in reversed(arrivals):
        back = join(back, arrival)

    assert forth.months == back.months


@given(months_held, months_held)
def test_joining_twice_is_joining_once(own: months.Ranges, brought: months.Ranges) -> None:
    arrival = Joined(transfer("t"), ZHENGZHOU, "310", 1, brought)

    once = join(relation_of(own), arrival)

    assert join(once, arrival) == once


MOVES = [
    # to where, last month paid in Shijiazhuang, entitled from, waiting
    (BAODING, "2026-02", "2026-03", 0),
    (BAODING, "2025-11", "2026-03", 0),
    (BAODING, "2025-10", "2026-06", 3),
    (NANNING, "2026-02", "2026-06", 3),
]


@pytest.mark.parametrize(("region", "last", "entitled", "waiting"), MOVES)
def test_inside_a_province_without_transfers_the_months_count_at_once(
    region: str, last: str, entitled: str, waiting: int
) -> None:
    world = World()
    world.open(SHIJIAZHUANG, months=ranges(f"2019-03..{last}"))
    world.stop(SHIJIAZHUANG, month=month(last))

    world.enroll(region)

    entitlement = world.relation(region).entitlement
    assert (entitlement.entitled_from, entitlement.waiting_months) == (month(entitled), waiting)
    assert world.relation(region).months == ranges("2026-03..2026-03")


def test_the_months_still_count_when_a_later_one_is_paid() -> None:
    world = World()
    world.open(SHIJIAZHUANG)
    world.stop(SHIJIAZHUANG)
    world.enroll(BAODING)

    world.contribute("april", "2026-04", BAODING)

    assert world.relation(BAODING).entitlement.entitled_from == month("2026-03")
