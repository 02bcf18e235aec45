"""A service that has too much to do is sent the same again until it takes it."""

import json
from pathlib import Path

import pytest

from tests.unit.cli_server import Asked, Server
from tests.unit.test_cli_intake import FEED, HEAD, PATH, feed, run, server

__all__ = ["server"]


def busy(server: Server, path: str, times: int, answer: object) -> None:
    """Let the service be too busy at first."""
    server.headers["Retry-After"] = "0"
    left = iter([True] * times)

    def told(_: Asked) -> tuple[int, object]:
        if next(left, False):
            return 429, {"code": "later", "message": "稍后 / too much waits"}
        return 200, answer

    server.answers[path] = told


@pytest.mark.parametrize("typed", [None, FEED])
def test_a_service_that_has_too_much_to_do_is_sent_the_whole_feed_again(
    server: Server, tmp_path: Path, typed: bytes | None
) -> None:
    busy(server, PATH, 2, HEAD.encode())
    answers = tmp_path / "answers.csv"
    name = "-" if typed else str(feed(tmp_path))

    result = run(server, "intake", "registrations", name, "--result", str(answers), typed=typed)

    assert result.exit_code == 0
    assert [asked.body for asked in server.asked] == [FEED] * 3
    assert answers.read_text("utf-8") == HEAD
    assert result.stderr.count("sent again until it is taken") == 1


def test_a_statement_waits_for_a_service_that_has_too_much_to_do(
    server: Server, tmp_path: Path
) -> None:
    accepted: dict[str, list[str]] = {"statements": [], "codes": []}
    busy(server, "settlement/v1/statements", 1, accepted)

    result = run(server, "intake", "statement", str(feed(tmp_path)), "--json")

    assert json.loads(result.stdout) == accepted
    assert [asked.body for asked in server.asked] == [FEED] * 2
