"""What the demo's report checks by itself, and the days it plays."""

from datetime import date, timedelta
from typing import Any

import pytest

from deploy.sandbox import demo, report

TRANSFER = "0fd4dc9a-da1e-5bfc-b284-fe127735ed58"


def row(**changes: object) -> dict[str, object]:
    """A transfer as it is published, with changes."""
    fields: dict[str, object] = {
        "transfer_id": TRANSFER, "record": "joined", "money": "funded", "overdue": False,
        "received": "10.00", "recovered": "0.00",
    }  # fmt: skip
    return fields | changes


@pytest.mark.parametrize(
    ("arrived", "holds"),
    [
        ({TRANSFER.replace("-", ""): 1000}, True),
        ({TRANSFER.replace("-", ""): 999}, False),
        ({}, False),
    ],
)
def test_a_transfer_that_received_more_than_the_bank_paid_for_it_is_found(
    arrived: dict[str, int], *, holds: bool
) -> None:
    assert report._rightly_matched([row()], arrived) is holds


def test_every_outcome_is_told_from_the_others() -> None:
    shown = [
        row(),
        row(record="refused", money="none"),
        row(record="withdrawn", money="none"),
        row(record="not_needed", money="none"),
        row(money="awaiting_funds"),
        row(money="advanced", overdue=True),
        row(money="short"),
        row(money="over"),
        row(money="paid_out"),
        row(money="written_off"),
        row(money="funded", recovered="1.00"),
    ]

    for name, holds in report.OUTCOMES.items():
        assert any(map(holds, shown)), name
    assert not report.OUTCOMES["money advanced and overdue"](row(money="advanced"))


def test_what_was_suspended_and_broken_on_some_evening_is_still_told_at_the_end() -> None:
    evenings = report.Evenings()
    corridor = {"origin": "130600", "destination": "340100"}
    sound = {"balanced": True, "invariants": {"funding": True}}
    for day, balance, suspended in (
        (date(2026, 4, 7), sound, None),
        (date(2026, 4, 8), sound, {"code": "overdue_share"}),
        (date(2026, 4, 9), {"balanced": False, "invariants": {"funding": False}}, None),
    ):
        evenings.look(day, balance, [{**corridor, "suspended": suspended}])

    assert evenings.suspended == {"130600>340100": "2026-04-08"}
    assert evenings.resumed == {"130600>340100": "2026-04-09"}
    assert evenings.unbalanced == ["2026-04-09: funding"]
    assert evenings.days == 3


def test_the_demo_plays_every_working_day_and_the_days_of_feeds_besides() -> None:
    saturday, monday = date(2026, 3, 7), date(2026, 3, 2)

    days = demo._days([monday, saturday])

    assert days[:6] == [monday + timedelta(days=n) for n in range(6)]
    assert date(2026, 3, 8) not in days
    assert len(days) == demo.WORKING_DAYS + 1


def test_the_forecast_is_of_the_most_open_corridor_that_has_a_history() -> None:
    class Network:
        def ask(self, _: str, path: str, corridor: str = "") -> Any:  # noqa: ANN401 JSON
            if path == "/v1/exposure":
                sums = {"450100": "9.00", "410100": "11.00", "130100": "8.00"}
                return [{"origin": o, "destination": "340100", "open": s} for o, s in sums.items()]
            return {"corridor": corridor, "enough": corridor != "410100>340100"}

    assert report._forecast(Network())["corridor"] == "450100>340100"  # type: ignore[arg-type]
