"""An account that is held: what two people ask of settlement, and what it announces."""

from datetime import date
from typing import Literal
from uuid import UUID

from shared.messages import ByTwo, PersonCommand, PersonEvent, Text

Frozen = Literal["all", "leaving"]
"""Nothing leaves the account (a court said so); or the person may spend, and only the account stays
where it is (a bill of a hospital is to be settled first).
"""


class FreezeAccount(ByTwo, PersonCommand):
    """Two people hold the account at `to` until a day, or until two people let it go."""

    what: Frozen = "all"
    until: date | None = None


class UnfreezeAccount(ByTwo, PersonCommand):
    """Two people let the account go."""


class EndFreeze(PersonCommand):
    """The last day of a freeze is over: it lasted until this day."""

    until: date | None = None


class AccountFrozen(PersonEvent):
    """The account is held by the message `decided`; what comes in is credited."""

    what: Frozen
    until: date | None
    reason: Text
    decided: UUID | None = None


class AccountUnfrozen(PersonEvent):
    """The account is free: two people said so, or its date has come (`over`)."""

    reason: Text
    what: Frozen = "all"
    decided: UUID | None = None
