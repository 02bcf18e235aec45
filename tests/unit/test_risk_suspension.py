"""Forecasts of corridors that are suspended while their origin does not pay."""

from services.settlement.risk import paths
from services.settlement.risk.answer import answers
from services.settlement.risk.history import NEVER
from services.settlement.risk.paths import Trust
from tests.risk.worlds import LIMIT_FEN, Kind
from tests.unit.test_risk import TRUST, book, question, told


def test_a_corridor_whose_origin_does_not_pay_is_suspended_and_resumed_when_it_has() -> None:
    some = book((100, 1, 9), (10, 3, NEVER), (10, 6, 20), (10, 10, 20))
    trust = Trust(after=4, percent=50, resume_after=2)

    found = paths.limited(some, LIMIT_FEN, 12, trust=trust)

    # The first is overdue on the sixth day; on the ninth it is paid: what is left is the smaller.
    assert found.suspended.tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]
    assert found.advanced_on.tolist() == [1, 3, NEVER, NEVER]
    assert not paths.trusted(some, paths.unlimited(some, 12), 12, trust)
    assert paths.trusted(some, paths.unlimited(some, 12), 12, Trust(after=30))


def test_a_corridor_is_resumed_after_it_has_been_well_for_long_enough() -> None:
    some = book((100, 1, 9), (10, 8, 20))
    trust = Trust(after=4, percent=50, resume_after=2)

    found = paths.limited(some, LIMIT_FEN, 12, trust=trust)

    assert found.suspended.tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0]
    assert found.advanced_on.tolist() == [1, 11]


def test_what_two_people_suspended_stays_so_and_what_they_excused_suspends_nothing() -> None:
    some = book((100, 1, NEVER), (10, 6, 20))

    by_hand = paths.limited(some, LIMIT_FEN, 12, trust=Trust(suspended="by_hand"))
    excused = paths.limited(some, LIMIT_FEN, 12, trust=Trust(after=4, excused=2))

    assert by_hand.advanced_on.tolist() == [NEVER, NEVER]
    assert set(excused.suspended.tolist()) == {0}


def test_an_origin_that_stops_paying_is_seen_to_be_suspended() -> None:
    asked = question(told(Kind(250, 8)), stops_paying_days=60)
    asked["corridors"][0]["trust"] = {**TRUST, "after": 20, "percent": 60}

    [found] = answers(asked)

    base = [week["suspended_percent"] for week in found["base"]["weeks"]]
    stopped = [week["suspended_percent"] for week in found["what_if"]["weeks"]]
    assert max(base) < 10
    assert max(stopped) > 90
