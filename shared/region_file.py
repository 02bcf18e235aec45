"""A region's file whole: its codes, its bank accounts, and its rows of rules, none left open."""

from datetime import date, timedelta
from itertools import product
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from shared.rules import (
    ANY_ORIGIN,
    DISTANCES,
    PAIRS,
    AuthorityRule,
    BankAccount,
    ContributionRule,
    DeadlineRule,
    EnrollmentRule,
    Frozen,
    InterestRule,
    LimitRule,
    NotificationRule,
    RegionCode,
    ReleaseRule,
    Rule,
    SettlementRule,
    TransferRule,
    WaitingRule,
)

AccountKind = Literal["income", "expense", "fiscal"]
ACCOUNT_KINDS: tuple[AccountKind, ...] = ("income", "expense", "fiscal")


class NewAccount(NamedTuple):
    """From `since` on a region has another account of a kind."""

    region: str
    kind: AccountKind
    since: date
    account: str


class FormerAccounts(Frozen):
    """Accounts that a fund had up to a day, those of the three that have changed then."""

    until: date
    income_account: BankAccount | None = None
    expense_account: BankAccount | None = None
    fiscal_account: BankAccount | None = None
    source: str = Field(min_length=1)

    def account(self, kind: AccountKind) -> str | None:
        """The account of a kind, if it is one that changed."""
        found: str | None = getattr(self, f"{kind}_account")
        return found


class Bank(Frozen):
    """The three accounts a fund has, and the names its payments carry.

    An account that changes moves from here to a row of `former`: what is paid on a day goes to the
    account of that day, and the statements of a former account are read as before.
    """

    income_account: BankAccount
    expense_account: BankAccount
    fiscal_account: BankAccount
    bank_code: str = Field(pattern=r"^[0-9]{12}$")
    payer_names: tuple[str, ...] = Field(min_length=1)
    former: tuple[FormerAccounts, ...] = ()

    def accounts(self, kind: AccountKind) -> tuple[str, ...]:
        """All accounts of a kind that the fund ever had, each once, the oldest first."""
        rows = sorted(self.former, key=lambda row: row.until)
        before = (row.account(kind) for row in rows)
        return tuple(dict.fromkeys((*filter(None, before), self.account(kind))))

    def account_on(self, kind: AccountKind, day: date) -> str:
        """The account of a kind on a day."""
        rows = sorted(self.former, key=lambda row: row.until)
        held = (row.account(kind) for row in rows if row.until >= day)
        return next(filter(None, held), self.account(kind))

    def account(self, kind: AccountKind) -> str:
        """The account of a kind as it is now."""
        found: str = getattr(self, f"{kind}_account")
        return found

    def changed(self, new: NewAccount) -> "Bank":
        """With another account of a kind; the one that it has anyway changes nothing."""
        if new.account == self.account(new.kind):
            return self
        name = f"{new.kind}_account"
        row = FormerAccounts.model_validate(
            {
                "until": new.since - timedelta(days=1),
                name: self.account(new.kind),
                "source": "changed by two people",
            }
        )
        return self.model_copy(update={"former": (*self.former, row), name: new.account})


class Entity(Frozen):
    """Who keeps books and has a bank: a pooling area, or the province that clears between them."""

    code: RegionCode
    name: str = Field(min_length=2)
    name_en: str = Field(min_length=2)
    province: RegionCode
    bank: Bank
    working_days: dict[date, bool] = Field(default={})


class Region(Entity):
    """A pooling area with all its rules, as its file has them."""

    # Divisions whose code looks like the region's, but which are pools of their own.
    separate: tuple[RegionCode, ...] = ()
    enrollment: tuple[EnrollmentRule, ...] = Field(min_length=1)
    contribution: tuple[ContributionRule, ...] = Field(min_length=1)
    waiting: tuple[WaitingRule, ...] = Field(min_length=1)
    transfer: tuple[TransferRule, ...] = Field(min_length=1)
    limit: tuple[LimitRule, ...] = Field(min_length=1)
    settlement: tuple[SettlementRule, ...] = Field(min_length=1)
    deadline: tuple[DeadlineRule, ...] = Field(min_length=1)
    release: tuple[ReleaseRule, ...] = Field(min_length=1)
    notification: tuple[NotificationRule, ...] = Field(min_length=1)
    authority: tuple[AuthorityRule, ...] = ()
    interest: tuple[InterestRule, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rows, in the order of the kinds."""
        return (
            *self.enrollment,
            *self.contribution,
            *self.waiting,
            *self.transfer,
            *self.limit,
            *self.settlement,
            *self.deadline,
            *self.release,
            *self.notification,
            *self.authority,
            *self.interest,
        )

    @model_validator(mode="after")
    def _rows_are_unambiguous(self) -> Self:
        seen: set[tuple[str, tuple[str, ...], date]] = set()
        for rule in self.rules:
            for row in ((rule.kind, key, rule.since) for key in rule.keys):
                if row in seen:
                    message = f"{rule.kind}: two rows for {row[1]} from {row[2]}"
                    raise ValueError(message)
                seen.add(row)
        return self

    @model_validator(mode="after")
    def _nothing_is_left_open(self) -> Self:
        moves = {key for rule in self.transfer for key in rule.keys}
        for move in sorted({*product(DISTANCES, PAIRS)} - moves):
            message = f"transfer: no row for {move}"
            raise ValueError(message)
        modes = {key for rule in self.settlement for key in rule.keys}
        for distance in DISTANCES:
            if (distance,) not in modes:
                message = f"settlement: no row for {distance}"
                raise ValueError(message)
        if (ANY_ORIGIN,) not in {key for rule in self.limit for key in rule.keys}:
            message = f"limit: no row for origin {ANY_ORIGIN}"
            raise ValueError(message)
        return self

    def is_local(self, hukou_region: str | None) -> bool:
        """Whether a hukou registered there is this region's own; none given is not local."""
        if not hukou_region or hukou_region in self.separate:
            return False
        return hukou_region[:4] == self.code[:4]
