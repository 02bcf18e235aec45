"""A database set back to a moment in the middle of a story, and a Kafka that is gone: all that was
accepted completes, once, and no payment that the bank knows is issued again."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import time
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg

from shared.identity import make_id
from tests.system.bank_files import Line, camt053
from tests.system.conftest import running
from tests.system.stack import JIEXU, Stack, mover


def people(prefix: str, count: int) -> list[tuple[str, list[dict[str, str]]]]:
    """Their ID numbers and rows; each with a balance of their own."""
    start = {"early": 100, "midway": 300, "late": 500}[prefix]
    ids = [make_id("410102", date(1985, 2, 3), start + n) for n in range(count)]
    return [
        (id_no, mover(f"{prefix}-{n}", id_no, "张伟", f"{start + n}.{n:02d}"))
        for n, id_no in enumerate(ids)
    ]


def rows_of(someone: list[tuple[str, list[dict[str, str]]]]) -> list[dict[str, str]]:
    return [row for _, rows in someone for row in rows]


def states(stack: Stack) -> dict[str, str]:
    """The money of each transfer."""
    return {t["transfer_id"]: t["money"] for t in stack.ask("transfers")}


def receipts(stack: Stack) -> str:
    """A statement with what each transfer that was advanced is owed."""
    rows = stack.ask("transfers")
    owed = {t["transfer_id"]: t["released"] for t in rows if t["money"] == "advanced"}
    found = [Line(id_, owed[id_], end_to_end=id_.replace("-", "")) for id_ in sorted(owed)]
    return camt053(found, number="restore")


def asked(stack: Stack, question: str) -> list[Any]:
    """What the database of the stack says."""

    async def ask() -> list[Any]:
        db = await asyncpg.connect(stack.run("status").document["database"])
        try:
            return [tuple(row) for row in await db.fetch(question)]
        finally:
            await db.close()

    return asyncio.run(ask())


def assert_whole(stack: Stack) -> None:
    """The books hold, nothing was refused, and the log has each message once."""
    assert stack.ask("trial-balance")["balanced"] is True
    assert stack.ask("dead-letters", "list") == []
    assert asked(stack, "SELECT id FROM monitor.events GROUP BY id HAVING count(*) > 1") == []


def test_a_stack_set_back_to_the_middle_of_a_story_ends_as_if_nothing_had_been(
    tmp_path: Path,
) -> None:
    early, midway, late = people("early", 4), people("midway", 12), people("late", 3)
    with running("jiexu-restore-") as stack:
        stack.send(tmp_path / "early.csv", rows_of(early))
        stack.settle()
        backup = stack.ask("backup")
        stack.send(tmp_path / "midway.csv", rows_of(midway))
        stack.settle()
        paid = tmp_path / "paid.xml"
        export = ("export", "remittances", "--region", "410100", "--date", _today(stack))
        run = stack.ask(*export, "--out", str(paid))["runs"][-1]
        stack.send(tmp_path / "late.csv", rows_of(late))
        stack.settle()
        statement = tmp_path / "statement.xml"
        statement.write_text(receipts(stack))
        stack.ask("intake", "statement", str(statement))
        stack.settle()
        undisturbed = states(stack)
        assert set(undisturbed.values()) == {"funded"}
        moment = _middle(stack, backup["ended_at"])

        told = restored_at_the_second_try(stack, moment)

        assert sum(told["republished"].values()) > 0
        assert [held["run"] for held in told["payments_held"]] == [run]
        assert told["payments_held"][0]["transfers"] == len(early + midway)
        assert [again["statement"] for again in told["statements_to_read_again"]] != []
        stack.settle()
        assert list(states(stack).values()) == ["advanced"] * len(early + midway)
        assert_whole(stack)

        stack.send(tmp_path / "late.csv", rows_of(late))
        stack.settle()
        assert_paid_once(stack, export, run, paid, len(late))
        stack.ask("intake", "statement", str(statement))
        stack.settle()
        assert states(stack) == undisturbed
        assert_whole(stack)


def restored_at_the_second_try(stack: Stack, moment: str) -> Any:  # noqa: ANN401 a document
    """The first ends by Ctrl-C, and nothing runs on what it leaves."""
    restoring = subprocess.Popen([JIEXU, "restore", "--to", moment], env=stack.environment)
    deadline = time.monotonic() + 90
    # The database alone is started: the former one is put aside.
    while json.loads((stack.home / "stack.json").read_text("utf-8"))["services"]:
        assert time.monotonic() < deadline, stack.run("status")
        time.sleep(0.05)
    restoring.send_signal(signal.SIGINT)
    assert restoring.wait(60) != 0
    for _ in range(2):
        refused = stack.run("up", "--embedded")
        assert refused.code == 1
        assert "jiexu restore --to" in refused.errors
        stack.ask("down")
    told = stack.ask("restore", "--to", moment, timeout=400)
    assert told["reached"] <= moment
    return told


def assert_paid_once(
    stack: Stack, export: tuple[str, ...], run: str, paid: Path, others: int
) -> None:
    """What the bank knows waits for a person, whatever is exported meanwhile."""
    fresh = paid.with_name("fresh.xml")
    second = stack.ask(*export, "--out", str(fresh))["runs"][-1]
    assert second != run
    assert len(_references(fresh)) == others
    assert not set(_references(paid)) & set(_references(fresh))
    stack.ask("payments", "confirm", run, "--reason", "the bank has it")
    assert stack.ask("payments", "held") == []
    stack.settle()
    assert stack.ask(*export)["runs"] == [run, second]


def _today(stack: Stack) -> str:
    return str(stack.ask("clock")["now"])[:10]


def _middle(stack: Stack, since: str) -> str:
    """A moment at which half of what the saga said since then was not said yet."""
    said = asked(stack, f"SELECT sent_at FROM transfer.outbox WHERE sent_at > '{since}' ORDER BY 1")
    # The late ones and the statement came after the midway ones, who said most of it.
    return str(said[len(said) // 3][0].isoformat())


def _references(path: Path) -> list[str]:
    return [part.split("<")[0] for part in path.read_text().split("<EndToEndId>")[1:]]


def test_a_lost_kafka_is_replaced_while_transfers_stand_midway(tmp_path: Path) -> None:
    midway = people("midway", 10)
    with running("jiexu-kafkaless-") as stack:
        settlement = stack.processes()["settlement"]["pid"]
        os.kill(settlement, signal.SIGSTOP)
        stack.send(tmp_path / "midway.csv", rows_of(midway))
        _until_asked_for_money(stack, len(midway))
        stack.ask("down")
        shutil.rmtree(stack.home / "kafka")

        told = stack.ask("restore", "--kafka-lost", timeout=400)

        assert told["generation"] == 2
        assert told["republished"]["transfer"] > 0
        assert told["former_data"] is None
        stack.settle()
        assert list(states(stack).values()) == ["advanced"] * len(midway)
        statement = tmp_path / "statement.xml"
        statement.write_text(receipts(stack))
        stack.ask("intake", "statement", str(statement))
        stack.settle()
        assert set(states(stack).values()) == {"funded"}
        assert_whole(stack)
        letters = [
            json.loads(line)["key"]
            for file in (stack.home / "letters").rglob("*.jsonl")
            for line in file.read_text("utf-8").splitlines()
        ]
        assert len(letters) == len(set(letters))


def _until_asked_for_money(stack: Stack, count: int) -> None:
    deadline = time.monotonic() + 60
    question = "SELECT count(*) FROM transfer.outbox WHERE type LIKE 'settlement.release-funds.%'"
    while asked(stack, question) != [(count,)]:
        assert time.monotonic() < deadline, stack.run("status")
        time.sleep(0.2)
