"""The story in containers, through HTTP, with one service killed in the middle.

Needs a Docker engine that has, or can pull, the base images; skipped where none answers.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.identity import make_id
from shared.messages import transfer_uuid
from tests.system.bank_files import Line, camt053
from tests.system.stack import mover

CHECKOUT = Path(__file__).parents[2]
PORTS = {"enrollment": 8081, "transfer": 8082, "settlement": 8083, "monitor": 8085}
KILL = (
    "import os, pathlib\n"
    "for p in pathlib.Path('/proc').iterdir():\n"
    "    if p.name.isdigit() and int(p.name) not in (1, os.getpid()):\n"
    "        if b'services.serve' in (p / 'cmdline').read_bytes(): os.kill(int(p.name), 9)\n"
)


def compose(*words: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "compose", *words],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


def _engine() -> bool:
    try:
        asked = ["docker", "info"]
        return subprocess.run(asked, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


class Containers:
    """The running containers as an upstream system and a clerk see them."""

    def __init__(self, token: str) -> None:
        self._http = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def post(self, service: str, path: str, **body: Any) -> httpx.Response:  # noqa: ANN401
        return self._http.post(f"http://127.0.0.1:{PORTS[service]}{path}", **body)

    def transfer(self, id_: str) -> dict[str, Any]:
        try:
            answer = self._http.get(f"http://127.0.0.1:{PORTS['transfer']}/v1/transfers/{id_}")
        except httpx.HTTPError:
            return {}
        return dict(answer.json()) if answer.status_code == 200 else {}

    def until(self, id_: str, money: str, seconds: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (found := self.transfer(id_)).get("money") != money:
            assert time.monotonic() < deadline, f"waited for {money}, the transfer is {found}"
            time.sleep(0.5)
        return found


@pytest.fixture
def containers() -> Iterator[Containers]:
    if not _engine():
        pytest.skip("no Docker engine answers")
    up = subprocess.run(
        ["make", "up"], cwd=CHECKOUT, capture_output=True, text=True, timeout=900, check=False
    )
    try:
        logs = "" if up.returncode == 0 else compose("logs", "--tail", "30").stdout
        assert up.returncode == 0, up.stdout[-3000:] + up.stderr[-3000:] + logs
        tokens = json.loads((CHECKOUT / ".jiexu-compose" / "tokens.json").read_text())
        yield Containers(next(iter(tokens)))
    finally:
        compose("down", "--volumes", "--timeout", "30")


def test_the_story_through_http_with_a_service_killed_in_the_middle(
    containers: Containers,
) -> None:
    record = f"compose-{os.getpid()}"
    rows = mover(record, make_id("410102", date(1990, 3, 7), 77), "张伟", "4084.12")
    body = [{name: value for name, value in row.items() if value} for row in rows]
    assert containers.post("enrollment", "/v1/registrations", json=body[:2]).status_code == 202

    assert containers.post("enrollment", "/v1/registrations", json=body[2:]).status_code == 202
    killed = compose("exec", "-T", "settlement", "python", "-c", KILL)
    id_ = str(transfer_uuid("gx-hrss", f"{record}-3"))
    advanced = containers.until(id_, "advanced")

    assert advanced["advanced"] == "4084.12", killed.stderr
    statement = camt053([Line("C1", "4084.12", remark="张伟 个人账户转移")])
    deadline = time.monotonic() + 60
    while True:
        answer = containers.post("settlement", "/v1/statements", content=statement.encode())
        if answer.status_code == 202:
            break
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.5)
    funded = containers.until(id_, "funded")
    assert funded["closed"] is True
    answer = containers._http.get(f"http://127.0.0.1:{PORTS['settlement']}/v1/trial-balance")
    assert answer.json()["balanced"] is True
