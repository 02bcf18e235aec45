"""What netting remembers, as frozen rows: each is a row of `deploy/migrations/sql/netting.sql`,
where the meaning of every column is written. Amounts are whole fen.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID, uuid5

from shared.messages import NAMESPACE
from shared.messages.settlement_netting import window_key
from shared.months import parse_month

WindowState = Literal["open", "published", "final", "paid"]


@dataclass(frozen=True)
class Line:
    """What one version of a transfer has to be netted, as each side has it."""

    person: str
    transfer: UUID
    version: int
    province: str
    origin: str
    destination: str
    month: int
    origin_fen: int | None = None
    destination_fen: int | None = None
    entered: int | None = None
    disputes: tuple[str, ...] = ()
    confirms: tuple[str, ...] = ()
    settled: bool = False

    @property
    def agreed_fen(self) -> int:
        """What both sides have and nobody disputes; 0 where there is nothing to net."""
        if self.origin_fen is None or self.origin_fen != self.destination_fen or self.disputes:
            return 0
        return self.origin_fen

    @property
    def shown_fen(self) -> int:
        """What either side has of it."""
        return self.origin_fen if self.origin_fen is not None else self.destination_fen or 0


@dataclass(frozen=True)
class Total:
    """The lines of a corridor in a window: what there is to close, and the lock of both."""

    province: str
    month: int
    origin: str
    destination: str
    state: WindowState = "open"
    lines: int = 0
    fen: int = 0


@dataclass(frozen=True)
class Window:
    """A province's month. Without a row it is open."""

    province: str
    month: int
    state: WindowState = "open"
    published_on: date | None = None
    answer_by: datetime | None = None
    final_on: date | None = None
    posted: bool = False

    @property
    def key(self) -> str:
        """How messages call it."""
        return window_key(self.province, self.month)


@dataclass(frozen=True)
class Owed:
    """A region's net position in a final window, and how far its one payment has come.

    `debits`: what the payer's bank has told of it, as `receipt/detail`.
    """

    province: str
    month: int
    region: str
    reference: UUID
    payer: str
    payee: str
    receivable_fen: int
    payable_fen: int
    instructed_fen: int = 0
    debited_fen: int = 0
    received_fen: int = 0
    runs: tuple[str, ...] = ()
    debits: tuple[str, ...] = ()

    @property
    def window(self) -> str:
        """How messages call its window."""
        return window_key(self.province, self.month)

    @property
    def amount_fen(self) -> int:
        """What is to be paid, by the region or to it."""
        return abs(self.receivable_fen - self.payable_fen)

    @property
    def paid(self) -> bool:
        """Whether it has arrived."""
        return self.received_fen >= self.amount_fen


@dataclass(frozen=True)
class Answer:
    """What a person of a region said to a line, in the sheet of `month` or in none then. Only ever
    added.
    """

    cause: UUID
    transfer: UUID
    version: int
    province: str
    month: int | None
    region: str
    verdict: Literal["confirm", "dispute"]
    by: str
    why: str | None
    at: datetime


def reference_of(province: str, month: int, region: str) -> UUID:
    """What the one payment of a position says that it is for."""
    return uuid5(NAMESPACE, f"position\x1f{province}\x1f{month}\x1f{region}")


def receipt_of(month: int, transfer: UUID, version: int) -> UUID:
    """What stands in the place of a receipt where a net sheet funds a transfer."""
    return uuid5(NAMESPACE, f"netted\x1f{month}\x1f{transfer}\x1f{version}")


def window_of(person: str) -> tuple[str, int] | None:
    """The window of a payment that is no person's: a payment file's line says `450000/2026-04`."""
    province, slash, month = person.partition("/")
    return (province, parse_month(month)) if slash else None
