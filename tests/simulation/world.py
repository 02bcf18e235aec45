"""A world by seed: people, banks and four services on one bus and one clock, with all its faults.

One seed is one history: `World(seed).run()` plays it to the day on which all is quiet.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random
from uuid import UUID

from services.notification.store import Notification
from services.settlement.states import Part, Release
from services.transfer.app import TransferService
from shared.messages import Message
from tests.simulation.bank import Bank
from tests.simulation.checks import Checks, Finding
from tests.simulation.clerks import Clerks
from tests.simulation.host import Bus, Handled, Host
from tests.simulation.origins import ALL, POLICIES, Books, Enrollment, ruled_by
from tests.simulation.people import Person, populate
from tests.simulation.story import Told
from tests.simulation.tables import (
    EnrollmentTables,
    LetterTables,
    SettlementTables,
    TransferTables,
)
from tests.unit.enrollment_world import MARCH

MOST_STEPS = 6000
HORIZON = timedelta(days=500)
BATCHES = (1, 1, 2, 5, 100)


class World:
    """Everything of one seed. Another `host` breaks something, for the tests of the checks."""

    def __init__(self, seed: int, host: type[Host] = Host) -> None:
        self.seed = seed
        self.rng = rng = Random(seed)
        self.at: datetime = MARCH + timedelta(days=rng.randrange(300))
        self.begun = self.at
        self.policy = rng.choices(list(POLICIES), (4, 4, 1, 1, 3))[0]
        self.regions = ruled_by(self.policy)
        self.places = rng.sample(ALL, rng.choice((3, 3, 6)))
        self.one_way = rng.random() < (0.9 if self.policy == "tight limits" else 0.15)
        self.fault_rate = rng.choice((0.0, 0.03, 0.1))
        self.freeze_rate = rng.choice((0.0, 0.0, 0.02, 0.06))
        self.frozen: dict[tuple[str, str], datetime] = {}
        self.people: list[Person] = []
        self.told = Told()
        self.steps = 0
        self.bus = Bus()
        self.enrollment = EnrollmentTables()
        self.transfers = TransferTables()
        self.books = SettlementTables()
        self.letters = LetterTables()
        self.origins = Enrollment(self.regions, {})
        self.ledger = Books(self.regions, {})
        self.hosts = [
            host(self.origins, self.enrollment, self.bus),
            host(TransferService(self.regions), self.transfers, self.bus),
            host(self.ledger, self.books, self.bus),
            host(Notification(), self.letters, self.bus),
        ]
        self._numbers = count()
        self.agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self.bank = Bank(self)
        self.checks = Checks(self)
        populate(self)
        Clerks(self).come()

    # --- what people and banks use ------------------------------------------------------------

    def later(self, after: timedelta, act: Callable[[], None]) -> None:
        """Something happens outside, some time from now."""
        heappush(self.agenda, (self.at + after, next(self._numbers), act))

    def feed(self, service: str, id_: UUID, message: Message) -> None:
        """A message enters at a service's edge."""
        host = next(h for h in self.hosts if h.name == service)
        host.feed("intake", id_, message, self.at)
        self.told.heard(self.at, "outside", message)

    # --- the run ------------------------------------------------------------------------------

    def run(self) -> None:
        """Plays until nothing is under way and nothing is due; raises what was found wrong."""
        while True:
            acts = self._acts()
            if acts and self.steps < MOST_STEPS:
                self.steps += 1
                self.at += timedelta(milliseconds=self.rng.randrange(1, 400))
                self._freeze()
                self.rng.choice(acts)()
            elif acts:
                raise Finding(f"the story does not end in {MOST_STEPS} steps")
            elif not self._jump():
                break
        self.checks.at_the_end()

    def _acts(self) -> list[Callable[[], None]]:
        acts: list[Callable[[], None]] = []
        for host in self.hosts:
            acts += [
                partial(self._publish, host, lane)
                for lane in host.unpublished()
                if (host.name, lane) not in self.frozen
            ]
            unread = [lane for lane in host.unread() if (host.name, lane) not in self.frozen]
            if unread:
                acts.append(partial(self._deliver, host, unread))
        return acts

    def _jump(self) -> bool:
        """To the next thing that is due: a timer, an act outside, the end of an outage."""
        due = [at for host in self.hosts if (at := host.next_due()) is not None]
        due = [at for at in due if at < self.begun + HORIZON]
        due += self.frozen.values()
        if self.agenda:
            due.append(self.agenda[0][0])
        if not due:
            return False
        self.at = max(self.at, min(due))
        self.frozen = {where: at for where, at in self.frozen.items() if at > self.at}
        while self.agenda and self.agenda[0][0] <= self.at:
            heappop(self.agenda)[2]()
        for host in self.hosts:
            for message in host.fire(self.at):
                self.told.heard(self.at, "timer", message)
            host.idle()
        self.checks.when_quiet()
        return True

    def _freeze(self) -> None:
        """Something stands still for minutes or days, while the rest goes on."""
        if self.rng.random() >= self.freeze_rate:
            return
        host = self.rng.choice(self.hosts)
        lane = self.rng.choice([*host.lanes, *host.database.outbox])
        span = timedelta(hours=self.rng.choice((1, 30, 200, 600)))
        self.frozen[host.name, lane] = self.at + span
        self.told.fault(self.at, f"{host.name}: {lane} stands still for {span}")

    def _faulty(self) -> bool:
        return self.rng.random() < self.fault_rate

    def _publish(self, host: Host, lane: str) -> None:
        acknowledged = not self._faulty()
        host.publish(lane, self.rng.choice(BATCHES), acknowledged=acknowledged)
        if not acknowledged:
            self.told.fault(self.at, f"{host.name}: {lane} is sent again, nothing acknowledged")

    def _deliver(self, host: Host, unread: Sequence[str]) -> None:
        lanes = [lane for lane in unread if self.rng.random() < 0.6] or [self.rng.choice(unread)]
        batch = host.take(lanes, self.rng.choice(BATCHES))
        if self._faulty():
            host.deliver(batch, self.at, fails=True)
            self._crash(host, "in the middle of a batch: nothing of it was committed")
            return
        handled = host.deliver(batch, self.at)
        self._committed(host, handled)
        if self._faulty():
            self._crash(host, "between commit and publishing")

    def _crash(self, host: Host, when: str) -> None:
        host.crash(back=self.rng.choice((0, 0, 1, 5)))
        self.told.fault(self.at, f"{host.name} crashes {when}")

    def _committed(self, host: Host, handled: Handled) -> None:
        self.told.handled(self.at, host.name, handled)
        self.checks.committed(host, handled)
        for value in handled.folded.changes.values():
            match value:
                case Release(payable_fen=fen) if fen:
                    self.bank.owes(value)
                case Part(verdict=verdict, rule=rule):
                    self.told.marks[f"part {verdict}", rule] += 1
