"""What a region's file may say: rows of rules, each with its effective date and its source.

A later row of the same kind and key replaces an older one from its day `from` on; the oldest
row of a key holds for everything before it as well.
"""

from datetime import date
from itertools import product
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from shared.money import parse_yuan, yuan

Scheme = Literal["310", "390"]
PersonType = Literal["employee", "flexible", "resident", "benefit-recipient", "retiree"]
Distance = Literal["in-province", "cross-province"]
Pair = Literal["310>310", "310>390", "390>310", "390>390"]

DISTANCES: tuple[Distance, ...] = ("in-province", "cross-province")
PAIRS: tuple[Pair, ...] = ("310>310", "310>390", "390>310", "390>390")
ANY_ORIGIN = "*"
# Assumed: how long an origin that answers by hand takes where its file does not say.
HANDLING_WORKING_DAYS = 3


class Fact(NamedTuple):
    """A rule as `explain` shows it."""

    name: str
    value: str
    source: str


def _fen(text: object) -> int:
    if not isinstance(text, str):
        message = 'write yuan as text, "50000.00"'
        raise ValueError(message)  # noqa: TRY004 pydantic reports a ValueError, not a TypeError
    return parse_yuan(text)


Fen = Annotated[int, BeforeValidator(_fen)]
WorkingDays = Annotated[int, Field(ge=1)]
Percent = Annotated[int, Field(ge=1, le=100)]
RegionCode = Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$")]
BankAccount = Annotated[str, Field(pattern=r"^[0-9]{8,32}$")]


class Frozen(BaseModel):
    """What a region's file is read into."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Rule(Frozen):
    """What the rows of all kinds have in common."""

    kind: ClassVar[str]
    key_fields: ClassVar[tuple[str, ...]] = ()

    since: date = Field(alias="from")
    source: str = Field(min_length=1)

    @property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """What the row is about; a list in the row stands for each of its members."""
        values = [getattr(self, name) for name in self.key_fields]
        return tuple(product(*((v,) if isinstance(v, str) else v for v in values)))

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The row's values, one by one."""
        about = " ".join(_shown(name, getattr(self, name)) for name in self.key_fields)
        prefix = f"{self.kind} {about}".strip()
        own = [n for n in type(self).model_fields if n not in ("since", "source", *self.key_fields)]
        given = [(n, value) for n in own if (value := getattr(self, n)) is not None]
        shown = [(n.removesuffix("_fen"), _shown(n, value)) for n, value in given]
        return tuple(Fact(f"{prefix}: {name}", value, self.source) for name, value in shown)


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith("_fen"):
        return yuan(value)
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


class EnrollmentRule(Rule):
    """Who may join a scheme: the permits that do for people without local hukou, none: ID alone."""

    kind = "enrollment"
    key_fields = ("scheme", "person_types")

    scheme: Scheme
    person_types: tuple[PersonType, ...]
    permits: tuple[Literal["yes", "applied"], ...] = ()
    account: bool

    def accepts(self, permit: str | None, *, local: bool) -> bool:
        """Whether a residence permit (`yes`, `applied`, `no`) is enough here."""
        return local or not self.permits or permit in self.permits


class ContributionRule(Rule):
    """What is paid a month, in hundredths of a percent of the base, or a fixed sum a year."""

    kind = "contribution"
    key_fields = ("scheme", "person_types")

    scheme: Scheme
    person_types: tuple[PersonType, ...]
    paid_by: Literal["person", "employer", "unemployment-fund"]
    # Of the provincial average wage; 0 means that the person's own wage is the base.
    base_percent: int = Field(default=0, ge=0, le=300)
    rate_bp: int = Field(default=0, ge=0, le=10_000)
    account_bp: int = Field(default=0, ge=0, le=10_000)
    yearly_fen: Fen = Field(default=0, alias="yearly")
    subsidy_fen: Fen = Field(default=0, alias="subsidy")


class WaitingRule(Rule):
    """When entitlement starts after a gap; no region may make people wait over six months."""

    kind = "waiting"

    gap_months: int = Field(ge=0)
    wait_months: int = Field(ge=0, le=6)
    scheme_switch_needs_consecutive_months: int = Field(ge=0)


class TransferRule(Rule):
    """Whether a move needs a transfer, starts it by itself, and credits in advance."""

    kind = "transfer"
    key_fields = ("distances", "pairs")

    distances: tuple[Distance, ...]
    pairs: tuple[Pair, ...]
    needed: bool = True
    automatic: bool
    advance: bool


class LimitRule(Rule):
    """How much a destination has open in advances to one origin, and for one person; how old the
    oldest may be (working days); when it warns, suspends the corridor, and resumes it.

    Suspended while `suspend_percent` of what is open is older than `suspend_after` working days,
    or any of it older than `age_days`; resumed once that was not so for `resume_after` of them.
    """

    kind = "limit"
    key_fields = ("origin",)

    origin: str = Field(default=ANY_ORIGIN, pattern=r"^([1-9][0-9]{5}|\*)$")
    open_fen: Fen = Field(alias="open")
    single_fen: Fen = Field(alias="single")
    warn_percent: tuple[Percent, ...] = ()
    age_days: WorkingDays | None = None
    suspend_after: WorkingDays | None = None
    suspend_percent: Percent = 100
    resume_after: int = Field(default=0, ge=0)


class SettlementRule(Rule):
    """Whether origins pay case by case or by a monthly net sheet."""

    kind = "settlement"
    key_fields = ("distances",)

    distances: tuple[Distance, ...]
    mode: Literal["remittance", "netting"]


class DeadlineRule(Rule):
    """Working days for each step; answer and transfer_out bind a region as an origin."""

    kind = "deadline"

    answer: WorkingDays
    transfer_out: WorkingDays
    transfer_in: WorkingDays
    whole: WorkingDays


class ReleaseRule(Rule):
    """How a region acts as an origin; `payout` is for balances the destination cannot take.

    `manual`: a request is taken at once and completed by a clerk, or by the region's own system
    at the end of its handling time, which is counted in working days.
    """

    kind = "release"

    answer: Literal["automatic", "manual"]
    handling_working_days: WorkingDays | None = None
    payout: Literal["keep", "pay_out"]

    @property
    def handled_within(self) -> int:
        """Working days from the request to the record, where it is not released at once."""
        return self.handling_working_days or HANDLING_WORKING_DAYS

    @model_validator(mode="after")
    def _only_hands_take_time(self) -> Self:
        if self.answer == "automatic" and self.handling_working_days is not None:
            message = 'handling_working_days belongs to answer = "manual"'
            raise ValueError(message)
        return self


class InterestRule(Rule):
    """What personal accounts earn a year, in hundredths of a percent; before the first row nothing.

    A day earns rate / `year_days`; on `settled_on` of each year (month and day) it is credited.
    """

    kind = "interest"

    rate_bp: int = Field(ge=0, le=1_000)
    year_days: Literal[360, 365] = 360
    settled_on: str = Field(default="12-31", pattern=r"^[0-9]{2}-[0-9]{2}$")

    @field_validator("settled_on")
    @classmethod
    def _comes_every_year(cls, settled_on: str) -> str:
        # A year without a 29th of February has all days that every year has.
        date.fromisoformat(f"2001-{settled_on}")
        return settled_on

    def earns_on(self, day: date) -> bool:
        """Whether accounts earn anything on a day."""
        return self.since <= day and self.rate_bp > 0

    def settlement(self, day: date) -> date:
        """The first day on or after `day` at whose end interest is credited."""
        found = date.fromisoformat(f"{day.year}-{self.settled_on}")
        return found if found >= day else found.replace(year=day.year + 1)


class NotificationRule(Rule):
    """How people are told, the preferred channel first."""

    kind = "notification"

    channels: tuple[str, ...] = Field(min_length=1)


class AuthorityRule(Rule):
    """What a role may approve: up to an amount, or, without one, anything. No rows: a director."""

    kind = "authority"
    key_fields = ("queues", "role")

    queues: tuple[Annotated[str, Field(pattern=r"^([a-z][a-z-]*|\*)$")], ...]
    role: str = Field(pattern=r"^[a-z][a-z-]*$")
    up_to_fen: Fen | None = Field(default=None, alias="up_to")
