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
from tests.unit.cli_server import ROW, SERVICES, TRANSFER, Server, pending, serving

ID_NO = "410102199003078512"
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


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (["transfers", "--limit", "0", "--json"], "--limit"),
        (["transfers", "--no-such-option", "--json"], "--no-such-option"),
        (["nonsense", "--json"], "nonsense"),
        (["clock", "advance", "soon", "--json"], "15wd"),
        (["person", ID_NO, ID_NO, "--json"], "4101**************"),
    ],
)
def test_wrong_usage_is_one_json_document_for_programs(
    server: Server, words: list[str], about: str
) -> None:
    result = run(server, *words)

    assert result.exit_code == 2
    answered = json.loads(result.stdout)
    assert answered["code"] == "usage"
    assert about in answered["message"]
    assert ID_NO not in result.output


def test_wrong_usage_says_nothing_on_standard_output_to_people(server: Server) -> None:
    result = run(server, "transfers", "--limit", "0")

    assert result.stdout == ""
    assert "--limit" in result.stderr


@pytest.mark.parametrize("token", ["é", "two words", "line\n"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(
    server: Server, token: str
) -> None:
    environment = {**server.environment(), "JIEXU_TOKEN": token}

    result = CliRunner().invoke(app, ["exposure", "--json"], env=environment)

    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "bad_token"
    assert token not in result.stderr.splitlines()[0]
    assert server.asked == []


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
    heavy = ("pydantic", "httpx", "asyncpg", "confluent_kafka", "fastapi", "deploy.embedded")
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
