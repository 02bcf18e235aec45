"""An embedded stack as its users drive it: by the command line, from outside."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JIEXU = Path(sys.executable).parent / "jiexu"
HEADER = [
    "source",
    "record_id",
    "action",
    "occurred_at",
    "region",
    "id_type",
    "id_no",
    "name",
    "phone",
    "scheme",
    "person_type",
    "employer_id",
    "residence_permit",
    "month",
    "months",
    "base",
    "amount",
    "balance",
    "previous_region",
    "reason",
    "account",
    "refers_to",
]


@dataclass(frozen=True)
class Answer:
    """What a command gave: its exit code, its JSON document, and what it said besides."""

    code: int
    document: Any
    errors: str


@dataclass(frozen=True)
class Stack:
    """A stack in its own JIEXU_HOME."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "JIEXU_HOME": str(self.home)}

    def run(self, *words: str, timeout: float = 180, text: str | None = None) -> Answer:
        """One `jiexu … --json`."""
        done = subprocess.run(
            [JIEXU, *words, "--json"],
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        document = json.loads(done.stdout) if done.stdout.strip() else None
        return Answer(done.returncode, document, done.stderr)

    def ask(  # a document of any shape
        self, *words: str, timeout: float = 180, text: str | None = None
    ) -> Any:  # noqa: ANN401
        """The document of a command that succeeds."""
        answer = self.run(*words, timeout=timeout, text=text)
        assert answer.code == 0, (words, answer)
        return answer.document

    def send(self, path: Path, rows: list[dict[str, str]]) -> list[dict[str, str]]:
        """Writes rows as a feed, takes them in, and gives the answer file."""
        self.write(path, rows)
        self.ask("intake", "registrations", str(path))
        return self.answers(path)

    def write(self, path: Path, rows: list[dict[str, str]]) -> None:
        """Writes rows as a feed."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, HEADER, restval="")
            writer.writeheader()
            writer.writerows(rows)

    def answers(self, path: Path) -> list[dict[str, str]]:
        """The answer file of a feed."""
        with Path(f"{path}.result.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def settle(self, timeout: int = 120) -> None:
        """Waits until everything is handled."""
        self.ask("wait", "--timeout", str(timeout), timeout=timeout + 30)

    def processes(self) -> dict[str, dict[str, Any]]:
        """The processes of the stack by name, as `status` tells them."""
        status = self.run("status").document  # exit 1 while something is not ready
        return {process["name"]: process for process in status["processes"]}


def mover(
    record: str,
    id_no: str,
    name: str,
    balance: str,
    origin: tuple[str, str] = ("ha-hrss", "410100"),
) -> list[dict[str, str]]:
    """Three rows of a person: opened at the origin, stopped there, enrolled in Nanning."""
    person = {"id_type": "01", "id_no": id_no, "scheme": "310"}
    there = {**person, "source": origin[0], "region": origin[1]}
    opened = {
        **there,
        "record_id": f"{record}-1",
        "action": "open",
        "occurred_at": "2026-02-20T09:00:00+08:00",
        "name": name,
        "person_type": "benefit-recipient",
        "months": "2019-03..2026-02",
        "balance": balance,
    }
    stopped = {
        **there,
        "record_id": f"{record}-2",
        "action": "suspend",
        "occurred_at": "2026-02-27T17:00:00+08:00",
        "month": "2026-02",
    }
    return [opened, stopped, _enrolled({**person, "record_id": f"{record}-3"}, name, origin[1])]


def _enrolled(person: dict[str, str], name: str, origin: str) -> dict[str, str]:
    return {
        **person,
        "source": "gx-hrss",
        "region": "450100",
        "action": "enroll",
        "occurred_at": "2026-03-02T09:30:00+08:00",
        "name": name,
        "phone": "13800000000",
        "person_type": "flexible",
        "residence_permit": "yes",
        "month": "2026-03",
        "base": "5500.00",
        "previous_region": origin,
    }


def two_agree(stack: Stack, *act: str, text: str | None = None) -> None:
    """One proposes, another approves, and not the same."""
    item = stack.ask(*act, "--by", "chen", text=text)["item"]
    assert stack.run("approve", item, "--by", "chen").code == 1
    stack.ask("approve", item, "--by", "li")
    stack.settle()
