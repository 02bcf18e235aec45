"""A month of transfers: who moved where, and which steps were done within their days."""

from datetime import date
from itertools import starmap

import pytest

from services.transfer.statistics import Moved, Took, moves, on_time
from shared.months import days_of, parse_month
from shared.regions import Regions, load
from shared.settings import settings

NANNING, GUILIN, ZHENGZHOU = "450100", "450300", "410100"


@pytest.fixture(scope="module")
def regions() -> Regions:
    return load(settings().regions)


def test_transfers_are_counted_where_they_come_and_where_they_go() -> None:
    rows = starmap(
        Moved,
        [
            ("in", ZHENGZHOU, NANNING, "310>310", 3),
            ("in", GUILIN, NANNING, "310>390", 1),
            ("out", ZHENGZHOU, NANNING, "310>310", 2),
        ],
    )

    assert moves(rows) == [
        {
            "region": ZHENGZHOU,
            "in": {"total": 0, "out_of_province": 0, "pairs": {}},
            "out": {"total": 2, "out_of_province": 2, "pairs": {"310>310": 2}},
        },
        {
            "region": NANNING,
            "in": {"total": 4, "out_of_province": 3, "pairs": {"310>310": 3, "310>390": 1}},
            "out": {"total": 0, "out_of_province": 0, "pairs": {}},
        },
    ]


def test_a_step_is_on_time_within_its_working_days(regions: Regions) -> None:
    """Two weeks have ten working days, and the one after them is too late."""
    monday = date(2026, 3, 2)
    rows = [
        Took("transfer-out", ZHENGZHOU, NANNING, monday, date(2026, 3, 16), 3),
        Took("transfer-out", ZHENGZHOU, NANNING, monday, date(2026, 3, 17), 1),
        Took("transfer-in", ZHENGZHOU, NANNING, monday, monday, 5),
    ]

    assert on_time(rows, regions) == [
        {"region": ZHENGZHOU, "step": "transfer-out", "done": 4, "on_time": 3, "rate": "0.7500"},
        {"region": NANNING, "step": "transfer-in", "done": 5, "on_time": 5, "rate": "1.0000"},
    ]


@pytest.mark.parametrize(
    ("month", "first", "last"),
    [
        ("2026-03", date(2026, 3, 1), date(2026, 3, 31)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_a_month_has_a_first_and_a_last_day(month: str, first: date, last: date) -> None:
    assert days_of(parse_month(month)) == (first, last)
