"""The real services while their engines are killed and stand still: the ends are as undisturbed."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.system.conftest import running
from tests.system.stack import Stack
from tests.system.test_kills import PEOPLE, ends, insist, letters, people
from tests.world.machine import Machine

pytestmark = pytest.mark.world
STILL_SECONDS = 45  # longer than a transaction of the services may stand idle


@pytest.fixture
def stack() -> Iterator[Stack]:
    with running("jiexu-struck-") as struck:
        yield struck


def faults(machine: Machine) -> dict[str, Callable[[], None]]:
    def stand_still(name: str) -> None:
        with machine.standing_still(name):
            time.sleep(STILL_SECONDS)

    return {
        "kafka stands still": lambda: stand_still("kafka"),
        "postgres stands still": lambda: stand_still("postgres"),
        "kafka is killed": lambda: machine.kill("kafka"),
        "postgres is killed": lambda: machine.kill("postgres"),
    }


def test_every_transfer_ends_as_it_should_whatever_happened_to_the_engines(
    stack: Stack, tmp_path: Path
) -> None:
    everybody = people("kill")
    happenings = faults(Machine(stack.home, "", ""))
    ids: set[str] = set()
    for n, (what, happen) in enumerate(happenings.items()):
        mine = everybody[n :: len(happenings)]
        feeds = [tmp_path / f"{n}-before.csv", tmp_path / f"{n}-meanwhile.csv"]
        for part, feed in enumerate(feeds):
            stack.write(feed, [row for _, rows in mine[part::2] for row in rows])
        insist(stack, "intake", "registrations", str(feeds[0]))
        with ThreadPoolExecutor(1) as clerk:
            sending = clerk.submit(insist, stack, "intake", "registrations", str(feeds[1]))
            happen()
            over = time.monotonic()
            sending.result()
        insist(stack, "wait", "--timeout", "120")
        print(f"real stack, {what}: all handled {time.monotonic() - over:.1f} s after it")
        ids |= {a["transfer_id"] for feed in feeds for a in stack.answers(feed)} - {""}

    refused = PEOPLE // 10
    assert ends(stack, ids) == {
        ("joined", "advanced", False, None): PEOPLE - refused,
        ("refused", "none", True, "origin-not-stopped"): refused,
    }
    assert set(letters(stack).values()) == {1}
    assert stack.ask("trial-balance")["balanced"] is True
    assert stack.ask("dead-letters", "list") == []
