"""Every process killed with -9, three times each, while transfers stand between registration and
funding: the same ends as undisturbed, every letter once, and the books hold."""

import json
import os
import random
import signal
import time
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from shared.identity import make_id
from tests.system.bank_files import Line, camt053
from tests.system.conftest import running
from tests.system.stack import Stack, mover

SERVICES = ("enrollment", "transfer", "settlement", "notification", "monitor")
PEOPLE = 60
CHUNKS = 6
KILLS = 3


def people(prefix: str) -> list[tuple[str, list[dict[str, str]]]]:
    """People whose ends differ: most move, every tenth is still insured at the origin."""
    names = ("张伟", "王芳", "李娜", "刘洋", "陈静", "杨帆")
    found = []
    for n in range(PEOPLE):
        id_no = make_id("410102", date(1980, 1, 1 + n % 28), n + (0 if prefix == "kill" else 500))
        rows = mover(f"{prefix}-{n}", id_no, names[n % 6], f"{1000 + n}.{n % 100:02d}")
        found.append((id_no, [rows[0], rows[2]] if n % 10 == 9 else rows))
    return found


def lines(stack: Stack, ids: set[str]) -> list[Line]:
    """What the bank says of these transfers: exact, short, over, twice, or never."""
    found = []
    for n, transfer in enumerate(stack.ask("transfers")):
        if transfer["transfer_id"] not in ids or transfer["money"] != "advanced":
            continue
        fen = round(float(transfer["released"]) * 100)
        reference = transfer["transfer_id"].replace("-", "")
        kind = fen % 7
        amount = {1: fen - 100, 2: fen + 55}.get(kind, fen)
        if kind != 3:
            found.append(Line(f"K{n}", f"{amount / 100:.2f}", end_to_end=reference))
        if kind == 4:
            found.append(Line(f"K{n}-twice", f"{amount / 100:.2f}", end_to_end=reference))
    return found


def insist(stack: Stack, *words: str) -> None:
    """A clerk who sends the same file again until it is taken."""
    deadline = time.monotonic() + 150
    while (answer := stack.run(*words)).code != 0:
        assert time.monotonic() < deadline, (words, answer, stack.run("status"))
        time.sleep(0.5)


def strike(stack: Stack, victim: str, chance: random.Random) -> None:
    """Kills one process with -9 at a random moment."""
    time.sleep(chance.random() * 0.6)
    process = stack.processes()[victim]
    if process["pid"] is not None and process["alive"]:
        os.kill(process["pid"], signal.SIGKILL)


def ends(stack: Stack, ids: set[str]) -> Counter[tuple[str, str, bool, str | None]]:
    return Counter(
        (t["record"], t["money"], t["closed"], t["reason"])
        for t in stack.ask("transfers")
        if t["transfer_id"] in ids
    )


def letters(stack: Stack) -> Counter[str]:
    """How often each letter stands in the file outbox."""
    found: Counter[str] = Counter()
    for file in (stack.home / "letters").rglob("*.jsonl"):
        for line in file.read_text("utf-8").splitlines():
            found[json.loads(line)["key"]] += 1
    return found


def play(
    stack: Stack, folder: Path, prefix: str, kills: list[str], chance: random.Random
) -> Counter[tuple[str, str, bool, str | None]]:
    """Registrations and receipts in chunks, with a kill after every step while any is left."""
    ids: set[str] = set()
    everybody = people(prefix)
    for chunk in range(CHUNKS):
        feed = folder / f"{prefix}-{chunk}.csv"
        rows = [row for _, rows in everybody[chunk::CHUNKS] for row in rows]
        stack.write(feed, rows)
        for _ in range(2 if kills else 0):
            strike(stack, kills.pop(), chance)
        insist(stack, "intake", "registrations", str(feed))
        ids |= {a["transfer_id"] for a in stack.answers(feed) if a["transfer_id"]}
    for _ in range(len(kills) // 2):
        strike(stack, kills.pop(), chance)
    insist(stack, "wait", "--timeout", "60")
    statement = folder / f"{prefix}.xml"
    statement.write_text(camt053(lines(stack, ids), number=prefix))
    insist(stack, "intake", "statement", str(statement))
    while kills:
        strike(stack, kills.pop(), chance)
    insist(stack, "wait", "--timeout", "60")
    return ends(stack, ids)


@pytest.mark.parametrize(
    "seed", [int(os.environ.get("JIEXU_SEED", random.SystemRandom().randrange(10**6)))]
)
def test_killed_stacks_end_as_undisturbed_ones(stack: Stack, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    kills = [*SERVICES, "kafka", "postgres"] * KILLS
    chance.shuffle(kills)
    expected = play(stack, tmp_path, "calm", [], chance)
    with running("jiexu-kills-") as struck:
        found = play(struck, tmp_path, "kill", kills, chance)

        assert found == expected
        assert sum(found.values()) == PEOPLE
        assert set(letters(struck).values()) == {1}
        assert struck.ask("trial-balance")["balanced"] is True
        assert struck.ask("dead-letters", "list") == []
