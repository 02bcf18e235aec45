"""The journal: accounts with their side, postings that balance by construction, and one
constructor of postings for each event that moves money.

A posting is one row: debit account, credit account, amount above zero. `personal` and `awaiting`
are the accounts of the entry's person. Nothing here reads a balance: that an account never goes
below zero on its own side is seen to by whoever decides, claim by claim and release by release.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from shared.ids import uuid5
from shared.messages import NAMESPACE

Side = Literal["asset", "liability", "contra", "either"]

PERSONAL, AWAITING = "personal", "awaiting"
"""The two accounts kept by person: `personal:<person>` and `awaiting:<person>`."""

REMITTING, SUSPENSE, UNEXPLAINED = "remitting", "suspense", "unexplained"
RETURNING = "returning"
"""The bank says that it comes back, and its statement does not show it yet."""
OPENING, CONTRIBUTIONS, INTEREST = "opening", "contributions", "interest"
SPENDING, PAYOUT, CHARGES = "spending", "payout", "charges"
RECOVERABLE, WRITE_OFF, WAIVED = "recoverable", "write-off", "waived"

_SIDES: dict[str, Side] = {
    "personal": "liability",
    "awaiting": "liability",
    "payable": "liability",
    "remitting": "liability",
    "suspense": "liability",
    "advance": "asset",
    "awaited": "asset",
    "overpaid": "asset",
    "bank": "asset",
    "recoverable": "asset",
    "unexplained": "asset",
    "returning": "asset",
    "clearing": "either",
    "opening": "contra",
    "contributions": "contra",
    "interest": "contra",
    "spending": "contra",
    "payout": "contra",
    "charges": "contra",
    "write-off": "contra",
    "waived": "contra",
}


def side(account: str) -> Side:
    """Which side an account stands on; `contra` and `either` may stand on both. Raises KeyError."""
    return _SIDES[account.partition(":")[0]]


def advance(origin: str) -> str:
    """Credited to persons before O's money came."""
    return f"advance:{origin}"


def awaited(origin: str) -> str:
    """Announced by O and not advanced."""
    return f"awaited:{origin}"


def payable(destination: str) -> str:
    """Released to D and not instructed yet."""
    return f"payable:{destination}"


def overpaid(destination: str) -> str:
    """Paid to D beyond what is owed now."""
    return f"overpaid:{destination}"


def clearing(window: str) -> str:
    """The position towards the province in a window (`2026-04`): what it owes us, or we owe it."""
    return f"clearing:{window}"


def bank(kind: str) -> str:
    """The income, expense or fiscal account at the bank."""
    return f"bank:{kind}"


@dataclass(frozen=True, slots=True)
class Posting:
    """One row: both legs and an amount above zero."""

    debit: str
    credit: str
    amount_fen: int

    def __post_init__(self) -> None:
        assert self.amount_fen > 0, self
        assert self.debit != self.credit, self


Postings = tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One business fact: postings of one region with one cause, one date, one natural key.

    `person` is the person key, or the bank account key where the entry concerns nobody; `late`
    says why the date is not that of the day on which the entry was made.
    """

    id: UUID
    kind: str
    region: str
    person: str
    subject: str
    version: int
    transfer: UUID | None
    business_date: date
    cause: UUID
    reverses: UUID | None
    postings: Postings
    late: str | None = None


def entry_id(person: str, region: str, kind: str, subject: str, version: int) -> UUID:
    """The id that a fact has whenever and however often it is written."""
    return uuid5(NAMESPACE, f"entry\x1f{person}\x1f{region}\x1f{kind}\x1f{subject}\x1f{version}")


def posted(*rows: tuple[str, str, int]) -> Postings:
    """Postings of the rows whose amount is not zero."""
    return tuple(Posting(debit, credit, amount) for debit, credit, amount in rows if amount)


def totals(postings: Iterable[Posting]) -> dict[str, tuple[int, int]]:
    """Debits and credits of each account that the postings touch."""
    found: dict[str, tuple[int, int]] = {}
    for row in postings:
        debit, credit = found.get(row.debit, (0, 0))
        found[row.debit] = (debit + row.amount_fen, credit)
        debit, credit = found.get(row.credit, (0, 0))
        found[row.credit] = (debit, credit + row.amount_fen)
    return found


def opened(amount_fen: int) -> Postings:
    """The balance a personal account began with; below zero, a correction of it."""
    if amount_fen < 0:
        return posted((PERSONAL, OPENING, -amount_fen))
    return posted((OPENING, PERSONAL, amount_fen))


def contributed(amount_fen: int) -> Postings:
    """A contribution."""
    return posted((CONTRIBUTIONS, PERSONAL, amount_fen))


def spent(amount_fen: int) -> Postings:
    """The person pays."""
    return posted((PERSONAL, SPENDING, amount_fen))


def refunded(amount_fen: int) -> Postings:
    """A spend comes back."""
    return posted((SPENDING, PERSONAL, amount_fen))


def earned(amount_fen: int) -> Postings:
    """Interest is credited."""
    return posted((INTEREST, PERSONAL, amount_fen))


def not_earned(amount_fen: int) -> Postings:
    """Interest that was credited and had not been earned."""
    return posted((PERSONAL, INTEREST, amount_fen))


def released(destination: str, principal_fen: int, interest_fen: int = 0) -> Postings:
    """The personal account is emptied: what was in it is owed to D, the interest just credited
    apart from the rest.
    """
    return posted(
        (PERSONAL, payable(destination), principal_fen),
        (PERSONAL, payable(destination), interest_fen),
    )


def paid_out(principal_fen: int, interest_fen: int = 0) -> Postings:
    """The personal account is paid out to the person or the heirs."""
    return posted((PERSONAL, PAYOUT, principal_fen), (PERSONAL, PAYOUT, interest_fen))


def instructed(destination: str, amount_fen: int, settled_fen: int = 0) -> Postings:
    """The bank is told to pay; `settled_fen` of it had been paid before it was told."""
    return posted(
        (payable(destination), REMITTING, amount_fen),
        (REMITTING, overpaid(destination), settled_fen),
    )


def debited(kind: str, destination: str, told_fen: int, owed_fen: int, over_fen: int) -> Postings:
    """The bank has paid D: what it was told, what was owed without that, and what was not."""
    return posted(
        (REMITTING, bank(kind), told_fen),
        (payable(destination), bank(kind), owed_fen),
        (overpaid(destination), bank(kind), over_fen),
    )


def rejected(destination: str, amount_fen: int) -> Postings:
    """The bank does not pay what it was told: it is owed as before."""
    return posted((REMITTING, payable(destination), amount_fen))


def returned(
    kind: str, destination: str, owed_fen: int, over_fen: int, told_fen: int = 0
) -> Postings:
    """A remittance came back to O's bank: it is owed again, or was too much in the first place;
    `told_fen` of it was announced before.
    """
    return posted(
        (bank(kind), payable(destination), owed_fen),
        (bank(kind), overpaid(destination), over_fen),
        (bank(kind), RETURNING, told_fen),
    )


def return_announced(destination: str, owed_fen: int, over_fen: int) -> Postings:
    """A remittance is on its way back, as the bank says."""
    return posted(
        (RETURNING, payable(destination), owed_fen),
        (RETURNING, overpaid(destination), over_fen),
    )


def advanced(origin: str, amount_fen: int, awaited_fen: int = 0) -> Postings:
    """Credited before O's money came; `awaited_fen` more was only announced until now."""
    return posted(
        (AWAITING, PERSONAL, awaited_fen),
        (advance(origin), awaited(origin), awaited_fen),
        (advance(origin), PERSONAL, amount_fen),
    )


def announced(origin: str, amount_fen: int) -> Postings:
    """Announced by O, not advanced: not spendable."""
    return posted((awaited(origin), AWAITING, amount_fen))


def received(kind: str, amount_fen: int) -> Postings:
    """Money has arrived; whose it is, is another matter."""
    return posted((bank(kind), SUSPENSE, amount_fen))


def applied(
    origin: str,
    to_advance_fen: int,
    to_awaited_fen: int,
    to_written_off_fen: int = 0,
    to_waived_fen: int = 0,
    source: str = SUSPENSE,
) -> Postings:
    """A receipt makes an advance real, or credits what nothing was advanced for; what comes after
    the claim was given up makes the loss smaller.
    """
    return posted(
        (source, advance(origin), to_advance_fen),
        (source, awaited(origin), to_awaited_fen),
        (AWAITING, PERSONAL, to_awaited_fen),
        (source, WRITE_OFF, to_written_off_fen),
        (source, WAIVED, to_waived_fen),
    )


def swept(to: str, source: str, amount_fen: int) -> Postings:
    """Between two accounts of the same agency."""
    return posted((bank(to), bank(source), amount_fen))


def charged(kind: str, amount_fen: int) -> Postings:
    """A fee of the bank."""
    return posted((CHARGES, bank(kind), amount_fen))


def unexplained(kind: str, amount_fen: int) -> Postings:
    """A debit that nobody instructed."""
    return posted((UNEXPLAINED, bank(kind), amount_fen))


def bank_opened(kind: str, amount_fen: int) -> Postings:
    """What was at the bank before its first statement here."""
    if amount_fen < 0:
        return posted((OPENING, bank(kind), -amount_fen))
    return posted((bank(kind), OPENING, amount_fen))
