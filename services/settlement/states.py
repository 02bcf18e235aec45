"""What the books remember, as frozen rows: each is a row of `deploy/migrations/sql/settlement.sql`,
where the meaning of every column is written. Amounts are whole fen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.settlement.sides import Claim as Claim  # noqa: PLC0414 - states like the others
from services.settlement.sides import Release as Release  # noqa: PLC0414
from shared.messages.settlement import BankKind
from shared.messages.settlement_freezing import Frozen

Verdict = Literal[
    "exact",
    "short",
    "over",
    "partial",
    "duplicate",
    "returned",
    "unknown",
    "ambiguous",
]


@dataclass(frozen=True)
class Holder:
    """A person at a region: the two accounts that are kept by person."""

    person: str
    region: str
    account: bool = False
    opened: UUID | None = None
    reopened_at: datetime | None = None
    personal_debit_fen: int = 0
    personal_credit_fen: int = 0
    awaiting_debit_fen: int = 0
    awaiting_credit_fen: int = 0
    deceased: bool = False
    sealed: str | None = None
    name_keys: tuple[str, ...] = ()
    accrued_on: date | None = None
    accrued: int = 0
    settles_on: date | None = None
    frozen: Frozen | None = None
    frozen_on: date | None = None
    frozen_until: date | None = None

    @property
    def balance_fen(self) -> int:
        """What the account holds, for the person to spend."""
        return self.personal_credit_fen - self.personal_debit_fen

    def held_on(self, day: date) -> bool:
        """Whether the account may not leave, nor be taken from, on that day."""
        return self.frozen is not None and (self.frozen_until is None or day < self.frozen_until)

    def may_spend(self, spent_on: date) -> bool:
        """Whether the person could spend on a day: before it was held, or where only that holds."""
        free = self.frozen_on is None or spent_on < self.frozen_on
        return free or self.frozen == "leaving" or not self.held_on(spent_on)


@dataclass(frozen=True)
class Reckoning:
    """Interest that an entry has credited: the whole fen of the parts accrued before `until`."""

    person: str
    entry: UUID
    region: str
    until: date
    accrued: int
    amount_fen: int


@dataclass(frozen=True)
class Movement:
    """What one upstream record did to a personal account; `code` if it did nothing."""

    person: str
    record: UUID
    region: str
    what: str
    amount_fen: int
    refunded_fen: int = 0
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Instruction:
    """A line of a payment file, once booked."""

    person: str
    transfer: UUID
    run: str
    amount_fen: int
    status: str = "instructed"
    code: str = ""


@dataclass(frozen=True)
class Corridor:
    """The exposure of a corridor: open advances, how many claims they are, and what follows from
    them. `suspended` is why nothing is advanced now, `changed_…` what two people agreed on.
    """

    origin: str
    destination: str
    open_fen: int = 0
    claims: int = 0
    oldest_on: date | None = None
    warned_percent: int = 0
    review_on: date | None = None
    reviewed_on: date | None = None
    review_asked: bool = False
    suspended: str | None = None
    suspended_at: datetime | None = None
    well_since: date | None = None
    excused_before: date | None = None
    changed_on: date | None = None
    changed_open_fen: int | None = None
    changed_single_fen: int | None = None
    changed_age_days: int | None = None


@dataclass(frozen=True)
class Aged:
    """What a corridor has open of the advances announced on one day."""

    origin: str
    destination: str
    announced_on: date
    open_fen: int = 0
    claims: int = 0


@dataclass(frozen=True)
class CorridorAct:
    """What was decided about a corridor, for ever: `facts` say on which grounds, or by whom."""

    origin: str
    destination: str
    cause: UUID
    what: Literal["warned", "suspended", "resumed", "limit-changed"]
    at: datetime
    code: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class Declined:
    """An advance declined for the corridor's sake; `offered` while it is offered again."""

    origin: str
    destination: str
    person: str
    transfer: UUID
    declined_at: datetime
    amount_fen: int
    offered: bool = False

    @property
    def key(self) -> tuple[str, str, str, UUID]:
        return self.origin, self.destination, self.person, self.transfer


@dataclass(frozen=True)
class Receipt:
    """A line of a bank statement, as booked."""

    receipt: UUID
    account: str
    region: str
    bank: BankKind
    direction: Literal["credit", "debit"]
    amount_fen: int
    booked_on: date
    value_on: date | None
    reversal: bool
    booked: str
    sealed: str | None
    recorded_at: datetime


@dataclass(frozen=True)
class Part:
    """One payment inside a credit, with the verdict on it."""

    receipt: UUID
    part: int
    region: str
    amount_fen: int
    payer_region: str | None = None
    suspended_fen: int = 0
    reserved_fen: int = 0
    applied_fen: int = 0
    returned_fen: int = 0
    verdict: Verdict = "unknown"
    rule: str = "none"
    evidence: Mapping[str, object] | None = None
    transfers: tuple[UUID, ...] = ()
    refs: tuple[UUID, ...] = ()
    name_keys: tuple[str, ...] = ()

    @property
    def rest_fen(self) -> int:
        """What is in suspense and matched to nothing."""
        return self.suspended_fen - self.reserved_fen - self.applied_fen - self.returned_fen

    @property
    def looks(self) -> Sequence[str]:
        """What finds the part while some of it is unmatched."""
        if self.rest_fen <= 0 or self.verdict == "returned":
            return ()
        looks = [transfer.hex for transfer in dict.fromkeys((*self.refs, *self.transfers))]
        if self.payer_region and self.name_keys and not self.transfers:
            looks.append(look_of(self.region, self.payer_region, self.amount_fen))
        return looks


@dataclass(frozen=True, slots=True)
class Line:
    """What a bank line says of one payment's payee, unsealed; kept in memory only."""

    payee: str
    remark: str

    @property
    def text(self) -> str:
        """All of it, for looking for a name."""
        return f"{self.payee}\n{self.remark}"


def look_of(region: str, payer_region: str, amount_fen: int) -> str:
    """What finds a part by who paid whom how much."""
    return f"{region}|{payer_region}|{amount_fen}"
