"""Waiting until all is handled, and the business clock that goes from due date to due date."""

import itertools
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import typer
from typer.testing import CliRunner, Result

from services.monitor.cli import app
from services.monitor.commands.clock import after, moment
from tests.unit.cli_server import SERVICES, Asked, Server, pending, serving

MONDAY = "2026-03-02T09:30:00+08:00"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.quiet()
        for name in SERVICES:
            running.on(f"{name}/v1/due", {"next": None})
        yield running


def run(server: Server, *words: str) -> Result:
    return CliRunner().invoke(app, list(words), env=server.environment())


class Clock:
    """A business clock that stands still, with due dates that go once they are reached."""

    def __init__(self, server: Server, now: str, due: list[str], *, begun: bool = True) -> None:
        self.now = datetime.fromisoformat(now)
        self.begun = begun
        self.due = sorted(map(datetime.fromisoformat, due))
        server.answers["monitor/v1/clock"] = self._clock
        server.answers["transfer/v1/due"] = self._due

    def _clock(self, asked: Asked) -> tuple[int, object]:
        if asked.method == "POST":
            at = datetime.fromisoformat(json.loads(asked.body)["at"])
            if at < self.now and self.begun:
                return 409, {"code": "clock_goes_forward", "message": "no"}
            self.now = at
        return 200, {"at": self.now.isoformat()}

    def _due(self, _: Asked) -> tuple[int, object]:
        left = [at for at in self.due if at > self.now]
        return 200, {"next": left[0].isoformat() if left else None}


def test_waiting_ends_at_the_second_quiet_look_at_the_same_state(server: Server) -> None:
    looks = iter([1, 2, 2])
    server.answers["transfer/v1/pending"] = lambda _: (200, pending(progress=next(looks)))

    result = run(server, "wait", "--json")

    assert result.exit_code == 0
    assert next(looks, None) is None


def test_what_moves_between_two_quiet_looks_is_waited_for(server: Server) -> None:
    looks = iter([pending(), pending(lag=1), pending(), pending(progress=2), pending(progress=2)])
    server.answers["settlement/v1/pending"] = lambda _: (200, next(looks))

    result = run(server, "wait")

    assert result.exit_code == 0
    assert next(looks, None) is None


def test_a_service_that_restarts_meanwhile_is_waited_for(server: Server) -> None:
    looks = iter([(503, {}), (200, pending()), (200, pending())])
    server.answers["settlement/v1/pending"] = lambda _: next(looks)

    assert run(server, "wait").exit_code == 0


@pytest.mark.parametrize("count", ["lag", "unpublished", "due", "own"])
def test_when_the_time_is_over_the_exit_is_1_and_says_what_is_pending(
    server: Server, count: str
) -> None:
    server.on("notification/v1/pending", pending(**{count: 3}))

    result = run(server, "wait", "--timeout", "0", "--json")

    assert result.exit_code == 1
    answered = json.loads(result.stdout)
    assert answered["code"] == "pending"
    assert [(row["service"], row[count]) for row in answered["pending"]] == [("notification", 3)]
    assert f"notification {count}=3" in result.stderr


def test_a_quiet_stack_needs_no_time(server: Server) -> None:
    assert run(server, "wait", "--timeout", "0").exit_code == 0


def test_what_still_moves_when_the_time_is_over_is_exit_1(server: Server) -> None:
    looks = itertools.count()
    server.answers["transfer/v1/pending"] = lambda _: (200, pending(progress=next(looks)))

    result = run(server, "wait", "--timeout", "0", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "pending"


def test_parked_messages_wait_for_an_operator_and_not_for_us(server: Server) -> None:
    server.on("transfer/v1/pending", pending(parked=2))

    assert run(server, "wait", "--timeout", "0.2").exit_code == 0


def test_waiting_for_services_none_of_which_answers_is_exit_3() -> None:
    with serving() as gone:
        environment = gone.environment()

    assert CliRunner().invoke(app, ["wait"], env=environment).exit_code == 3


def test_the_clock_stops_at_every_due_date_on_the_way(server: Server) -> None:
    due = ["2026-03-03T00:00:00+08:00", "2026-03-04T12:00:00+08:00", "2026-04-01T00:00:00+08:00"]
    Clock(server, MONDAY, due)

    result = run(server, "clock", "advance", "3d", "--json")

    assert json.loads(result.stdout) == {
        "now": "2026-03-05T09:30:00+08:00",
        "stops": [*due[:2], "2026-03-05T09:30:00+08:00"],
    }


def test_what_becomes_due_at_a_stop_is_waited_for_before_the_next(server: Server) -> None:
    Clock(server, MONDAY, ["2026-03-03T00:00:00+08:00"])

    run(server, "clock", "set", "2026-03-10T00:00:00+08:00")

    asked = [(request.method, request.path) for request in server.asked]
    first, second = (i for i, one in enumerate(asked) if one == ("POST", "monitor/v1/clock"))
    assert asked[first:second].count(("GET", "transfer/v1/pending")) >= 2


def test_the_clock_never_goes_back(server: Server) -> None:
    clock = Clock(server, MONDAY, [])

    result = run(server, "clock", "set", "2026-03-01T00:00:00+08:00", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "clock_goes_forward"
    assert clock.now == datetime.fromisoformat(MONDAY)


def test_where_nothing_has_happened_the_clock_is_set_to_an_earlier_time_in_one_step(
    server: Server,
) -> None:
    Clock(server, MONDAY, ["2026-03-01T12:00:00+08:00"], begun=False)

    result = run(server, "clock", "set", "2026-03-01T00:00:00+08:00", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "now": "2026-03-01T00:00:00+08:00",
        "stops": ["2026-03-01T00:00:00+08:00"],
    }
    assert [one.path for one in server.asked if one.method == "POST"] == ["monitor/v1/clock"]


@pytest.mark.parametrize("words", [("advance", "0d"), ("set", MONDAY)])
def test_going_to_the_time_that_it_is_sets_nothing_and_succeeds(
    server: Server, words: tuple[str, str]
) -> None:
    looks = iter(range(9))
    start = datetime.fromisoformat(MONDAY)
    server.answers["monitor/v1/clock"] = lambda asked: (
        (409, {"code": "clock_goes_forward", "message": "no"})
        if asked.method == "POST"
        # It runs on from one look to the next.
        else (200, {"at": (start + timedelta(seconds=next(looks))).isoformat()})
    )

    result = run(server, "clock", *words, "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["stops"] == [MONDAY]


@pytest.mark.parametrize("span", ["3661d", "3661wd", "87841h", "99999wd"])
def test_a_span_of_more_than_ten_years_is_wrong_usage(server: Server, span: str) -> None:
    assert run(server, "clock", "advance", span).exit_code == 2
    assert server.asked == []


def test_the_longest_span_can_be_counted() -> None:
    now = datetime.fromisoformat(MONDAY)

    assert after(now, "87840h") == after(now, "3660d") == now + timedelta(days=3660)


def test_a_clock_that_may_not_be_set_is_exit_1(server: Server) -> None:
    answer = {"code": "not_a_sandbox", "message": "no"}
    server.answers["monitor/v1/clock"] = lambda asked: (
        (409, answer) if asked.method == "POST" else (200, {"at": MONDAY})
    )

    result = run(server, "clock", "advance", "1d", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "not_a_sandbox"


def test_a_timer_that_never_fires_ends_the_walk(server: Server) -> None:
    Clock(server, MONDAY, [])
    server.on("transfer/v1/due", {"next": "2026-03-03T00:00:00+08:00"})

    result = run(server, "clock", "advance", "9d", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "clock_stuck"


def test_the_time_is_shown_with_the_next_due_date(server: Server) -> None:
    Clock(server, MONDAY, ["2026-03-03T00:00:00+08:00"])

    result = run(server, "clock", "--json")

    assert json.loads(result.stdout) == {"now": MONDAY, "next_due": "2026-03-03T00:00:00+08:00"}


@pytest.mark.parametrize(
    ("span", "end"),
    [
        ("3d", "2026-09-28T09:30:00+08:00"),
        ("12h", "2026-09-25T21:30:00+08:00"),
        # 25 September is Mid-Autumn; 1 to 7 October are National Day.
        ("3wd", "2026-09-30T09:30:00+08:00"),
        ("4wd", "2026-10-08T09:30:00+08:00"),
    ],
)
def test_a_span_counts_days_hours_or_working_days(span: str, end: str) -> None:
    now = datetime.fromisoformat("2026-09-25T09:30:00+08:00")

    assert after(now, span) == datetime.fromisoformat(end)


def test_a_time_without_offset_is_in_shanghai() -> None:
    assert moment("2026-03-02").isoformat() == "2026-03-02T00:00:00+08:00"


def test_a_time_that_is_none_is_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter):
        moment("tomorrow")
