"""The books without a database: every state in one dict, the invariants checked every time."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

from services.settlement import decisions, ledger
from services.settlement.exposure import Limits
from services.settlement.needs import Needs
from services.settlement.netting.terms import NEVER, Terms
from services.settlement.states import Claim, Holder, Part, Release
from shared.calendar import SHANGHAI
from shared.decision import Delivery, States, Timer
from shared.messages import NAMESPACE, Message
from shared.messages.settlement import (
    ApplyReceipt,
    BankKind,
    Contribute,
    CreditAdvance,
    Detail,
    FundsCorrected,
    FundsReleased,
    OpenAccount,
    RecordReceipt,
    ReleaseFunds,
)
from shared.messages.settlement_compensation import AdvanceReversed
from shared.regions import Regions, load
from shared.settings import Settings
from tests.unit.settlement_back import adjust, restore
from tests.unit.settlement_invariants import balance_of, check, check_interest, turnover

A, B, C = "410100", "450100", "340100"
PERSON = "0" * 31 + "1"
DAY = datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI)

REGIONS = load(Settings().regions)
LIMITS = Limits(open_fen=1_000_000_00, single_fen=50_000_00)

Wanted = TypeVar("Wanted", bound=Message)


def some_id(name: object) -> UUID:
    return uuid5(NAMESPACE, f"test {name}")


T1, T2, T3 = some_id("T1"), some_id("T2"), some_id("T3")


def open_account(region: str = B, balance_fen: int = 0, **others: object) -> OpenAccount:
    fields: dict[str, Any] = {
        "person": PERSON,
        "record": some_id(f"open {region}"),
        "account": True,
        **others,
    }
    return OpenAccount(to=region, balance_fen=balance_fen, **fields)


def release_funds(transfer: UUID = T1, at: str = A, to: str = B, **others: object) -> ReleaseFunds:
    fields: dict[str, Any] = {"person": PERSON, "opened_at": opened_at(transfer), **others}
    return ReleaseFunds(to=at, transfer=transfer, destination=to, **fields)


def credit(amount_fen: int, transfer: UUID = T1, **others: object) -> CreditAdvance:
    fields: dict[str, Any] = {
        "to": B,
        "origin": A,
        "person": PERSON,
        "version": 1,
        "advance": True,
        **others,
    }
    return CreditAdvance(
        transfer=transfer,
        amount_fen=amount_fen,
        released_on=DAY.date(),
        opened_at=opened_at(transfer),
        **fields,
    )


def opened_at(transfer: UUID) -> datetime:
    order = {T1: 1, T2: 2, T3: 3}
    return DAY + timedelta(hours=order.get(transfer, 0))


def detail(amount_fen: int, *references: UUID, **others: Any) -> Detail:  # noqa: ANN401 - fields
    return Detail(amount_fen=amount_fen, references=references, **others)


def receipt(
    name: str,
    *details: Detail,
    region: str = B,
    bank: BankKind = "income",
    **others: Any,  # noqa: ANN401 - fields
) -> RecordReceipt:
    return RecordReceipt(
        to=region,
        account=f"{region}:{bank}",
        bank=bank,
        receipt=some_id(name),
        amount_fen=others.pop("amount_fen", sum(one.amount_fen for one in details)),
        booked_on=DAY.date(),
        details=details,
        **others,
    )


def expected_by(needs: Needs, claims: Sequence[Claim]) -> States:
    """The claims of each payer and amount that the messages ask for, as `load` finds them."""
    announced = {c.transfer: (c.region, c.origin, c.announced_fen) for c in claims}
    looks = needs.looks(announced)
    found: dict[str, list[tuple[str, UUID]]] = {look: [] for look in looks if "|" in look}
    for c in claims if found else ():
        look = f"{c.region}|{c.origin}|{c.announced_fen}"
        if look in found:
            found[look].append((c.person, c.transfer))
    return {("expected", look): tuple(sorted(places)) for look, places in found.items()}


@dataclass
class World:
    """Commands that the books send to themselves are handled at once, unless `held`."""

    limits: Limits = LIMITS
    states: States = field(default_factory=dict)
    said: list[Message] = field(default_factory=list)
    held: deque[Message] | None = None
    entries: dict[UUID, ledger.Entry] = field(default_factory=dict)
    number: int = 0
    later: timedelta = timedelta()
    timers: dict[UUID, Timer] = field(default_factory=dict)
    terms: Terms = NEVER
    regions: Regions = REGIONS

    @property
    def at(self) -> datetime:
        return DAY + timedelta(days=1, seconds=self.number) + self.later

    def wait(self, days: int) -> list[Message]:
        """Lets days pass, from timer to timer: what the due ones lead to."""
        until, said = self.at + timedelta(days=days), list[Message]()
        while due := sorted((t.due_at, t.id) for t in self.timers.values() if t.due_at):
            at, id_ = due[0]
            if at > until:
                break
            self.later += max(at - self.at, timedelta())
            message = self.timers.pop(id_).message
            assert message
            said += self.send(message)
        self.later += max(until - self.at, timedelta())
        return said

    def send(self, *messages: Message) -> list[Message]:
        """What the messages lead to, but for what the books say to themselves."""
        start = len(self.said)
        for message in messages:
            self._handle(message)
        return [m for m in self.said[start:] if m.type not in decisions.HANDLES]

    def _handle(self, message: Message) -> None:
        self.number += 1
        at = self.at
        id_ = some_id(f"message {self.number}")
        self._look(message)
        given = Delivery(id_, message.key, message, at, at, id_)
        decision = decisions.decide(
            self.states, given, self._limits_of, self.regions.at, self.terms
        )
        self.states.update(decision.changes)
        for state in decision.changes.values():
            if isinstance(state, ledger.Entry):
                assert state.id not in self.entries, state.kind
                self.entries[state.id] = state
        for timer in decision.timers:
            self.timers.pop(timer.id, None)
            if timer.message:
                self.timers[timer.id] = timer
        self.said += decision.out
        own = [said for said in decision.out if said.type in decisions.HANDLES]
        if self.held is not None:
            self.held += own
        check(self, self._on_its_way())
        check_interest(self.all(Holder), self.entries.values(), self.regions.at)
        if self.held is None:
            for command in own:
                self._handle(command)

    def _on_its_way(self) -> list[ApplyReceipt] | None:
        if self.held is None:
            return None
        return [m for m in self.held if isinstance(m, ApplyReceipt)]

    def _look(self, message: Message) -> None:
        """What `load` would have read, even where there is nothing."""
        needs = Needs.of([Delivery(T1, message.key, message, DAY, DAY, T1)])
        self.states.update(expected_by(needs, self.all(Claim)))
        for origin, to in needs.reviewing:
            large = [c for c in self.all(Claim) if c.declined == "single_limit"]
            large.sort(key=lambda c: (c.declined_at, c.transfer))
            self.states["too-large", origin, to] = tuple(large)
        for person, transfer in needs.taking_back:
            del person
            self.states["parts-of", transfer] = tuple(
                (p.receipt, p.part) for p in self.all(Part) if transfer in p.transfers
            )

    def _limits_of(self, origin: str, destination: str, day: date) -> Limits:
        assert day >= DAY.date()
        if "999999" in {origin, destination}:
            raise KeyError(origin)
        return self.limits

    @property
    def totals(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Debits and credits by region and account."""
        return turnover(self.entries.values())

    def all(self, kind: type[Any]) -> Sequence[Any]:
        return [state for state in self.states.values() if isinstance(state, kind)]

    def claim(self, transfer: UUID = T1, person: str = PERSON) -> Claim:
        found = self.states["claim", person, transfer]
        assert isinstance(found, Claim)
        return found

    def release(self, transfer: UUID = T1, person: str = PERSON) -> Release:
        found = self.states["release", person, transfer]
        assert isinstance(found, Release)
        return found

    def part(self, name: str, number: int = 0) -> Part:
        found = self.states["part", some_id(name), number]
        assert isinstance(found, Part)
        return found

    def balance(self, region: str, person: str = PERSON) -> int:
        found = self.states.get(("holder", person, region))
        return found.balance_fen if isinstance(found, Holder) else 0

    def account(self, region: str, account: str) -> int:
        """The balance on the account's own side; of a contra account, its debits less credits."""
        return balance_of(self.totals, region, account)

    def kinds(self, region: str = B) -> list[str]:
        return [entry.kind for entry in self.entries.values() if entry.region == region]


def only(kind: type[Wanted], messages: Iterable[Message]) -> Wanted:
    found = [message for message in messages if isinstance(message, kind)]
    assert len(found) == 1, messages
    return found[0]


def announced(said: Iterable[Message], *, advance: bool = True) -> list[Message]:
    """What the transfer service makes of what O says, and of what D has taken back."""
    found: list[Message] = []
    for m in said:
        if isinstance(m, AdvanceReversed) and m.amount_fen:
            found.append(restore(m))
        elif isinstance(m, FundsCorrected) and m.delta_fen < 0:
            found.append(adjust(m))
        elif isinstance(m, FundsReleased | FundsCorrected):
            amount_fen = m.owed_fen if isinstance(m, FundsReleased) else m.delta_fen
            of_m = {"to": m.to, "origin": m.origin, "person": m.person, "version": m.version}
            found.append(credit(amount_fen, m.transfer, advance=advance, **of_m))
    return found


def opened_world(balance_fen: int = 100) -> World:
    """The person has an account at A with a balance, and one at B."""
    world = World()
    world.send(open_account(A, balance_fen), open_account(B))
    return world


def advanced(balance_fen: int = 100) -> World:
    """All of it was released at A and advanced at B."""
    world = opened_world(balance_fen)
    world.send(*announced(world.send(release_funds())))
    return world


def late_contribution(world: World, amount_fen: int) -> list[Message]:
    """It comes to O after the release and is announced as a correction."""
    record = some_id("late")
    late = Contribute(to=A, person=PERSON, record=record, amount_fen=amount_fen)
    return announced(world.send(late))
