"""The trial balance: every invariant of the books, checked on plain rows of one snapshot. PURE.

The rows are aggregates that the database has summed (`queries.py`); each check says true or false
for itself, so that planted damage turns exactly its own invariant red.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.settlement.ledger import side
from shared.money import yuan

BY_PERSON = frozenset({"personal", "awaiting"})


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account of a region as kept; the accounts by person are summed into one row each."""

    region: str
    account: str
    debit_fen: int
    credit_fen: int


@dataclass(frozen=True, slots=True)
class TransferRow:
    """Transfers that all deviate by the same amounts; a healthy one deviates by nothing.

    `heard`: D has handled all that O announced. `unannounced_fen` = R - P - what D was told, both
    as if nothing had been taken back; `untaken_fen`: of O's corrections down, not taken at D yet;
    `unrestored_fen`: taken back at D by a reversal and not O's again yet (below zero where O has
    restored what D is only about to take: it had corrected its release meanwhile);
    `split_fen` = told + K - C - N; `funding_fen` = C - M - U - K - W. The `posted_*` are what the
    postings say less what the rows say, of R - P, P, C, N, M, U, K, W and what of K is still owed.
    """

    transfers: int
    heard: bool
    unannounced_fen: int = 0
    untaken_fen: int = 0
    unrestored_fen: int = 0
    split_fen: int = 0
    funding_fen: int = 0
    overdrawn: bool = False
    posted_released_fen: int = 0
    posted_paid_out_fen: int = 0
    posted_credited_fen: int = 0
    posted_awaiting_fen: int = 0
    posted_matched_fen: int = 0
    posted_open_fen: int = 0
    posted_undue_fen: int = 0
    posted_lost_fen: int = 0
    posted_owed_fen: int = 0


@dataclass(frozen=True, slots=True)
class CorridorRow:
    """The open advances of a corridor as its claims, its account, its lock row and their days have
    them.
    """

    origin: str
    destination: str
    claims_fen: int
    receivable_fen: int
    exposure_fen: int
    claims: int
    exposed: int
    aged_fen: int


@dataclass(frozen=True, slots=True)
class SuspenseRow:
    """What the account `suspense` of a region holds, and what its receipts have in it."""

    region: str
    account_fen: int
    receipts_fen: int


@dataclass(frozen=True, slots=True)
class MirrorRow:
    """Both sides of a corridor: what O owes and paid, what D claims and got."""

    origin: str
    destination: str
    payable_fen: int = 0
    remitting_fen: int = 0
    debited_fen: int = 0
    overpaid_fen: int = 0
    unannounced_fen: int = 0
    untaken_fen: int = 0
    unrestored_fen: int = 0
    claimed_fen: int = 0
    matched_fen: int = 0
    suspense_fen: int = 0
    owed_back_fen: int = 0
    lost_fen: int = 0
    waived_fen: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The books at one moment. `misfits` counts accounts whose turnover is not their postings'."""

    accounts: Sequence[AccountRow] = ()
    transfers: Sequence[TransferRow] = ()
    corridors: Sequence[CorridorRow] = ()
    suspense: Sequence[SuspenseRow] = ()
    mirror: Sequence[MirrorRow] = field(default=())
    negative_holders: int = 0
    misfits: int = 0


def entries_balance(books: Snapshot) -> bool:
    """The accounts of a region, signed by side, sum to zero."""
    sums: dict[str, int] = {}
    for row in books.accounts:
        sums[row.region] = sums.get(row.region, 0) + row.debit_fen - row.credit_fen
    return not any(sums.values())


def entitlement(books: Snapshot) -> bool:
    """R + K = C + P + N, in the rows and in the postings.

    What D has not handled yet is in a message: then less may be announced, or taken back, than
    was released or corrected, never more.
    """
    return all(
        min(row.unannounced_fen, row.untaken_fen) >= 0
        and (row.unannounced_fen == row.untaken_fen == 0 or not row.heard)
        and row.split_fen == 0
        and row.posted_released_fen == 0
        and row.posted_paid_out_fen == 0
        and row.posted_credited_fen == 0
        and row.posted_awaiting_fen == 0
        and row.posted_undue_fen == 0
        and row.posted_owed_fen == 0
        for row in books.transfers
    )


def funding(books: Snapshot) -> bool:
    """C = M + U + K + W, and no claim below zero."""
    return not any(
        row.funding_fen
        or row.overdrawn
        or row.posted_matched_fen
        or row.posted_open_fen
        or row.posted_lost_fen
        for row in books.transfers
    )


def advances_equal_receivables(books: Snapshot) -> bool:
    """Open advances = the account `advance:<O>` = the exposure of the corridor."""
    return all(
        row.claims_fen == row.receivable_fen == row.exposure_fen == row.aged_fen
        and row.claims == row.exposed
        for row in books.corridors
    )


def suspense_equals_unmatched(books: Snapshot) -> bool:
    """What is in suspense is what receipts have there; a reserved receipt still counts."""
    return all(row.account_fen == row.receipts_fen for row in books.suspense)


def no_negative_personal(books: Snapshot) -> bool:
    """No person owes in a spendable account, and no account stands on the wrong side.

    A bank account may: until its first statement is read, what it held before is not known.
    """
    return books.negative_holders == 0 and not any(
        _signed(row) < 0
        for row in books.accounts
        if side(row.account) in {"asset", "liability"} and not row.account.startswith("bank:")
    )


def balances_reproducible(books: Snapshot) -> bool:
    """Every turnover is the sum of its postings."""
    return books.misfits == 0


INVARIANTS: Mapping[str, Callable[[Snapshot], bool]] = {
    check.__name__: check
    for check in (
        entries_balance,
        entitlement,
        funding,
        advances_equal_receivables,
        suspense_equals_unmatched,
        no_negative_personal,
        balances_reproducible,
    )
}


def trial_balance(books: Snapshot, may_see: Callable[[str], bool]) -> dict[str, object]:
    """The answer of `jiexu trial-balance`: the whole is checked, the visible regions are shown."""
    invariants = {name: check(books) for name, check in INVARIANTS.items()}
    return {
        "balanced": all(invariants.values()),
        "invariants": invariants,
        "mirror": [
            mirrored(row)
            for row in sorted(books.mirror, key=lambda row: (row.origin, row.destination))
            if may_see(row.origin) or may_see(row.destination)
        ],
        "regions": by_region(row for row in books.accounts if may_see(row.region)),
    }


def by_region(accounts: Iterable[AccountRow]) -> dict[str, list[dict[str, str]]]:
    """The accounts that have moved, as they are shown."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in sorted(accounts, key=lambda row: (row.region, row.account)):
        if row.debit_fen or row.credit_fen:
            found.setdefault(row.region, []).append(
                {
                    "account": row.account,
                    "debit": yuan(row.debit_fen),
                    "credit": yuan(row.credit_fen),
                    "balance": yuan(abs(row.debit_fen - row.credit_fen)),
                }
            )
    return found


def _signed(row: AccountRow) -> int:
    net = row.debit_fen - row.credit_fen
    return -net if side(row.account) == "liability" else net


def _ahead(row: MirrorRow, ahead_fen: int) -> tuple[int, int, int]:
    """What D has got and O's bank has not told: being paid, or paid outside the payment files;
    what D matched beyond all that O released is a break.
    """
    early_fen = min(ahead_fen, row.remitting_fen)
    # What D owes back, or is still to take back, was owed, and paid, before O corrected it.
    owed_fen = row.payable_fen + row.owed_back_fen + row.untaken_fen
    uninstructed_fen = min(ahead_fen - early_fen, owed_fen)
    return early_fen, uninstructed_fen, ahead_fen - early_fen - uninstructed_fen


def mirrored(row: MirrorRow) -> dict[str, object]:
    """Why the two sides of a corridor differ; what nothing explains is a break.

    owes + in transit + in suspense + owed back + waived + not taken back
    = claims + not heard + not restored + overpaid + written off + received, not debited
    + received, not instructed.
    """
    owes_fen = row.payable_fen + row.remitting_fen
    under_way_fen = row.debited_fen + row.overpaid_fen - row.matched_fen - row.owed_back_fen
    # What D has in suspense beyond that never left O: it makes no difference between the two.
    suspense_fen = min(row.suspense_fen, max(0, under_way_fen))
    early_fen, uninstructed_fen, beyond_fen = _ahead(row, max(0, -under_way_fen))
    explained = {
        "in_suspense": suspense_fen,
        "in_transit": max(0, under_way_fen) - suspense_fen,
        "not_heard": row.unannounced_fen,
        "not_taken_back": row.untaken_fen,
        "not_restored": row.unrestored_fen,
        "owed_back": row.owed_back_fen,
        "written_off": max(0, row.lost_fen - row.waived_fen),
        "waived": max(0, row.waived_fen - row.lost_fen),
        "overpaid": row.overpaid_fen,
        "received_not_debited": early_fen,
        "received_not_instructed": uninstructed_fen,
    }
    more_fen = owes_fen + explained["in_transit"] + suspense_fen + row.owed_back_fen
    received_fen = early_fen + uninstructed_fen
    less_fen = row.claimed_fen + row.unannounced_fen + row.overpaid_fen + received_fen
    less_fen += row.unrestored_fen - row.untaken_fen + row.lost_fen - row.waived_fen
    return {
        "corridor": f"{row.origin}>{row.destination}",
        "origin_owes": yuan(owes_fen),
        "destination_claims": yuan(row.claimed_fen),
        "explained": {name: yuan(amount) for name, amount in explained.items() if amount > 0},
        "unexplained": yuan(max(abs(more_fen - less_fen), beyond_fen)),
    }
