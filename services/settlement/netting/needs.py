"""What a batch needs to see of netting, before anything is read. PURE."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from shared.decision import Delivery
from shared.messages import Message
from shared.messages.settlement import RecordDebit, RecordReceipt
from shared.messages.settlement_bank import AnnounceReturn, ReportRemittance
from shared.messages.settlement_netting import (
    ConfirmSheet,
    InstructPosition,
    LineCommand,
    LinesCommand,
    NextLines,
    ProposeLine,
    SettleLine,
    ShrinkLine,
    WindowCommand,
)
from shared.months import month_of

Place = tuple[str, int, str, str]
"""Province, month, origin, destination."""


@dataclass(slots=True)
class Needs:
    """Keys, by what they are keys of. `places`: where a line may enter; `transfers`: of which all
    lines are needed, with the corridor they are in.
    """

    places: set[Place] = field(default_factory=set)
    lines: set[tuple[str, UUID, int]] = field(default_factory=set)
    transfers: dict[tuple[str, UUID], LinesCommand] = field(default_factory=dict)
    windows: set[tuple[str, int]] = field(default_factory=set)
    references: set[UUID] = field(default_factory=set)
    following: list[NextLines] = field(default_factory=list)

    @classmethod
    def of(cls, batch: Iterable[Delivery]) -> "Needs":
        """What the messages need together."""
        needs = cls()
        for delivery in batch:
            needs._add(delivery.message, month_of(delivery.at.date()))
        return needs

    def _add(self, m: Message, now: int) -> None:
        match m:
            case RecordReceipt() | RecordDebit():
                self.references |= {r for detail in m.details for r in detail.references}
            case ReportRemittance() | AnnounceReturn():
                self.references.add(m.transfer)
            case SettleLine():
                self.lines.add((m.person, m.transfer, m.version))
            case InstructPosition():
                self.references.add(m.reference)
            case WindowCommand():
                if isinstance(m, NextLines):
                    self.following.append(m)
                # Who agrees with lines closes nothing, and holds up nobody who lets lines enter.
                if not isinstance(m, ConfirmSheet):
                    self.windows.add((m.to, m.month))
            case LineCommand() | ShrinkLine():
                month = month_of(m.released_on) if isinstance(m, ProposeLine) else now
                self.places.add((m.to, month, m.origin, m.destination))
                self.transfers[m.person, m.transfer] = m
            case _:
                pass
