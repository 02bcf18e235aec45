"""What must hold in the books after every message: the invariants of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from services.settlement import interest, ledger
from services.settlement.netting.states import Owed
from services.settlement.states import Aged, Claim, Corridor, Holder, Part, Release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from services.settlement.journal import PolicyOf
    from shared.decision import States
    from shared.messages.settlement import ApplyReceipt
    from shared.rules import InterestRule

    Totals = Mapping[tuple[str, str], tuple[int, int]]
    """Debits and credits by region and account."""


class Books(Protocol):
    """Every row of the books, and the turnover of every account by the journal."""

    states: States

    @property
    def totals(self) -> Totals: ...

    def all(self, kind: type[Any]) -> Sequence[Any]: ...


def turnover(entries: Iterable[ledger.Entry]) -> dict[tuple[str, str], tuple[int, int]]:
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for entry in entries:
        for account, (debit_fen, credit_fen) in ledger.totals(entry.postings).items():
            before = found.get((entry.region, account), (0, 0))
            found[entry.region, account] = (before[0] + debit_fen, before[1] + credit_fen)
    return found


def balance_of(totals: Totals, region: str, account: str) -> int:
    """The balance on the account's own side; of a contra account, its debits less credits."""
    debit_fen, credit_fen = totals.get((region, account), (0, 0))
    net_fen = debit_fen - credit_fen
    return -net_fen if ledger.side(account) == "liability" else net_fen


def check(books: Books, on_its_way: Sequence[ApplyReceipt] | None) -> None:
    """The invariants of the books, from the journal as well as from what is remembered.

    `on_its_way`: what was reserved and is not applied yet, where that is known.
    """
    totals = books.totals
    _no_account_is_below_zero(totals)
    personal: dict[str, int] = {}
    awaiting: dict[str, int] = {}
    for h in books.all(Holder):
        personal[h.region] = personal.get(h.region, 0) + h.balance_fen
        awaiting_fen = h.awaiting_credit_fen - h.awaiting_debit_fen
        assert awaiting_fen >= 0
        awaiting[h.region] = awaiting.get(h.region, 0) + awaiting_fen
    claims, releases, parts = books.all(Claim), books.all(Release), books.all(Part)
    for region in {region for region, _ in totals}:
        assert balance_of(totals, region, "personal") == personal.get(region, 0)
        assert balance_of(totals, region, "awaiting") == awaiting.get(region, 0)
        own = [p for p in parts if p.region == region]
        held = sum(p.suspended_fen - p.applied_fen - p.returned_fen for p in own)
        assert balance_of(totals, region, "suspense") == held
        reserved = sum(p.reserved_fen for p in own)
        claimed = [c for c in claims if c.region == region]
        assert reserved == sum(c.reserved_fen for c in claimed)
        if on_its_way is not None:
            assert reserved == sum(m.amount_fen for m in on_its_way if m.to == region)
        _claims_are_the_receivables(books, totals, claimed)
        own_releases = [r for r in releases if r.region == region]
        instructed_fen = sum(c.back_remitting_fen for c in claimed) + sum(
            owed.instructed_fen - owed.debited_fen
            for owed in books.all(Owed)
            if owed.payer == region
        )
        _releases_are_the_payables(totals, own_releases, claimed, region, instructed_fen)
        owed_fen = sum(c.recoverable_fen for c in claimed)
        assert balance_of(totals, region, "recoverable") == owed_fen
    _what_is_released_is_announced_or_on_its_way(claims, releases)
    _debts_are_paid_from_what_is_free(books.all(Holder), claims)


def check_interest(
    holders: Sequence[Holder], entries: Iterable[ledger.Entry], policy_of: PolicyOf
) -> None:
    """What an account has earned is what its balances were, day by day, since it was credited."""
    moved: dict[tuple[str, str], list[tuple[date, int]]] = {}
    for entry in entries:
        fen = sum(
            p.amount_fen * ((p.credit == ledger.PERSONAL) - (p.debit == ledger.PERSONAL))
            for p in entry.postings
        )
        own = moved.setdefault((entry.person, entry.region), [])
        if entry.kind == "interest":
            # What stood there until it was credited stands there from then on.
            own[:] = [(max(on, entry.business_date), some) for on, some in own]
        if fen:
            own.append((entry.business_date, fen))
    for holder in holders:
        found = moved.get((holder.person, holder.region), [])
        if not found:
            continue
        assert holder.accrued_on is not None

        def rule_on(day: date, region: str = holder.region) -> InterestRule | None:
            try:
                return policy_of(region, day).interest
            except KeyError:
                return None

        def parts(since: date, fen: int, until: date = holder.accrued_on) -> int:
            return fen * interest.weight(interest.spans(rule_on, since, until))

        assert holder.accrued == sum(parts(on, fen) for on, fen in found), holder


def _debts_are_paid_from_what_is_free(holders: Sequence[Holder], claims: Sequence[Claim]) -> None:
    """Nobody owes beside a balance, except where the account is held."""
    owing = {(c.person, c.region) for c in claims if c.recoverable_fen}
    for h in holders if owing else ():
        assert h.frozen or not h.balance_fen or (h.person, h.region) not in owing, h


def _no_account_is_below_zero(totals: Totals) -> None:
    for (_, account), (debit_fen, credit_fen) in totals.items():
        if ledger.side(account) == "asset" and not account.startswith("bank:"):
            assert debit_fen >= credit_fen, account
        if ledger.side(account) == "liability":
            assert credit_fen >= debit_fen, account


def _claims_are_the_receivables(books: Books, totals: Totals, claims: Sequence[Claim]) -> None:
    for c in claims:
        assert c.announced_fen + c.undue_fen == c.credited_fen + c.awaiting_fen
        assert c.credited_fen == c.matched_fen + c.open_fen + c.undue_fen + c.lost_fen
        assert min(c.open_fen, c.awaiting_fen, c.matched_fen, c.excess_fen, c.reserved_fen) >= 0
        assert min(c.undue_fen, c.recoverable_fen, c.written_off_fen, c.waived_fen) >= 0
        assert min(c.back_payable_fen, c.back_remitting_fen, c.restored_fen) >= 0
    for region, origin in {(c.region, c.origin) for c in claims}:
        own = [c for c in claims if c.origin == origin]
        open_fen = sum(c.open_fen for c in own)
        corridor = books.states.get(("corridor", origin, region), Corridor(origin, region))
        assert isinstance(corridor, Corridor)
        assert corridor.open_fen == open_fen == balance_of(totals, region, f"advance:{origin}")
        assert corridor.claims == sum(c.open_fen > 0 for c in own)
        aged = [a for a in books.all(Aged) if (a.origin, a.destination) == (origin, region)]
        for day in {c.announced_on for c in own} | {a.announced_on for a in aged}:
            of_day = [c.open_fen for c in own if c.announced_on == day and c.open_fen]
            found = [(a.open_fen, a.claims) for a in aged if a.announced_on == day and a.open_fen]
            assert found == ([(sum(of_day), len(of_day))] if of_day else [])
            excused = corridor.excused_before is not None and day < corridor.excused_before
            assert not of_day or excused or (corridor.oldest_on and corridor.oldest_on <= day)
        awaited_fen = sum(c.awaiting_fen for c in own)
        assert balance_of(totals, region, f"awaited:{origin}") == awaited_fen


def _releases_are_the_payables(
    totals: Totals,
    releases: Sequence[Release],
    claims: Sequence[Claim],
    region: str,
    instructed_fen: int,
) -> None:
    for r in releases:
        assert r.owed_fen == r.payable_fen + r.sent_fen + r.waived_fen >= 0
    remitting_fen = sum(r.remitting_fen for r in releases) + instructed_fen
    assert balance_of(totals, region, "remitting") == remitting_fen
    # What the bank has announced and not shown yet.
    returning_fen = sum(max(0, r.back_told_fen - r.back_seen_fen) for r in releases)
    assert balance_of(totals, region, "returning") == returning_fen
    for destination in {r.destination for r in releases} | {c.origin for c in claims}:
        own = [r for r in releases if r.destination == destination]
        payable_fen = sum(r.payable_fen for r in own)
        payable_fen += sum(c.back_payable_fen for c in claims if c.origin == destination)
        overpaid_fen = sum(r.overpaid_fen for r in own)
        assert balance_of(totals, region, f"payable:{destination}") == payable_fen
        assert balance_of(totals, region, f"overpaid:{destination}") == overpaid_fen


def _what_is_released_is_announced_or_on_its_way(
    claims: Sequence[Claim], releases: Sequence[Release]
) -> None:
    by_transfer = {c.transfer: c for c in claims}
    for r in releases:
        claim = by_transfer.get(r.transfer)
        if claim is not None and len(claim.versions) >= r.version:
            assert claim.announced_fen + claim.restored_fen == r.owed_fen + r.restored_fen
            assert claim.lowered_fen == r.lowered_fen
        if claim is not None:
            assert claim.lowered_fen <= r.lowered_fen
