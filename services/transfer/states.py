"""What the saga keeps of one transfer, and what follows from its facts."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast
from uuid import UUID

from shared.decision import replace
from shared.messages import Message, Scheme, Trigger
from shared.messages.transfer import Step as Late
from shared.rules import Pair

Record = Literal[
    "opened",
    "releasing",
    "released",
    "joined",
    "disputed",
    "refused",
    "withdrawn",
    "not_needed",
    "restoring",
    "restored",
]
Money = Literal[
    "pending",
    "released",
    "advanced",
    "funded",
    "withheld",
    "awaiting_funds",
    "short",
    "over",
    "restoring",
    "restored",
    "recovering",
    "recovered",
    "written_off",
    "paid_out",
    "returned_to_origin",
    "none",
]
RECORD_ENDS = frozenset({"joined", "refused", "withdrawn", "not_needed", "restored"})
MONEY_ENDS = frozenset(
    {"none", "funded", "restored", "recovered", "written_off", "paid_out", "returned_to_origin"}
)


@dataclass(frozen=True)
class Deadline:
    """A step that is due; `level` counts how often it was missed (0: not yet)."""

    step: Late
    due_at: datetime
    level: int = 0


@dataclass(frozen=True)
class Funds:
    """What is known of the money. All in fen; `None` where nothing was said yet.

    released: owed by O · credited: in the person's account at D · matched: arrived and applied ·
    open: credited and not arrived · excess: arrived and owed to nobody here · paid_out: by O ·
    adjusting: the last version that D is to take back · reversals, reversed, restorations: asked
    of D, answered by D, answered by O · restoring: taken back at D and asked of O · restored: in
    O's account again · undue: what the person had no right to, of which recoverable is still owed
    and recovered came back · lost: of the claim, given up · written_off: all losses · sent_back:
    receipts that went back to O.
    """

    version: int = 0
    released: int = 0
    answered: int = 0
    credited: int = 0
    matched: int = 0
    open: int = 0
    excess: int = 0
    paid_out: int = 0
    adjusting: int = 0
    reversals: int = 0
    reversed: int = 0
    restorations: int = 0
    restoring: int = 0
    restored: int = 0
    undue: int = 0
    recoverable: int = 0
    recovered: int = 0
    lost: int = 0
    written_off: int = 0
    sent_back: int = 0

    @property
    def awaiting(self) -> int:
        """Announced by O and neither credited nor on its way to be."""
        return max(0, self.released + self.undue - self.credited)


@dataclass(frozen=True, slots=True)
class Paused:
    """An operator's word that nothing more is said until the transfer is resumed."""

    at: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """What would have been said while the transfer was paused."""

    type: str
    body: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that is not answered yet and could not be made again from the other facts."""

    type: str
    version: int
    body: str


@dataclass(frozen=True)
class Transfer:
    """One person's case of moving record and account from origin to destination."""

    id: UUID
    person: str
    origin: str
    destination: str
    scheme: Scheme
    new_scheme: Scheme
    trigger: Trigger
    account: bool
    opened_at: datetime
    policy: str
    record: Record = "opened"
    money: Money = "pending"
    reason: str | None = None
    first_month: int | None = None
    plan_year: int | None = None
    version: int = 0
    withdrawing: str | None = None
    reversing: str | None = None
    months_out: bool = False
    deceased: bool = False
    overdue: bool = False
    stopped_at: datetime | None = None
    accepted_at: datetime | None = None
    due_at: datetime | None = None
    advanced_at: datetime | None = None
    closed_at: datetime | None = None
    deadlines: tuple[Deadline, ...] = ()
    funds: Funds = Funds()
    withheld_until: date | None = None
    clearing: str | None = None
    joined_version: int = 0
    asked: tuple[Asked, ...] = ()
    paused: Paused | None = None
    held: tuple[Held, ...] = ()

    @property
    def pair(self) -> Pair:
        """The schemes it moves between, as `310>310`."""
        return cast("Pair", f"{self.scheme}>{self.new_scheme}")

    @property
    def next_due(self) -> datetime | None:
        """When the saga wants to be reminded; not while the clocks stand still or it is paused."""
        if self.stopped_at or self.closed_at or self.paused:
            return None
        return min((deadline.due_at for deadline in self.deadlines), default=None)


@dataclass(frozen=True)
class Step:
    """What a message leads to: the transfer after it, what is said, and why, as a sentence.

    `refused` and `ignored` leave the transfer as it was.
    """

    transfer: Transfer | None
    say: tuple[Message, ...]
    why: str
    kind: Literal["goes", "ignored", "refused"] = "goes"


def go(transfer: Transfer, why: str, *say: Message) -> Step:
    """The message moves the transfer on."""
    return Step(transfer, say, why)


def ignore(transfer: Transfer | None, why: str) -> Step:
    """The message is late or repeated, and changes nothing."""
    return Step(transfer, (), why, "ignored")


def answer(transfer: Transfer | None, why: str, *say: Message) -> Step:
    """The message is refused with an answer, and changes nothing."""
    return Step(transfer, say, why, "refused")


def because(now: Transfer, code: str | None) -> str | None:
    """Why the money stands as it does, unless the record's own trouble is to be told."""
    own = now.record in ("disputed", "refused", "restoring", "restored")
    return now.reason if own else code


def with_deadline(t: Transfer, step: Late, due_at: datetime) -> Transfer:
    """The transfer with this step due, in place of an earlier date for it."""
    others = tuple(d for d in t.deadlines if d.step != step)
    return replace(t, deadlines=(*others, Deadline(step, due_at)))


def let_go(now: Transfer) -> Transfer:
    """O holds nothing back any more."""
    return without_deadline(replace(now, withheld_until=None, reason=because(now, None)), "funds")


def without_deadline(t: Transfer, *steps: Late) -> Transfer:
    """The transfer with these steps done."""
    return replace(t, deadlines=tuple(d for d in t.deadlines if d.step not in steps))
