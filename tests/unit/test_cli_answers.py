"""What a command prints, where it prints it, and the exit code it ends with."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.monitor.cli import app
from tests.unit.cli_server import SERVICES, Asked, Server, pending, serving

ID_NO = "410102199003078512"
KEY = "0123456789abcdef0123456789abcdef"
TRANSFER = "8c1f2a52-6a38-5b58-9a0e-3f3f0d1f4a01"

ROW: dict[str, Any] = {
    "transfer_id": TRANSFER,
    "origin": "410100",
    "destination": "450100",
    "scheme": "310>310",
    "trigger": "auto",
    "record": "joined",
    "money": "funded",
    "closed": True,
    "overdue": False,
    "released": "4084.12",
    "advanced": "4084.12",
    "opened_at": "2026-03-02T09:30:00.000+08:00",
    "due_at": "2026-03-24T00:00:00+08:00",
    "reason": None,
}
BALANCE: dict[str, Any] = {
    "balanced": True,
    "invariants": {"entries_balance": True, "funding": True},
    "mirror": [],
    "regions": {"450100": [{"account": "a", "debit": "1.00", "credit": "0.00", "balance": "1.00"}]},
}

EXPOSED: dict[str, Any] = {
    "corridor": "410100>450100",
    "open": "1.00",
    "limit": "50000000.00",
    "count": 1,
    "ages": {"0-15": "1.00", "16-45": "0.00", "46-90": "0.00", ">90": "0.00"},
}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def run(server: Server, *words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), env=server.environment(), input=typed)


def test_an_answer_is_one_json_document_and_the_exit_code_is_0(server: Server) -> None:
    server.on("settlement/v1/exposure", [{"corridor": "410100>450100", "open": "1.00"}])

    result = run(server, "exposure", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == [{"corridor": "410100>450100", "open": "1.00"}]


def test_the_token_goes_with_every_question(server: Server) -> None:
    server.on("settlement/v1/exposure", [])

    run(server, "exposure")

    assert [asked.token for asked in server.asked] == ["Bearer secret"]


def test_a_refusal_is_exit_1_with_its_code_for_programs_and_its_sentence(server: Server) -> None:
    server.on("settlement/v1/exposure", {"code": "not_yours", "message": "不行 / no"}, status=403)

    result = run(server, "exposure", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"code": "not_yours", "message": "settlement: 不行 / no"}
    assert "不行 / no" in result.stderr


def test_a_validation_error_is_told_without_what_was_sent(server: Server) -> None:
    detail = [{"loc": ["body", "id_no"], "input": ID_NO}]
    server.on("enrollment/v1/persons", {"detail": detail}, status=422)

    result = run(server, "person", ID_NO)

    assert result.exit_code == 1
    assert ID_NO not in result.output


def test_a_service_that_is_not_ready_is_exit_3(server: Server) -> None:
    server.on("settlement/v1/exposure", {"code": "later", "message": "busy"}, status=503)

    assert run(server, "exposure").exit_code == 3


def test_nothing_listening_is_exit_3_and_says_where_it_looked() -> None:
    with serving() as gone:
        environment = gone.environment()

    result = CliRunner().invoke(app, ["exposure", "--json"], env=environment)

    assert result.exit_code == 3
    assert json.loads(result.stdout)["code"] == "unreachable"
    assert gone.url in result.stderr


def test_a_home_without_a_stack_is_exit_3_and_says_what_to_do(tmp_path: Path) -> None:
    nowhere = {f"JIEXU_{name.upper()}_URL": "" for name in SERVICES}

    result = CliRunner().invoke(app, ["exposure"], env={**nowhere, "JIEXU_HOME": str(tmp_path)})

    assert result.exit_code == 3
    assert "jiexu up --embedded" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["transfer"],
        ["transfer", "not-an-id"],
        ["transfers", "--limit", "0"],
        ["intake", "registrations", "/no/such/file"],
        ["clock", "advance", "soon"],
        ["serve", "nobody"],
        ["up"],
        ["export", "remittances", "--region", "410100"],
        ["dead-letters", "discard", TRANSFER],
    ],
)
def test_wrong_usage_is_exit_2(server: Server, words: list[str]) -> None:
    assert run(server, *words).exit_code == 2


def test_a_usage_error_does_not_repeat_an_id_number(server: Server) -> None:
    result = run(server, "person", ID_NO, ID_NO)

    assert result.exit_code == 2
    assert ID_NO not in result.output
    assert "4101**************" in result.output


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
    server.on("transfer/v1/dead-letters", [{"key": KEY}, {"key": "450100:income"}])

    result = run(server, "transfers", "--stuck", "--json")

    assert json.loads(result.stdout) == [late, held, later]
    assert [asked.query["person"] for asked in server.asked if "person" in asked.query] == [KEY]


def test_every_decision_is_explained_in_the_order_of_time(server: Server) -> None:
    first = {"at": "2026-03-02T09:30:00+08:00", "decision": "enroll", "rule": "papers"}
    second = {"at": "2026-03-02T09:30:01+08:00", "type": "enrollment.registered.v1", "why": "…"}
    rule = {"rule": "automatic", "value": True, "source": "a document"}
    case = {"policy": "450100@2025-01-01", "rules": [rule], "decisions": [second], "waits_for": []}
    server.on(f"transfer/v1/transfers/{TRANSFER}/explain", case)
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
    server.on(f"monitor/v1/timeline/{TRANSFER}", [step])

    result = run(server, "transfer", TRANSFER, "--json")

    assert json.loads(result.stdout) == {**ROW, "timeline": [step]}


def test_a_transfer_that_is_not_there_is_refused(server: Server) -> None:
    assert run(server, "transfer", TRANSFER).exit_code == 1


def test_a_trial_balance_whose_invariants_hold_is_exit_0(server: Server) -> None:
    server.on("settlement/v1/trial-balance", BALANCE)

    result = run(server, "trial-balance", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == BALANCE


@pytest.mark.parametrize(
    "broken", [{"invariants": {"funding": False}}, {"balanced": False}], ids=["one", "balanced"]
)
def test_a_broken_invariant_is_exit_1_and_still_one_document(
    server: Server, broken: dict[str, Any]
) -> None:
    server.on("settlement/v1/trial-balance", {**BALANCE, **broken})

    result = run(server, "trial-balance", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {**BALANCE, **broken}


def test_the_status_of_a_service_that_is_not_ready_is_exit_1(server: Server) -> None:
    server.quiet()
    server.on("transfer/v1/pending", pending(ready=False))

    result = run(server, "status", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["healthy"] is False


def test_a_dead_letter_is_acted_on_where_it_lies(server: Server, tmp_path: Path) -> None:
    server.on(f"settlement/v1/dead-letters/{TRANSFER}", {"letter": TRANSFER})
    server.on(f"settlement/v1/dead-letters/{TRANSFER}/redrive", {"message_id": "m"}, status=202)
    edited = tmp_path / "edited.json"
    edited.write_text('{"amount_fen": 1}', "utf-8")

    result = run(server, "dead-letters", "redrive", TRANSFER, "--body", str(edited), "--json")

    assert json.loads(result.stdout)["service"] == "settlement"
    path = f"settlement/v1/dead-letters/{TRANSFER}/redrive"
    assert server.bodies(path) == [{"body": {"amount_fen": 1}}]


def test_every_table_can_be_shown_to_people(server: Server) -> None:
    server.quiet()
    server.on("transfer/v1/transfers", [ROW])
    server.on("settlement/v1/trial-balance", BALANCE)
    server.on("settlement/v1/exposure", [EXPOSED])
    server.on("settlement/v1/receipts", [{"receipt": "r", "amount": "1.00"}])

    shown = [
        run(server, word) for word in ("transfers", "trial-balance", "exposure", "receipts", "wait")
    ]

    assert [result.exit_code for result in shown] == [0] * 5
    assert TRANSFER in shown[0].stdout
    assert "410100>450100" in shown[2].stdout


def test_the_first_page_loads_nothing_heavy() -> None:
    heavy = ("pydantic", "httpx", "asyncpg", "aiokafka", "fastapi", "deploy.embedded")
    program = f"""
import sys
from services.monitor.cli import app
try:
    app(["--help"])
except SystemExit:
    pass
print("loaded:", [name for name in {heavy} if name in sys.modules])
"""

    shown = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert shown.rstrip().endswith("loaded: []")
