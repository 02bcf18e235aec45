"""More than can be handled: intake says "later", memory stays flat, and nothing is lost."""

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from confluent_kafka import Producer

from deploy.embedded import stack as embedded
from shared.identity import make_id
from tests.system.conftest import running
from tests.system.stack import JIEXU, Stack, mover
from tests.world.machine import Machine

MOST = 300
CLERKS = 4
CHUNK = 100
FLOOD_SECONDS = 40
UPSTREAM = 20_000
MEMORY_MB = 250  # of each; a leak under such a load is more
SERVICES = ("enrollment", "transfer", "settlement", "notification", "monitor")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("JIEXU_INTAKE_BACKLOG", str(MOST))
        with running("jiexu-overload-") as small:
            yield small


def opened(n: int) -> dict[str, str]:
    """A record of its own person, insured in Zhengzhou."""
    born = date(1950, 1, 1) + timedelta(days=n % 18_000)
    id_no = make_id("410102", born, n // 18_000 % 1000)
    return mover(f"much-{n}", id_no, "张伟", f"{1000 + n % 1000}.00")[0]


class Door:
    """Where registrations are handed in over HTTP."""

    def __init__(self, stack: Stack) -> None:
        token = next(iter(json.loads((stack.home / "tokens.json").read_text())))
        found = embedded.find(stack.home)
        assert found is not None
        self.kafka = found.kafka
        self._http = httpx.Client(
            base_url=found.urls["enrollment"],
            headers={"authorization": f"Bearer {token}"},
            timeout=120,
            trust_env=False,
        )

    def hand_in(self, rows: Sequence[dict[str, str]]) -> httpx.Response:
        return self._http.post("/v1/registrations", json=list(rows))

    def undecided(self, rows: Sequence[dict[str, str]]) -> int:
        asked = [{"source": row["source"], "record_id": row["record_id"]} for row in rows]
        answer = self._http.post("/v1/records/decisions", json=asked)
        return sum(verdict["decision"] is None for verdict in answer.json())


def test_intake_is_told_to_come_later_and_the_command_line_does(
    stack: Stack, tmp_path: Path
) -> None:
    door = Door(stack)
    feed = tmp_path / "later.csv"
    stack.write(feed, [opened(n) for n in range(1000, 1010)])
    words = [str(JIEXU), "intake", "registrations", str(feed), "--json"]

    with Machine(stack.home, "", "").standing_still("kafka"):
        assert door.hand_in([opened(n) for n in range(MOST + 100)]).status_code == 202
        extra = 2000
        while (answer := door.hand_in([opened(extra)])).status_code == 202:
            extra += 1
        command = subprocess.Popen(
            words, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert command.stderr is not None
        told = command.stderr.readline()
    out, _ = command.communicate(timeout=180)

    assert (answer.status_code, answer.json()["code"]) == (429, "later")
    assert int(answer.headers["Retry-After"]) > 0
    assert "sent again until it is taken" in told
    assert json.loads(out)["outcomes"]["accepted"] == 10
    stack.settle()
    sent = [*range(MOST + 100), *range(2000, extra), *range(1000, 1010)]
    assert door.undecided([opened(n) for n in sent]) == 0


class Flood:
    """Clerks who hand in as fast as they can, whatever they are told."""

    def __init__(self, door: Door) -> None:
        self.taken: list[int] = []
        self.refused = 0
        self._door = door
        self._next = iter(range(10_000, 10_000_000, CHUNK))
        self._lock = threading.Lock()

    def clerk(self, until: float) -> None:
        while time.monotonic() < until:
            with self._lock:
                first = next(self._next)
            rows = [opened(n) for n in range(first, first + CHUNK)]
            while (code := self._door.hand_in(rows).status_code) == 429:
                self.refused += 1
                if time.monotonic() > until:
                    return
                time.sleep(0.05)
            assert code == 202, code
            self.taken += range(first, first + CHUNK)


def memory_mb(stack: Stack) -> dict[str, int]:
    """What each service holds now."""
    rows = stack.processes()
    return {name: psutil.Process(rows[name]["pid"]).memory_info().rss >> 20 for name in SERVICES}


def told_apart(door: Door, numbers: Sequence[int]) -> int:
    """How many of these have no decision."""
    chunks = [numbers[n : n + 5000] for n in range(0, len(numbers), 5000)]
    return sum(door.undecided([opened(n) for n in chunk]) for chunk in chunks)


@pytest.mark.world
def test_at_several_times_what_can_be_served_memory_is_flat_and_nothing_is_lost(
    stack: Stack,
) -> None:
    door = Door(stack)
    flood = Flood(door)
    begun = time.monotonic()
    samples: list[dict[str, int]] = []
    with ThreadPoolExecutor(CLERKS) as clerks:
        for _ in range(CLERKS):
            clerks.submit(flood.clerk, begun + FLOOD_SECONDS)
        while time.monotonic() < begun + FLOOD_SECONDS:
            time.sleep(5)
            samples.append(memory_mb(stack))
    stack.settle(300)
    seconds = time.monotonic() - begun

    print(
        f"overload: {len(flood.taken)} records taken, {flood.refused} requests of {CHUNK} told to"
        f" come later, all handled in {seconds:.0f} s; MB {samples[0]} first, {samples[-1]} last"
    )
    assert flood.refused > 0
    assert told_apart(door, flood.taken) == 0
    assert _most(samples) < MEMORY_MB


@pytest.mark.world
def test_what_waits_on_the_upstream_topic_kafka_holds(stack: Stack) -> None:
    door = Door(stack)
    producer = Producer({"bootstrap.servers": door.kafka, "enable.idempotence": True})
    numbers = range(5_000_000, 5_000_000 + UPSTREAM)
    for n in numbers:
        body: dict[str, Any] = {"specversion": "1.0", "type": "registration", "data": opened(n)}
        producer.produce("upstream.registrations", json.dumps(body).encode(), f"k{n}".encode())
        producer.poll(0)
    assert producer.flush(60) == 0
    begun = time.monotonic()
    samples = [memory_mb(stack)]
    while stack.run("wait", "--timeout", "5").code != 0:
        assert time.monotonic() - begun < 600
        samples.append(memory_mb(stack))

    print(
        f"upstream: {UPSTREAM} records waiting in Kafka, handled in"
        f" {time.monotonic() - begun:.0f} s; MB {samples[0]} first, {samples[-1]} last"
    )
    assert told_apart(door, numbers) == 0
    assert _most(samples) < MEMORY_MB


def _most(samples: Sequence[dict[str, int]]) -> int:
    most: Counter[str] = Counter()
    for sample in samples:
        most |= Counter(sample)
    return max(most.values())
