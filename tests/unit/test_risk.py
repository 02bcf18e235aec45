"""Forecasts: what a curve counts, what a limit does to a path, how often the truth is inside."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.risk import curves, forecast, paths
from services.settlement.risk.answer import answers, spread
from services.settlement.risk.forecast import WhatIf
from services.settlement.risk.history import NEVER, Case, Days, cases, pieces
from services.settlement.risk.paths import Book
from tests.risk.worlds import LIMIT_FEN, Kind, backtest, lived, shares

TODAY = date(2026, 6, 1)
RNG = np.random.default_rng(7)
TRUST = {
    "after": None, "percent": 100, "age_days": None, "resume_after": 0, "suspended": None,
    "excused_before": None,
}  # fmt: skip


def book(*rows: tuple[int, int, int]) -> Book:
    """Claims as (fen, the day it arrives, the day its money comes)."""
    fen, arrives, pays = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    ones = np.ones(len(rows), dtype=np.int64)
    return Book(fen, arrives, pays, ones, 0 * ones, arrives)


def question(claims: list[dict[str, Any]], **asked: Any) -> dict[str, Any]:  # noqa: ANN401 fields
    days = [TODAY + timedelta(days=n) for n in range(-500, 92)]
    corridor = {"corridor": "410100>450100", "distance": "cross-province", "limit_fen": LIMIT_FEN}
    what_if = {"limit_fen": None, "stops_paying_days": 0, "arrivals": 1, **asked}
    return {
        "today": TODAY.isoformat(),
        "working_days": [day.isoformat() for day in days if day.weekday() < 5],
        "corridors": [{**corridor, "claims": claims, "others": [], "trust": TRUST}],
        "what_if": what_if,
        "seed": 1,
    }


def told(kind: Kind) -> list[dict[str, Any]]:
    """A simulated history as the database gives it."""
    days = Days([date.fromisoformat(day) for day in question([])["working_days"]], TODAY)
    return [
        {
            "on": days.date(case.day).isoformat(),
            "fen": case.fen,
            "open": case.open_fen,
            "eligible": True,
            "advanced": True,
            "paid": [[days.date(day).isoformat(), fen] for day, fen in case.paid],
        }
        for case in lived(kind, 3)[0]
    ]


def test_days_are_counted_in_working_days_from_today() -> None:
    working = [TODAY + timedelta(days=n) for n in range(-10, 20) if (n - 5) % 7 < 5]
    days = Days(working, TODAY)

    assert [days.number(days.date(n)) for n in range(-5, 6)] == list(range(-5, 6))
    assert days.number(TODAY) == 0


def test_half_a_payment_counts_as_half() -> None:
    known = pieces([Case(-50, 100, ((-40, 50),), 50)])

    ages, arrived = known.of(np.zeros(2000, dtype=np.int64), RNG)

    assert 0.45 < arrived.mean() < 0.55
    assert set(ages[arrived]) == {10}
    assert set(ages[~arrived]) == {50}


def test_what_is_still_open_counts_for_as_long_as_it_has_been_open() -> None:
    ages = np.array([1, 2, 3, 4])
    arrived = np.array([True, False, True, False])

    found = curves.curve(ages, arrived)

    # One of four after a day; of the two that are seen on the third, one.
    assert found[[0, 1, 2, 3, 4]] == pytest.approx([1, 0.75, 0.75, 0.375, 0.375])


def test_what_is_older_than_the_curve_falls_never_comes_and_the_rest_comes_later() -> None:
    one = np.full(curves.HORIZON + 1, 0.5)
    one[:10] = 1.0

    found = curves.delays(one, np.array([-1] * 4000 + [5] * 4000 + [20] * 50), RNG)

    assert set(found[:4000]) == {11, NEVER}
    assert set(found[4000:8000]) == {5, NEVER}
    assert 0.45 < (found[:8000] == NEVER).mean() < 0.55
    assert set(found[8000:]) == {NEVER}


def test_little_history_says_nothing_and_a_short_one_borrows() -> None:
    few = [Case(-n, 100, ((0, 100),)) for n in range(5, 15)]
    many = [Case(-n, 100, ((0, 100),)) for n in range(5, 200)]

    lent = curves.basis(few, {"x": many})

    assert curves.basis(few, {}) is None
    assert curves.basis([], {"x": many}) is None
    assert lent is not None
    assert [reach for _, reach in lent.borrowed] == [199]
    old = [Case(-n, 100, ((0, 100),)) for n in range(300) for _ in range(2)]
    alone = curves.basis(old, {"x": few})
    assert alone is not None
    assert alone.borrowed == ()


def beyond(known: list[Case], others: dict[str, list[Case]], age: int) -> list[float]:
    """Of what is missing at an age, how much is missing after a year, in many draws."""
    basis = curves.basis(known, others)
    assert basis is not None
    return [float(one[-1] / one[age]) for one in curves.drawn(basis, 200, RNG)]


def test_what_takes_longer_than_the_history_is_as_on_other_corridors_or_anything() -> None:
    young = [Case(-n, 100, ((5 - n, 100),) if n > 5 and n % 4 else ()) for n in range(31)] * 5
    # Elsewhere a quarter comes after fifty days, and all of it.
    late = [Case(-n, 100, ((50 - n, 100),) if n >= 50 else ()) for n in range(1, 250)]

    known = beyond(young, {"x": late}, 30)
    unknown = beyond(young, {}, 30)

    assert np.median(known) < 0.1
    assert max(known) < 0.4
    assert min(unknown) < 0.2
    assert max(unknown) > 0.5


def test_a_dozen_weeks_have_not_seen_the_busiest() -> None:
    counts = np.array([38, 41, 44, 36, 40, 42, 39, 43, 37, 41, 40, 39], dtype=np.int64)

    drawn = [forecast.widened(counts, RNG)(int(n % 12)) for n in range(2000)]

    assert min(drawn) < 36
    assert max(drawn) > 44
    assert 39 < np.mean(drawn) < 41


def test_within_a_limit_the_oldest_waits_and_none_jumps_the_queue() -> None:
    found = paths.limited(book((60, 1, 3), (60, 1, 9), (10, 2, 9)), 100, 5)

    assert found.advanced_on.tolist() == [1, 3, 3]
    assert found.exposure.tolist() == [0, 60, 60, 70, 70, 70]


def test_who_waits_until_his_money_comes_is_never_advanced() -> None:
    found = paths.limited(book((200, 1, 3), (60, 2, 9)), 100, 5)

    assert found.advanced_on.tolist() == [NEVER, 3]


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(1, 50), st.integers(1, 9), st.integers(1, 14)),
        min_size=1,
        max_size=30,
    ),
    limit_fen=st.integers(0, 400),
)
def test_a_path_stays_within_its_limit_and_is_free_without_one(
    rows: list[tuple[int, int, int]], limit_fen: int
) -> None:
    some = book(*((fen, arrives, arrives + takes) for fen, arrives, takes in rows))

    assert paths.limited(some, limit_fen, 10).exposure.max() <= limit_fen
    wide, free = paths.limited(some, LIMIT_FEN, 10), paths.unlimited(some, 10)
    assert wide.exposure.tolist() == free.exposure.tolist()
    assert wide.advanced_on.tolist() == free.advanced_on.tolist()


def test_the_smallest_limit_serves_so_many_and_a_smaller_one_does_not() -> None:
    known, _ = lived(Kind(120, 8), 5)
    some = paths.history(known)
    first = int(some.arrives.min())

    found = paths.smallest_limit(known, 0.99)

    def share(limit_fen: int) -> float:
        served = paths.limited(some, limit_fen, 0, first).advanced_on == some.arrives
        return float(served.mean())

    assert found is not None
    assert share(found) >= 0.99 > share(found * 9 // 10)
    assert paths.smallest_limit([], 0.99) is None


def test_the_same_question_has_the_same_answer_and_too_little_is_said_plainly() -> None:
    claims = told(Kind(120, 3))

    first, again = answers(question(claims)), answers(question(claims))
    [little] = answers(question(claims[:10]))

    assert first == again
    assert first[0]["enough"] is True
    assert first[0]["base"]["expected_loss"]
    assert len(first[0]["base"]["weeks"]) == forecast.WEEKS
    assert (little["enough"], little["history"]["claims"]) == (False, 10)
    assert "too little history" in little["why"]


def test_an_origin_that_stops_paying_pays_later_and_more_arrivals_are_more_exposure() -> None:
    claims = told(Kind(120, 4))

    [stopped] = answers(question(claims, stops_paying_days=30))
    [busy] = answers(question(claims, arrivals=10))
    [narrow] = answers(question(claims, limit_fen=300_000_00))

    weeks = stopped["what_if"]["weeks"]
    assert [week["money_in"]["median"] for week in weeks[:4]] == ["0.00"] * 4
    assert _median(weeks[4]) > 1.2 * _median(stopped["base"]["weeks"][4])
    assert _median(busy["what_if"]["weeks"][9]) > 5 * _median(busy["base"]["weeks"][9])
    assert narrow["what_if"]["advanced_same_day_percent"] < 100
    assert narrow["base"]["advanced_same_day_percent"] == 100


def _median(week: dict[str, Any]) -> float:
    return float(week["money_in"]["median"]) + float(week["exposure"]["median"])


def test_an_origin_that_pays_in_lumps_is_expected_to_go_on() -> None:
    known, truth = lived(Kind(250, 8, lumps=True), 4)
    basis = curves.basis(known, {})
    assert basis
    ahead = np.array([7 * (n // 5) + n % 5 + 1 for n in range(60)], dtype=np.int64)

    found = forecast.simulate(known, basis, ahead, LIMIT_FEN, WhatIf(), RNG, 60)

    nothing = np.flatnonzero(truth.money_in == 0)
    assert len(nothing)
    assert np.median(found.money_in, axis=0)[nothing].max() == 0


def test_a_spread_is_in_yuan() -> None:
    assert spread(np.arange(101) * 100)["80"] == ["10.00", "90.00"]


def test_the_truth_lies_inside_as_often_as_it_is_said_to() -> None:
    found = shares(backtest(Kind(250, 8), 6, most=120))

    for what in ("money_in", "exposure"):
        assert 30 < found[what, 50] < 75
        assert 65 < found[what, 80] < 96
        assert found[what, 95] > 85


def test_the_backtest_sees_a_forecast_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = curves.delays
    monkeypatch.setattr(curves, "delays", lambda one, ages, rng: honest(one**2, ages, rng))

    found = shares(backtest(Kind(250, 8), 2, most=60))

    assert found["exposure", 80] < 50


def test_a_claim_of_the_database_becomes_a_case() -> None:
    days = Days([TODAY - timedelta(days=n) for n in (9, 8, 7, 1, 0)], TODAY)
    row = {"on": "2026-05-23", "fen": 90, "open": 40, "eligible": True, "advanced": True}

    [found] = cases([{**row, "paid": [["2026-05-25", 50]]}], days)

    assert (found.day, found.paid, found.paid_on) == (-4, ((-2, 50),), NEVER)
