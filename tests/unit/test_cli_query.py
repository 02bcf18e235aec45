"""What is asked about people and their transfers, and what the answers are made of."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from services.monitor.cli import app
from tests.unit.cli_server import ROW, SERVICES, TRANSFER, Asked, Server, serving

ID_NO = "410102199003078512"
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def run(server: Server, *words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), env=server.environment(), input=typed)


def test_an_id_number_from_standard_input_travels_in_the_body_alone(server: Server) -> None:
    about = {"person": "4101**********8512", "person_key": KEY, "covered_today": True}
    server.on("enrollment/v1/persons", {**about, "next": None, "enrollments": []})
    account = {"region": "450100", "balance": "4084.12", "unfunded": "0.00", "recoverable": "0.00"}
    server.on("settlement/v1/accounts", [account])

    result = run(server, "person", "-", "--json", typed=f"{ID_NO}\n")

    answered = json.loads(result.stdout)
    assert answered["accounts"] == [account]
    assert "person_key" not in answered
    assert server.bodies("enrollment/v1/persons") == [{"id_type": "01", "id_no": ID_NO}]
    assert not any(ID_NO in asked.path + str(asked.query) for asked in server.asked)


def test_the_transfers_of_a_person_are_asked_for_by_their_key(server: Server) -> None:
    server.on("enrollment/v1/persons", {"person_key": KEY})
    server.on("transfer/v1/transfers", [ROW])

    result = run(server, "transfers", "--person", ID_NO, "--json")

    assert json.loads(result.stdout) == [ROW]
    assert server.asked[-1].query["person"] == KEY


def test_all_transfers_are_read_page_by_page_for_programs(server: Server) -> None:
    rows = [{**ROW, "transfer_id": f"{number:04}"} for number in range(2500)]

    def page(asked: Asked) -> tuple[int, object]:
        after = asked.query.get("after", "")
        later = [row for row in rows if row["transfer_id"] > after]
        return 200, later[: int(asked.query["limit"])]

    server.answers["transfer/v1/transfers"] = page

    result = run(server, "transfers", "--json")
    some = run(server, "transfers", "--json", "--limit", "1200")

    assert json.loads(result.stdout) == rows
    assert json.loads(some.stdout) == rows[:1200]


def test_no_transfers_are_an_empty_list(server: Server) -> None:
    server.on("transfer/v1/transfers", [])

    assert json.loads(run(server, "transfers", "--json").stdout) == []


def test_stuck_are_the_overdue_and_the_open_ones_of_people_whose_messages_wait(
    server: Server,
) -> None:
    late = {**ROW, "transfer_id": "2", "closed": False, "overdue": True}
    held = {**ROW, "transfer_id": "1", "closed": False, "opened_at": "2026-03-03T00:00:00+08:00"}
    later = {**late, "transfer_id": "3", "opened_at": "2026-03-04T00:00:00+08:00"}
    ended = {**ROW, "transfer_id": "4"}
    theirs = {"true": [late, later], None: [held, ended, later]}
    server.answers["transfer/v1/transfers"] = lambda asked: (200, theirs[asked.query.get("stuck")])
    for name in SERVICES:
        server.on(f"{name}/v1/dead-letters", [])
    letter = {
        "key": KEY,
        "letter": "L",
        "type": "transfer.remind.v1",
        "code": "fault",
        "state": "refused",
        "recorded_at": "2026-03-03T01:00:00+08:00",
    }
    server.on("transfer/v1/dead-letters", [letter, {**letter, "key": "450100:income"}])

    result = run(server, "transfers", "--stuck", "--json")

    found = json.loads(result.stdout)
    [wait] = found[1]["waiting"]
    assert [row["transfer_id"] for row in found] == ["2", "1", "3"]
    assert wait["for"] == "a dead letter: transfer.remind.v1 (fault) at transfer"
    assert wait["since"] == letter["recorded_at"]
    assert "dead-letters show L" in wait["do"]
    assert [asked.query["person"] for asked in server.asked if "person" in asked.query] == [KEY]


DECIDED = {
    "at": "2026-03-02T10:00:00+08:00",
    "what": "approved",
    "by": "wang",
    "act": "x",
    "why": "",
}


def test_every_decision_is_explained_in_the_order_of_time(server: Server) -> None:
    first = {"at": "2026-03-02T09:30:00+08:00", "decision": "enroll", "rule": "papers"}
    second = {"at": "2026-03-02T09:30:01+08:00", "type": "enrollment.registered.v1", "why": "…"}
    rule = {"rule": "automatic", "value": True, "source": "a document"}
    case = {"policy": "450100@2025-01-01", "rules": [rule], "decisions": [second], "waits_for": []}
    server.on(f"transfer/v1/transfers/{TRANSFER}/explain", case)
    server.on(f"settlement/v1/items/of/{TRANSFER}", [])
    server.on("enrollment/v1/explain", [first])

    result = run(server, "explain", TRANSFER, "--json")

    answered = json.loads(result.stdout)
    assert answered["rules"] == [rule]
    assert answered["decisions"] == [
        {"service": "enrollment", **first},
        {"service": "transfer", **second},
    ]


def test_a_transfer_has_its_timeline_from_the_monitor(server: Server) -> None:
    step = {"at": "2026-03-02T09:30:00+08:00", "message": "enrollment.registered.v1", "text": "…"}
    server.on(f"transfer/v1/transfers/{TRANSFER}", ROW)
    server.on(f"monitor/v1/timeline/{TRANSFER}", {"transfer": TRANSFER, "timeline": [step]})
    server.on("notification/v1/letters", [])
    item = {"item": "I", "queue": "shortfall", "state": "done", "history": [DECIDED]}
    server.on(f"settlement/v1/items/of/{TRANSFER}", [item])

    result = run(server, "transfer", TRANSFER, "--json")
    shown = run(server, "transfer", TRANSFER).stdout

    assert json.loads(result.stdout) == {**ROW, "timeline": [step], "items": [item]}
    assert {"shortfall", "approved", "wang"} <= set(shown.split())


def test_people_read_the_last_day_and_programs_the_instant_that_ends_it(server: Server) -> None:
    server.on("transfer/v1/transfers", [ROW])
    server.on(f"transfer/v1/transfers/{TRANSFER}", ROW)
    server.on(f"monitor/v1/timeline/{TRANSFER}", {"transfer": TRANSFER, "timeline": []})
    server.on("notification/v1/letters", [])
    waits = [{"step": "answer", "due_at": ROW["due_at"], "missed": 0}]
    case = {"policy": "p", "rules": [], "decisions": [], "waits_for": waits}
    server.on(f"transfer/v1/transfers/{TRANSFER}/explain", case)
    server.on(f"settlement/v1/items/of/{TRANSFER}", [])

    questions = (["transfers"], ["transfer", TRANSFER], ["explain", TRANSFER])
    seen = [run(server, *words).stdout for words in questions]
    read = [run(server, *words, "--json").stdout for words in questions]

    assert all("2026-03-23" in text and "2026-03-24" not in text for text in seen)
    assert all(ROW["due_at"] in text for text in read)


def test_a_transfer_that_is_not_there_is_refused(server: Server) -> None:
    assert run(server, "transfer", TRANSFER).exit_code == 1
