"""Files sent in: what is sent as it is, the answer file, and what is printed about it."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.monitor.cli import app
from services.monitor.commands.client import Client
from services.monitor.commands.intake import send
from tests.unit.cli_server import Asked, Server, pending, serving

PATH = "enrollment/v1/registrations/file"
DECISIONS = "enrollment/v1/records/decisions"
HEAD = "source,record_id,outcome,code,message,transfer_id\n"
FEED = "source,record_id,name\nha-hrss,1,张伟\n".encode("gb18030")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.quiet()
        yield running


def run(server: Server, *words: str, typed: bytes | None = None) -> Result:
    return CliRunner().invoke(app, list(words), env=server.environment(), input=typed)


def feed(folder: Path) -> Path:
    path = folder / "feed.csv"
    path.write_bytes(FEED)
    return path


def result_of(path: Path) -> str:
    return path.with_name("feed.csv.result.csv").read_text("utf-8")


def test_a_feed_is_sent_as_it_is_and_its_answers_are_kept_beside_it(
    server: Server, tmp_path: Path
) -> None:
    answers = f'{HEAD}ha-hrss,1,accepted,,,\nha-hrss,2,refused,bad_month,"two\nlines",\n'
    server.on(PATH, answers.encode())
    server.headers["jiexu-notes"] = json.dumps({"code": None, "unknown_columns": ["maternity"]})
    path = feed(tmp_path)

    result = run(server, "intake", "registrations", str(path), "--json")

    assert result.exit_code == 0
    assert server.asked[-1].body == FEED
    assert result_of(path) == answers
    assert json.loads(result.stdout) == {
        "file": str(path),
        "result": f"{path}.result.csv",
        "checked_only": False,
        "code": None,
        "message": None,
        "unknown_columns": ["maternity"],
        "rows": 2,
        "outcomes": {"accepted": 1, "duplicate": 0, "refused": 1, "unreadable": 0},
        "codes": {"bad_month": 1},
    }


def test_a_feed_that_cannot_be_told_into_rows_is_exit_1_and_answered_in_one_row(
    server: Server, tmp_path: Path
) -> None:
    path = feed(tmp_path)
    path.with_name("feed.csv.result.csv").write_text("former", "utf-8")
    server.on(PATH, {"code": "not_csv", "message": "二进制 / binary"}, status=422)

    result = run(server, "intake", "registrations", str(path), "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "not_csv"
    assert result_of(path) == f"{HEAD},,unreadable,not_csv,二进制 / binary,\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["feed.csv", "feed.csv.result.csv"]


@pytest.mark.parametrize(("status", "code"), [(403, 1), (503, 3)])
def test_a_feed_that_was_not_taken_leaves_no_answers_of_an_earlier_run(
    server: Server, tmp_path: Path, status: int, code: int
) -> None:
    path = feed(tmp_path)
    path.with_name("feed.csv.result.csv").write_text("former", "utf-8")
    server.on(PATH, {"code": "no", "message": "不行 / no"}, status=status)

    result = run(server, "intake", "registrations", str(path))

    assert result.exit_code == code
    assert [file.name for file in tmp_path.iterdir()] == ["feed.csv"]


@pytest.mark.parametrize("place", ["", "no/such/folder/answers.csv", "feed.csv/answers.csv"])
def test_answers_that_cannot_be_written_are_refused_before_anything_is_sent(
    server: Server, tmp_path: Path, place: str
) -> None:
    words = ("intake", "registrations", str(feed(tmp_path)), "--result", str(tmp_path / place))

    result = run(server, *words, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "not_written"
    assert server.asked == []
    assert [file.name for file in tmp_path.iterdir()] == ["feed.csv"]


def test_the_answers_do_not_take_the_place_of_the_feed(server: Server, tmp_path: Path) -> None:
    path = feed(tmp_path)

    result = run(server, "intake", "registrations", str(path), "--result", str(path))

    assert result.exit_code == 2
    assert path.read_bytes() == FEED


def test_a_feed_without_a_needed_column_is_exit_1_and_its_rows_are_answered(
    server: Server, tmp_path: Path
) -> None:
    answers = f"{HEAD}ha-hrss,1,refused,missing_column,no region,\n"
    server.on(PATH, answers.encode())
    server.headers["jiexu-notes"] = json.dumps({"code": "missing_column", "message": "no region"})
    path = feed(tmp_path)

    result = run(server, "intake", "registrations", str(path), "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "missing_column"
    assert result_of(path) == answers


def test_check_asks_that_nothing_be_changed(server: Server, tmp_path: Path) -> None:
    server.on(PATH, HEAD.encode())

    result = run(server, "intake", "registrations", str(feed(tmp_path)), "--check", "--json")

    assert server.asked[-1].query == {"check": "true"}
    assert json.loads(result.stdout)["checked_only"] is True


def test_standard_input_is_sent_and_answered_where_it_is_told(
    server: Server, tmp_path: Path
) -> None:
    server.on(PATH, HEAD.encode())
    answers = tmp_path / "answers.csv"

    result = run(server, "intake", "registrations", "-", "--result", str(answers), typed=FEED)

    assert result.exit_code == 0
    assert server.asked[-1].body == FEED
    assert answers.read_text("utf-8") == HEAD


def test_waiting_adds_each_decision_to_the_answers(server: Server, tmp_path: Path) -> None:
    rows = "'=gx,'-1,accepted,,,t1\ngx,2,refused,bad_month,no,\ngx,3,duplicate,,,\n"
    server.on(PATH, (HEAD + rows).encode())
    first = {"source": "=gx", "record_id": "-1", "decision": "accepted", "code": None}
    third = {"source": "gx", "record_id": "3", "decision": "refused", "code": "not_enrolled"}
    server.on(DECISIONS, [{**first, "transfer_id": "t0"}, {**third, "message": "未参保 / no"}])
    path = feed(tmp_path)

    result = run(server, "intake", "registrations", str(path), "--wait", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["decisions"] == {"accepted": 1, "refused": 1}
    assert server.bodies(DECISIONS) == [
        [{"source": "=gx", "record_id": "-1"}, {"source": "gx", "record_id": "3"}]
    ]
    assert result_of(path) == (
        "source,record_id,outcome,code,message,transfer_id,decision\n"
        "'=gx,'-1,accepted,,,t1,accepted\n"
        "gx,2,refused,bad_month,no,,\n"
        "gx,3,duplicate,not_enrolled,未参保 / no,,refused\n"
    )


def test_a_decision_that_is_not_there_yet_is_asked_for_again(
    server: Server, tmp_path: Path
) -> None:
    server.on("enrollment/v1/pending", pending(lag=1))
    server.on(PATH, (HEAD + "gx,1,accepted,,,\n").encode())
    known = [{"source": "gx", "record_id": "1", "decision": "accepted", "code": None}]
    answers = iter([[], known])
    server.answers[DECISIONS] = lambda _: (200, next(answers))

    result = run(server, "intake", "registrations", str(feed(tmp_path)), "--wait", "--json")

    assert json.loads(result.stdout)["decisions"] == {"accepted": 1}


def test_rows_that_stay_undecided_are_exit_1_and_still_one_document(
    server: Server, tmp_path: Path
) -> None:
    server.on(PATH, (HEAD + "gx,1,accepted,,,\n").encode())
    server.on(DECISIONS, [])
    path = feed(tmp_path)

    result = run(server, "intake", "registrations", str(path), "--wait", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["decisions"] == {"undecided": 1}
    assert result_of(path).endswith("gx,1,accepted,,,,undecided\n")


def test_memory_does_not_grow_with_the_answers(server: Server, tmp_path: Path) -> None:
    row = b"ha-hrss,0123456789,accepted,,,8c1f2a52-6a38-5b58-9a0e-3f3f0d1f4a01\n"
    answers = HEAD.encode() + row * 60_000

    def answer(_: Asked) -> tuple[int, object]:
        return 200, answers

    server.answers[PATH] = answer
    client = Client({"enrollment": f"{server.url}/enrollment"}, "secret")
    tracemalloc.start()

    with feed(tmp_path).open("rb") as source:
        tally = send(client, source, tmp_path / "answers.csv")

    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    client.close()
    assert tally["rows"] == 60_000
    assert most_bytes < len(answers) / 2


def test_a_statement_is_sent_as_it_is(server: Server, tmp_path: Path) -> None:
    accepted = {"statement": "s", "entries": 3, "accepted": 3, "duplicate": 0, "gap": None}
    server.on("settlement/v1/statements", accepted, status=202)
    path = feed(tmp_path)

    result = run(server, "intake", "statement", str(path), "--json")

    assert json.loads(result.stdout) == accepted
    assert server.asked[-1].body == FEED


def test_what_the_bank_is_to_pay_goes_whole_into_a_file(server: Server, tmp_path: Path) -> None:
    server.on("settlement/v1/remittances", b"<Document/>")
    server.headers["Jiexu-Runs"] = "410100-20260331-1"
    out = tmp_path / "pain.xml"

    words = ("export", "remittances", "--region", "410100", "--date", "2026-03-31", "--lump")
    result = run(server, *words, "--out", str(out), "--json")

    sent = {"region": "410100", "date": "2026-03-31", "lump": True}
    assert server.bodies("settlement/v1/remittances") == [sent]
    assert out.read_bytes() == b"<Document/>"
    assert json.loads(result.stdout) == {**sent, "runs": ["410100-20260331-1"], "out": str(out)}


def test_payments_are_not_asked_for_a_file_that_cannot_be_written(
    server: Server, tmp_path: Path
) -> None:
    words = ("export", "remittances", "--region", "410100", "--date", "2026-03-31")

    result = run(server, *words, "--out", str(tmp_path / "none" / "pain.xml"), "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "not_written"
    assert server.asked == []


def test_where_nothing_is_due_no_file_is_written(server: Server, tmp_path: Path) -> None:
    server.on("settlement/v1/remittances", b"", status=200)
    out = tmp_path / "pain.xml"

    words = ("export", "remittances", "--region", "410100", "--date", "2026-03-31")
    result = run(server, *words, "--out", str(out), "--json")

    assert json.loads(result.stdout)["runs"] == []
    assert not out.exists()
