"""Some worlds in every run of the tests, and faults that the simulation is known to find."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID, uuid5

import pytest

from services.notification.letters import Letter
from services.transfer.states import Transfer
from shared.dead_letters import Letter as DeadLetter
from shared.dead_letters import Record
from shared.decision import Decision, Delivery, States
from shared.folding import Item
from shared.messages.settlement import CreditAdvance
from shared.outbox import Sent
from shared.service import Service
from tests.simulation.__main__ import play, reason
from tests.simulation.host import Bus, Handled, Host
from tests.simulation.situations import SITUATIONS
from tests.simulation.tables import Tables
from tests.simulation.world import World

SEEDS = 300
AT_MOST = 60
"""Within so many seeds a planted fault must have been found."""


def test_nothing_is_found_in_the_first_worlds() -> None:
    outcome = play(range(SEEDS))

    assert outcome.found == {}
    assert len(outcome.seen) > len(SITUATIONS) * 0.8, "worlds have become too tame"


def test_the_same_seed_is_the_same_story() -> None:
    def story() -> list[str]:
        world = World(7)
        world.run()
        return list(world.told.text())

    assert story() == story()


# --- planted faults ---------------------------------------------------------------------------


class NoInbox(Host):
    """Handles whatever comes, as often as it comes."""

    def _claim(
        self, items: Sequence[Item]
    ) -> tuple[dict[tuple[date, UUID], int], list[Item], list[DeadLetter]]:
        return {}, list(items), []


class NoOutbox(Host):
    """What was committed and not published when it crashes is never published."""

    def crash(self, back: int) -> None:
        super().crash(back)
        self.sent = {lane: len(rows) for lane, rows in self.database.outbox.items()}


class OffsetFirst(Host):
    """Kafka's offset is committed before the database: a batch that fails is passed over."""

    def deliver(self, batch: Sequence[Record], at: datetime, *, fails: bool = False) -> Handled:
        if fails:
            for record in batch:
                lane = self._lane(record.lane)
                lane.next_offset = max(lane.next_offset, record.offset + 1)
            return Handled([], super().deliver([], at, fails=True).folded)
        return super().deliver(batch, at)


class OutOfOrder(Host):
    """Publishes the rows of a lane as they come to hand."""

    def _append(self, sent: Sequence[Sent]) -> None:
        super()._append(list(reversed(sent)))


class Deciding(Host):
    """A host whose service decides something else than it should."""

    def __init__(self, service: Service, tables: Tables, bus: Bus) -> None:
        super().__init__(service, tables, bus)
        rightly = service.decide

        def wrongly(states: States, delivery: Delivery) -> Decision:
            return self.changed(delivery, rightly(states, delivery))

        service.decide = wrongly  # type: ignore[method-assign]  # the fault that is planted

    def changed(self, delivery: Delivery, decision: Decision) -> Decision:
        raise NotImplementedError


class AdvancesTwice(Deciding):
    """The saga asks for every advance once more, as another version."""

    def changed(self, delivery: Delivery, decision: Decision) -> Decision:  # noqa: ARG002
        more = [
            m.model_copy(update={"version": m.version + 1})
            for m in decision.out
            if isinstance(m, CreditAdvance)
        ]
        return replace(decision, out=(*decision.out, *more))


class ForgetsTimers(Deciding):
    """Nothing that is due is ever remembered."""

    def changed(self, delivery: Delivery, decision: Decision) -> Decision:  # noqa: ARG002
        return replace(decision, timers=())


class LosesAFen(Deciding):
    """The saga reads one fen less than was credited."""

    def changed(self, delivery: Delivery, decision: Decision) -> Decision:  # noqa: ARG002
        changes = {
            key: replace(value, funds=replace(value.funds, credited=value.funds.credited - 1))
            if isinstance(value, Transfer) and value.funds.credited
            else value
            for key, value in decision.changes.items()
        }
        return replace(decision, changes=changes)


class WritesTwice(Deciding):
    """A letter is written once more under another id."""

    def changed(self, delivery: Delivery, decision: Decision) -> Decision:  # noqa: ARG002
        changes = dict(decision.changes)
        for letter in [v for v in changes.values() if isinstance(v, Letter)]:
            again = replace(letter, id=uuid5(letter.id, "again"))
            changes["letter", again.id] = again
        return replace(decision, changes=changes)


@pytest.mark.parametrize(
    ("host", "what"),
    [
        (NoInbox, "hears"),
        (NoOutbox, "waits for nothing"),
        (OffsetFirst, "never opened"),
        (OutOfOrder, "hears"),
        (AdvancesTwice, "announced_fen"),
        (ForgetsTimers, "waits for nothing"),
        (LosesAFen, "in the books"),
        (WritesTwice, "is told twice"),
    ],
)
def test_a_planted_fault_is_found(host: type[Host], what: str) -> None:
    found = {}
    for seed in range(AT_MOST):
        try:
            World(seed, host).run()
        except Exception as error:  # noqa: BLE001 - whichever check sees it
            found[seed] = reason(error)
            if what in found[seed]:
                break

    assert [text for text in found.values() if what in text], found
