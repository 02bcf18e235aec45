"""The books without a database: every state in one dict, and what must hold after every message."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

from services.settlement import decisions, ledger
from services.settlement.exposure import Limits
from services.settlement.needs import Needs
from services.settlement.states import Claim, Corridor, Holder, Part, Release
from shared.calendar import SHANGHAI
from shared.decision import Delivery, States
from shared.messages import NAMESPACE, Command, Message
from shared.messages.settlement import (
    ApplyReceipt,
    BankKind,
    CreditAdvance,
    Detail,
    FundsCorrected,
    FundsReleased,
    OpenAccount,
    RecordReceipt,
    ReleaseFunds,
)

A, B, C = "410100", "450100", "340100"
PERSON = "0" * 31 + "1"
DAY = datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI)

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


@dataclass
class World:
    """Commands that the books send to themselves are handled at once, unless `held`."""

    limits: Limits = LIMITS
    states: States = field(default_factory=dict)
    said: list[Message] = field(default_factory=list)
    held: deque[Message] | None = None
    entries: dict[UUID, ledger.Entry] = field(default_factory=dict)
    number: int = 0

    def send(self, *messages: Message) -> list[Message]:
        """What the messages lead to, the events among it."""
        start = len(self.said)
        for message in messages:
            self._handle(message)
        return [m for m in self.said[start:] if not isinstance(m, Command)]

    def _handle(self, message: Message) -> None:
        self.number += 1
        at = DAY + timedelta(days=1, seconds=self.number)
        id_ = some_id(f"message {self.number}")
        self._look(message)
        given = Delivery(id_, message.key, message, at, at, id_)
        decision = decisions.decide(self.states, given, self._limits_of)
        self.states.update(decision.changes)
        for state in decision.changes.values():
            if isinstance(state, ledger.Entry):
                assert state.id not in self.entries, state.kind
                self.entries[state.id] = state
        self.said += decision.out
        own = [said for said in decision.out if isinstance(said, Command)]
        if self.held is not None:
            self.held += own
        check(self)
        if self.held is None:
            for command in own:
                self._handle(command)

    def _look(self, message: Message) -> None:
        """What `load` would have read, even where there is nothing."""
        at = DAY
        needs = Needs.of([Delivery(T1, message.key, message, at, at, T1)])
        claims = {c.transfer: (c.region, c.origin, c.announced_fen) for c in self.all(Claim)}
        for look in needs.looks(claims):
            found = [
                (c.person, c.transfer)
                for c in self.all(Claim)
                if f"{c.region}|{c.origin}|{c.announced_fen}" == look
            ]
            self.states["expected", look] = tuple(sorted(found))

    def _limits_of(self, origin: str, destination: str, day: date) -> Limits:
        assert day >= DAY.date()
        if "999999" in {origin, destination}:
            raise KeyError(origin)
        return self.limits

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
        debit_fen, credit_fen = turnover(self.entries.values()).get((region, account), (0, 0))
        net_fen = debit_fen - credit_fen
        return -net_fen if ledger.side(account) == "liability" else net_fen

    def kinds(self, region: str = B) -> list[str]:
        return [entry.kind for entry in self.entries.values() if entry.region == region]


def only(kind: type[Wanted], messages: Iterable[Message]) -> Wanted:
    found = [message for message in messages if isinstance(message, kind)]
    assert len(found) == 1, messages
    return found[0]


def announced(said: Iterable[Message], *, advance: bool = True) -> list[CreditAdvance]:
    """What the transfer service makes of what O says."""
    found = []
    for m in said:
        if isinstance(m, FundsReleased | FundsCorrected):
            amount_fen = m.principal_fen if isinstance(m, FundsReleased) else m.delta_fen
            found.append(
                credit(
                    amount_fen,
                    m.transfer,
                    to=m.to,
                    origin=m.origin,
                    person=m.person,
                    version=m.version,
                    advance=advance,
                )
            )
    return found


def turnover(entries: Iterable[ledger.Entry]) -> dict[tuple[str, str], tuple[int, int]]:
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for entry in entries:
        for account, (debit_fen, credit_fen) in ledger.totals(entry.postings).items():
            before = found.get((entry.region, account), (0, 0))
            found[entry.region, account] = (before[0] + debit_fen, before[1] + credit_fen)
    return found


def check(world: World) -> None:
    """The invariants of the books, from the journal as well as from what is remembered."""
    totals = turnover(world.entries.values())
    _no_account_is_below_zero(totals)
    personal: dict[str, int] = {}
    awaiting: dict[str, int] = {}
    for h in world.all(Holder):
        personal[h.region] = personal.get(h.region, 0) + h.balance_fen
        awaiting_fen = h.awaiting_credit_fen - h.awaiting_debit_fen
        assert awaiting_fen >= 0
        awaiting[h.region] = awaiting.get(h.region, 0) + awaiting_fen
    for region in {region for region, _ in totals}:
        assert world.account(region, "personal") == personal.get(region, 0)
        assert world.account(region, "awaiting") == awaiting.get(region, 0)
        parts = [p for p in world.all(Part) if p.region == region]
        held = sum(p.suspended_fen - p.applied_fen - p.returned_fen for p in parts)
        assert world.account(region, "suspense") == held
        _claims_are_the_receivables(world, region)
        _releases_are_the_payables(world, region)
    _what_is_released_is_announced_or_on_its_way(world)


def _no_account_is_below_zero(totals: dict[tuple[str, str], tuple[int, int]]) -> None:
    for (_, account), (debit_fen, credit_fen) in totals.items():
        if ledger.side(account) == "asset" and not account.startswith("bank:"):
            assert debit_fen >= credit_fen, account
        if ledger.side(account) == "liability":
            assert credit_fen >= debit_fen, account


def _claims_are_the_receivables(world: World, region: str) -> None:
    claims = [c for c in world.all(Claim) if c.region == region]
    for c in claims:
        assert c.announced_fen == c.credited_fen + c.awaiting_fen
        assert c.credited_fen == c.matched_fen + c.open_fen
        assert min(c.open_fen, c.awaiting_fen, c.matched_fen, c.excess_fen, c.reserved_fen) >= 0
    for origin in {c.origin for c in claims}:
        own = [c for c in claims if c.origin == origin]
        open_fen = sum(c.open_fen for c in own)
        corridor = world.states.get(("corridor", origin, region), Corridor(origin, region))
        assert isinstance(corridor, Corridor)
        assert corridor.open_fen == open_fen == world.account(region, f"advance:{origin}")
        assert corridor.claims == sum(c.open_fen > 0 for c in own)
        assert world.account(region, f"awaited:{origin}") == sum(c.awaiting_fen for c in own)
    reserved = sum(p.reserved_fen for p in world.all(Part) if p.region == region)
    assert reserved == sum(c.reserved_fen for c in claims)
    on_its_way = [m for m in world.held or () if isinstance(m, ApplyReceipt) and m.to == region]
    if world.held is not None:
        assert reserved == sum(m.amount_fen for m in on_its_way)


def _releases_are_the_payables(world: World, region: str) -> None:
    releases = [r for r in world.all(Release) if r.region == region]
    for r in releases:
        assert r.released_fen - r.paid_out_fen == r.payable_fen + r.sent_fen
    remitting_fen = sum(r.remitting_fen for r in releases)
    assert world.account(region, "remitting") == remitting_fen
    for destination in {r.destination for r in releases}:
        own = [r for r in releases if r.destination == destination]
        assert world.account(region, f"payable:{destination}") == sum(r.payable_fen for r in own)
        assert world.account(region, f"overpaid:{destination}") == sum(r.overpaid_fen for r in own)


def _what_is_released_is_announced_or_on_its_way(world: World) -> None:
    claims = {c.transfer: c for c in world.all(Claim)}
    for r in world.all(Release):
        if r.transfer in claims and len(claims[r.transfer].versions) >= r.version:
            assert claims[r.transfer].announced_fen == r.released_fen - r.paid_out_fen
