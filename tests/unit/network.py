"""The three services that think, joined by a bus that keeps each producer's order and no other.

Nothing but their `decide`: no database, no Kafka, no clock. For the tests of interleavings.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.enrollment.decisions import HANDLES as ENROLLMENT
from services.settlement.decisions import HANDLES as SETTLEMENT
from services.settlement.exposure import Limits
from services.transfer.app import TransferService
from services.transfer.states import Transfer
from shared.decision import Delivery
from shared.messages import NAMESPACE, Message
from tests.unit import enrollment_world, settlement_world
from tests.unit.enrollment_world import MARCH, REGIONS

Lane = tuple[str, str, str]
"""Who sends, on which topic's cause, on which topic: within it order is kept."""

TRANSFER = TransferService(REGIONS)
HANDLES = {"enrollment": ENROLLMENT, "settlement": SETTLEMENT, "transfer": TRANSFER.handles}


class Network:
    """One person's world: every state in memory, every message in some lane."""

    def __init__(self, limits: Limits = settlement_world.LIMITS) -> None:
        self.enrollment = enrollment_world.World(MARCH)
        self.settlement = settlement_world.World(limits, held=deque())
        self.transfers: dict[tuple[str, UUID], Transfer | None] = {}
        self.lanes: dict[tuple[Lane, str], deque[tuple[UUID, Message]]] = {}
        self.at: datetime = MARCH
        self.heard: list[str] = []
        self.told: list[Message] = []

    def put(self, sender: str, cause: str, id_: UUID, message: Message) -> None:
        """Publishes a message: each service that takes it has its own place in the lane."""
        self.told.append(message)
        topic = message.topic("cn").removeprefix("cn.")
        for service, handles in HANDLES.items():
            if message.type in handles:
                lane = (sender, cause, topic), service
                self.lanes.setdefault(lane, deque()).append((id_, message))

    def run(self, choose: Callable[[int], int]) -> None:
        """Delivers everything, the lane of the next message chosen every time."""
        steps = 0
        while waiting := sorted(lane for lane, queue in self.lanes.items() if queue):
            lane, service = waiting[choose(len(waiting)) % len(waiting)]
            id_, message = self.lanes[lane, service].popleft()
            steps += 1
            assert steps < 2000, "the story does not end"
            self.at += timedelta(milliseconds=1)
            self.heard.append(f"{service}: {message.type}")
            for index, said in enumerate(self._decide(service, id_, message)):
                self.put(service, lane[2], uuid5(id_, str(index)), said)

    def _decide(self, service: str, id_: UUID, message: Message) -> list[Message]:
        if service == "enrollment":
            return list(self.enrollment.tell(message))
        if service == "settlement":
            before = len(self.settlement.said)
            held = self.settlement.held
            if held and message in held:
                held.remove(message)
            self.settlement.send(message)
            return self.settlement.said[before:]
        given = Delivery(id_, message.key, message, self.at, self.at, id_)
        states: dict[Any, Any] = {
            (message.key, getattr(message, "transfer", None)): self.transfers.get(
                (message.key, getattr(message, "transfer", NAMESPACE))
            )
        }
        decision = TRANSFER.decide(states, given)
        for key, state in decision.changes.items():
            if isinstance(state, Transfer):
                self.transfers[key] = state  # type: ignore[index]  # a transfer's own key
        return list(decision.out)
