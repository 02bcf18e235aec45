"""`jiexu risk` asks for one corridor or for all that have a history, and shows how sure it is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.cli_server import Asked, Server, serving
from tests.unit.test_cli_answers import EXPOSED, run

SPREAD = {
    "median": "2.00",
    "50": ["1.00", "3.00"],
    "80": ["0.50", "4.00"],
    "95": ["0.00", "9.00"],
}
WEEK = {"until": "2026-06-08", "money_in": SPREAD, "advanced": SPREAD, "exposure": SPREAD,
        "suspended_percent": 12.5}  # fmt: skip
BASE = {"weeks": [WEEK], "expected_loss": None, "advanced_same_day_percent": 99.5, "paths": 400}
FOUND: dict[str, Any] = {
    "corridor": "410100>450100",
    "distance": "cross-province",
    "enough": True,
    "history": {
        "claims": 70,
        "from": "2026-01-05",
        "borrowed_from": 9,
        "notes": ["it is short"],
    },
    "delays": {"never_percent": {"median": 2.0, "95": [1.0, 3.0]}},
    "limit": "50000000.00",
    "smallest_limit_serving_99_percent": "913826.18",
    "base": BASE,
    "what_if": {**BASE, "assumes": {"limit": None, "stops_paying_days": 30, "arrivals": "x10"}},
}
LITTLE = {
    "corridor": "340100>450100",
    "distance": "cross-province",
    "enough": False,
    "why": "too little history to say anything",
    "history": {"claims": 0},
}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def test_one_corridor_is_asked_with_what_if(server: Server) -> None:
    server.on("settlement/v1/risk", FOUND)

    typed = ("--corridor", "410100>450100", "--limit", "5000000", "--arrivals", "x10")
    result = run(server, "risk", *typed, "--stops-paying-days", "30")

    asked = server.asked[-1].query
    assert (asked["corridor"], asked["limit"]) == ("410100>450100", "5000000.00")
    assert (asked["arrivals"], asked["stops_paying_days"]) == ("10", "30")
    assert result.exit_code == 0
    for shown in ("it is short", "913826.18", "2.0 % (95 %: 1.0", "what if", "not known yet"):
        assert shown in result.stdout
    assert "2.00  [0.50 … 4.00]" in result.stdout


def test_all_corridors_with_a_history_are_shown(server: Server) -> None:
    known = {"410100>450100": FOUND, "340100>450100": LITTLE}
    server.on("settlement/v1/exposure", [{**EXPOSED, "corridor": name} for name in known])

    def told(asked: Asked) -> tuple[int, object]:
        return 200, known[asked.query["corridor"]]

    server.answers["settlement/v1/risk"] = told

    result = run(server, "risk", "--json")

    assert [row["corridor"] for row in json.loads(result.stdout)] == ["410100>450100"]


def test_too_little_history_is_said_plainly(server: Server) -> None:
    server.on("settlement/v1/risk", LITTLE)

    result = run(server, "risk", "--corridor", "340100>450100")

    assert "too little history" in result.stdout


@pytest.mark.parametrize("typed", [("--limit", "much"), ("--arrivals", "x0"), ("--arrivals", "z")])
def test_what_cannot_be_is_a_usage_error(server: Server, typed: tuple[str, str]) -> None:
    assert run(server, "risk", *typed).exit_code == 2
