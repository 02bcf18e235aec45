"""Files as they really come: damaged rows, a killed command, a very long file."""

import csv
import os
import signal
import subprocess
from datetime import date
from pathlib import Path

import psutil
import pytest

from shared.identity import make_id
from tests.system.stack import HEADER, JIEXU, Stack, mover


def row(n: int, **changed: str) -> dict[str, str]:
    """A good row of somebody who is opened in Zhengzhou, with changes."""
    id_no = make_id("410102", date(1970, 1, 1 + n % 28), n % 1000)
    return {**mover(f"damage-{n}", id_no, "赵敏", "12.34")[0], **changed}


DAMAGE: dict[str, tuple[dict[str, str], str]] = {
    "nothing": ({}, "accepted"),
    "wrong checksum": ({"id_no": "410102199003078513"}, "refused"),
    "unknown region": ({"region": "999999"}, "refused"),
    "month 2026-13": ({"months": "2019-03..2026-13"}, "refused"),
    "negative amount": ({"balance": "-5.00"}, "refused"),
    "1e5": ({"balance": "1e5"}, "refused"),
    "three decimals": ({"balance": "5.001"}, "refused"),
    "future date": ({"occurred_at": "2099-01-01T00:00:00+08:00"}, "refused"),
    "unknown action": ({"action": "close"}, "refused"),
    "emoji name": ({"name": "赵😀敏"}, "accepted|refused"),
    "injected formula": ({"record_id": '=cmd|"/c calc"!A1', "region": "1"}, "refused"),
    "NUL": ({"reason": "a\x00b"}, "refused|unreadable"),
    "no time zone": ({"occurred_at": "2026-02-20T09:00:00"}, "refused"),
}


def test_every_damaged_row_gets_an_answer_and_the_rest_goes_on(
    stack: Stack, tmp_path: Path
) -> None:
    rows = [row(n, **changed) for n, (changed, _) in enumerate(DAMAGE.values())]

    answers = stack.send(tmp_path / "damage.csv", rows)

    assert len(answers) == len(rows)
    for (name, (_, expected)), answer in zip(DAMAGE.items(), answers, strict=True):
        assert answer["outcome"] in expected.split("|"), (name, answer)
        assert answer["message"] or answer["outcome"] == "accepted", (name, answer)
        assert not answer["record_id"].startswith(("=", "+", "-", "@")), name


FILES: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "only a header": ",".join(HEADER).encode() + b"\n",
    "missing column": b"source,record_id,action\nx,1,open\n",
    "duplicate header": b"source,source,record_id\na,b,c\n",
    "unclosed quote": ",".join(HEADER).encode() + b'\nha-hrss,"1,open\nha-hrss,2,open\n',
    "a line of 3 MB": ",".join(HEADER).encode() + b"\n" + b"x" * 3_000_000 + b"\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_none_gets_a_clear_answer_and_no_traceback(
    stack: Stack, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(FILES[name])

    answer = stack.run("intake", "registrations", str(path))

    assert answer.code in (0, 1)
    assert "Traceback" not in answer.errors
    assert answer.document is not None


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "crlf"])
def test_other_encodings_are_read(stack: Stack, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "other.csv"
    number = {"gb18030": 300, "utf-8-sig": 301, "crlf": 302}[encoding]
    with path.open("w", encoding="utf-8" if encoding == "crlf" else encoding, newline="") as file:
        ends = "\r\n" if encoding == "crlf" else "\n"
        writer = csv.DictWriter(file, HEADER, restval="", lineterminator=ends)
        writer.writeheader()
        writer.writerow(row(number))

    stack.ask("intake", "registrations", str(path))

    assert [answer["outcome"] for answer in stack.answers(path)] == ["accepted"]


def test_the_same_record_with_other_content_is_a_conflict(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "conflict.csv"
    stack.send(path, [row(400)])

    answers = stack.send(path, [row(400, balance="99.99")])

    assert (answers[0]["outcome"], answers[0]["code"]) == ("refused", "conflict")


def test_a_killed_command_sent_again_takes_every_row_once(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    stack.write(path, [row(n, record_id=f"long-{n}") for n in range(500, 5500)])
    words = [str(JIEXU), "intake", "registrations", str(path), "--json"]
    first = subprocess.Popen(words, env=stack.environment, stdout=subprocess.DEVNULL)
    psutil.Process(first.pid).cpu_percent(0.7)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()

    stack.ask("intake", "registrations", str(path))

    outcomes = [answer["outcome"] for answer in stack.answers(path)]
    assert len(outcomes) == 5000
    assert set(outcomes) <= {"accepted", "duplicate"}
    again = stack.ask("intake", "registrations", str(path))
    assert [a["outcome"] for a in stack.answers(path)] == ["duplicate"] * 5000, again
