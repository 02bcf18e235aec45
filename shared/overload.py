"""Overload: what is not handled yet, and when intake is refused with "later" because of it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import Depends, Request

from shared.asking import Refusal, Who
from shared.reader import UNWELL

if TYPE_CHECKING:
    from shared.chassis import Process
    from shared.reader import Reader

_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is published to this service and not handled, and what of its own is not published;
    `progress` grows with everything handled or sent.
    """

    lag: int
    unpublished: int
    progress: int


async def backlog(process: "Process") -> Backlog:
    """The backlog of all workers of the service."""
    async with process.pool.acquire() as db:
        lanes = await db.fetch("SELECT name, next_offset, seq, published FROM lanes")
    # `published` is written late; what Kafka acknowledged to us since counts as out.
    out = process.relay.published
    behind = sum(lane["seq"] - max(lane["published"], out.get(lane["name"], 0)) for lane in lanes)
    stands = {lane["name"]: lane["next_offset"] for lane in lanes}
    return Backlog(
        sum([await _lag(reader, stands) for reader in process.readers]),
        max(behind, process.relay.waiting),
        sum(lane["next_offset"] + lane["seq"] for lane in lanes),
    )


async def _lag(reader: "Reader", stands: Mapping[str, int]) -> int:
    """How many messages of all partitions are not handled yet, whoever has them: `stands` are
    the positions of the lanes.
    """
    if not reader.position:
        return 0
    bounds = await reader.bounds((t, n) for t in reader.topics for n in range(reader.partitions))
    if not bounds:
        return 1  # Kafka does not answer: nobody knows, so it is not none
    return sum(
        max(0, end - max(first, stands.get(f"{topic}/{n}", 0)))
        for (topic, n), (first, end) in bounds.items()
    )


@dataclass(slots=True)
class Gate:
    """Shut when more than `most` waits, open again at half of that, so that it does not flap."""

    most: int
    shut: bool = False

    def look(self, waiting: int) -> None:
        """Shuts or opens."""
        self.shut = waiting > (self.most // 2 if self.shut else self.most)


class Overload:
    """Whether there is room for more. Whoever asks has it looked at, once a second at most."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._gate = Gate(process.settings.intake_backlog)
        self._looked_at = float("-inf")
        self._look: asyncio.Task[None] | None = None

    async def too_much(self) -> bool:
        """Whether intake has to wait; goes by the last look where a new one takes too long."""
        if time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._look = self._look or asyncio.create_task(self._take_a_look())
            await asyncio.wait({self._look}, timeout=_LOOK_SECONDS)
        return self._gate.shut

    async def _take_a_look(self) -> None:
        try:
            found = await backlog(self._process)
            self._gate.look(found.lag + found.unpublished)
        except UNWELL:
            return  # then nothing can be taken in either, and that is answered
        finally:
            self._looked_at = time.monotonic()
            self._look = None


async def admitted(request: Request, _: Who) -> None:
    """Lets intake pass while there is room for it. Raises Refusal (429)."""
    overload: Overload = request.app.state.overload
    if await overload.too_much():
        told = "积压较多，未受理，请稍后重报 / too much waits: not taken, send it again later"
        raise Refusal(429, "later", told)


# What a door for intake is declared with.
INTAKE: dict[str, Any] = {
    "dependencies": [Depends(admitted)],
    "responses": {429: {"description": "Later: send it again after Retry-After seconds"}},
}
