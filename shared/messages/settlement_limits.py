"""Limits of corridors: what is asked of settlement about them, and what it announces.

`to` is the destination, whose limit it is; the key is the corridor.
"""

from datetime import date
from typing import Literal

from shared.messages import ByTwo, Command, Event, Fen, RegionCode, Text

Suspension = Literal["overdue_share", "too_old", "by_hand"]


class CorridorCommand(Command):
    """A command about the corridor from `origin` to `to`. Not sent itself."""

    origin: RegionCode

    @property
    def key(self) -> str:
        return f"{self.origin}>{self.to}"


class CorridorEvent(Event):
    """An event about the corridor from `origin` to `to`. Not sent itself."""

    origin: RegionCode

    @property
    def key(self) -> str:
        return f"{self.origin}>{self.to}"


class ReviewCorridor(CorridorCommand):
    """The clock has come to a day that matters, or a doubtful origin has paid: look again whether
    the corridor is suspended.
    """


class ChangeLimit(ByTwo, CorridorCommand):
    """Two people set limits of a corridor; what is not given is as the policy says. It holds from
    now until the policy has a newer row.
    """

    open_fen: Fen | None = None
    single_fen: Fen | None = None
    age_days: int | None = None


class SuspendCorridor(ByTwo, CorridorCommand):
    """Two people stop advances on a corridor, until two people resume it."""


class ResumeCorridor(ByTwo, CorridorCommand):
    """Two people let a suspended corridor advance again: what is overdue now is excused."""


class ExposureWarned(CorridorEvent):
    """The open advances have crossed a threshold of their limit, upwards or (`rising` false) back
    down: `percent` is the highest that is crossed now, 0 for none.
    """

    percent: int
    rising: bool
    open_fen: Fen
    limit_fen: Fen


class CorridorSuspended(CorridorEvent):
    """Nothing is advanced on the corridor: what it has open is overdue, or two people said so."""

    code: Suspension
    open_fen: Fen
    overdue_fen: Fen
    oldest_on: date | None = None
    proposed_by: Text = ""
    approved_by: Text = ""
    reason: Text = ""


class CorridorResumed(CorridorEvent):
    """Advances are made again, the oldest declined ones first: the origin has `paid`, or two
    people said so.
    """

    code: Literal["paid", "by_hand"]
    open_fen: Fen
    overdue_fen: Fen
    proposed_by: Text = ""
    approved_by: Text = ""
    reason: Text = ""


class LimitChanged(CorridorEvent):
    """Two people have set limits of the corridor; what is not given is as the policy says."""

    open_fen: Fen | None = None
    single_fen: Fen | None = None
    age_days: int | None = None
    proposed_by: Text
    approved_by: Text
    reason: Text
