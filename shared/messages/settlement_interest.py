"""What settlement obeys and announces when personal accounts earn interest."""

from datetime import date
from uuid import UUID

from shared.messages import ByTwo, Fen, PersonCommand, PersonEvent


class SettleInterest(PersonCommand):
    """The settlement day `on` of the region is over: what the account has earned is credited.

    From the timer that a person's account sets when there is something in it.
    """

    on: date


class CorrectInterest(PersonCommand, ByTwo):
    """What O (`to`) released of a transfer had earned other interest: all of it is `interest_fen`.

    The principal stays as it was.
    """

    transfer: UUID
    interest_fen: Fen


class InterestCredited(PersonEvent):
    """What the account has earned until before `until` is in it; with `transfer`, it leaves with
    the rest at once.
    """

    until: date
    amount_fen: Fen
    balance_fen: Fen
    transfer: UUID | None = None
