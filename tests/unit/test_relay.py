"""The relay sends each lane in order, also when Kafka fails in the middle of a chunk."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.lanes import Lane
from shared.outbox import Sent
from shared.relay import Relay


class FlakyKafka:
    """Takes what it is sent, but for the sends whose number is in `fails`: at once or later.

    As the publisher does, it sends nothing of a lane behind what could not be sent at once.
    """

    def __init__(self, at_once: set[int], later: set[int]) -> None:
        self.log: dict[str, list[int]] = defaultdict(list)
        self._at_once = at_once
        self._later = later
        self._sends = 0

    def hear(self) -> None: ...

    async def publish(self, rows: Sequence[Sent]) -> list[bool]:
        await asyncio.sleep(0)
        behind: set[str] = set()
        sent = []
        for row in rows:
            if row.lane in behind:
                sent.append(False)
                continue
            self._sends += 1
            if self._sends in self._at_once:
                behind.add(row.lane)
            taken = self._sends not in self._at_once | self._later
            if taken:
                self.log[row.topic].append(int(row.body))
            sent.append(taken)
        return sent


def row(lane: str, seq: int) -> Sent:
    now = datetime.now(UTC)
    return Sent(lane, seq, uuid4(), lane, 0, "k", "a.b.v1", now, now, uuid4(), None, b"%d" % seq)


def relay(kafka: FlakyKafka, *lanes: str) -> Relay:
    made = Relay(None, kafka, 1.0)
    for lane in lanes:
        made.own(Lane(lane, 1, 0, 0, 0), fed=False)
    return made


async def publish(made: Relay, rows: list[Sent]) -> None:
    made.put(rows)
    while made.waiting:
        await made._publish()


@pytest.mark.parametrize("at_once", [{3}, {3, 4}, {1, 5, 6}])
async def test_what_cannot_be_sent_at_once_is_never_overtaken_on_its_lane(
    at_once: set[int],
) -> None:
    kafka = FlakyKafka(at_once, set())

    await publish(relay(kafka, "a"), [row("a", n) for n in range(1, 9)])

    assert kafka.log["a"] == list(range(1, 9))


async def test_other_lanes_go_on_past_a_lane_that_fails() -> None:
    kafka = FlakyKafka({1}, set())
    rows = [row("a", 1), row("b", 1), row("a", 2), row("b", 2)]

    await publish(relay(kafka, "a", "b"), rows)

    assert dict(kafka.log) == {"b": [1, 2], "a": [1, 2]}


async def test_from_the_first_unacknowledged_on_everything_is_sent_again() -> None:
    kafka = FlakyKafka(set(), {2})
    made = relay(kafka, "a")

    await publish(made, [row("a", n) for n in range(1, 5)])

    assert kafka.log["a"] == [1, 3, 4, 2, 3, 4]
    assert made.published == {"a": 4}


async def test_what_was_not_sent_when_the_lane_goes_is_left_to_its_next_owner() -> None:
    kafka = FlakyKafka(set(), set())
    made = relay(kafka, "a", "b")
    made.put([row("a", 1), row("b", 1)])
    made.disown(["a"])

    await publish(made, [])

    assert dict(kafka.log) == {"b": [1]}


class Endless:
    """A database whose lane `fed` always holds more than was asked for."""

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Endless"]:
        yield self

    async def fetch(self, sql: str, names: list[str], after: list[int], *more: int) -> list[Sent]:
        if sql.startswith("UPDATE"):
            return []
        return [row(n, a + i) for n, a in zip(names, after, strict=True) for i in range(1, more[0])]


async def test_whoever_handles_goes_on_while_more_is_published_than_ever_ends() -> None:
    kafka = FlakyKafka(set(), set())
    made = Relay(Endless(), kafka, 0.0)
    made.own(Lane("fed", 1, 0, 0, 0), fed=True)
    made.own(Lane("ours", 1, 0, 0, 0), fed=False)
    running = asyncio.create_task(made.run())

    async with asyncio.timeout(20):
        for batch in range(30):
            made.put([row("ours", batch * 1000 + n) for n in range(1, 1001)])
            await made.room()
            await asyncio.sleep(0)
        while not (kafka.log["fed"] and len(kafka.log["ours"]) == 30_000):  # noqa: ASYNC110
            await asyncio.sleep(0)

    running.cancel()
