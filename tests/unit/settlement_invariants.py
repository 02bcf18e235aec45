"""What must hold in the books after every message: the invariants of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.settlement import ledger
from services.settlement.states import Claim, Corridor, Holder, Part, Release
from shared.messages.settlement import ApplyReceipt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.unit.settlement_world import World


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
