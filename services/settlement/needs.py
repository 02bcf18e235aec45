"""What a batch of messages needs to see of the books, before anything is read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.settlement.people.proposals import act_of
from services.settlement.people.states import item_id, part_subject
from services.settlement.states import look_of
from shared.decision import Delivery
from shared.messages import Message, PersonCommand
from shared.messages.enrollment import AmendRecord, DropAmendment
from shared.messages.settlement import (
    ApplyReceipt,
    Contribute,
    CorrectBalance,
    CreditAdvance,
    InstructRemittance,
    OfferAgain,
    OpenAccount,
    RecordDebit,
    RecordReceipt,
    Refund,
    ReleaseFunds,
    Spend,
)
from shared.messages.settlement_accounts import ChangeAccount, NoteAccount
from shared.messages.settlement_bank import (
    AnnounceReturn,
    AnswerBankMessage,
    BookLine,
    HoldLine,
    NoteBankMessage,
    ReportRemittance,
)
from shared.messages.settlement_closing import CloseDay, ReportBreak
from shared.messages.settlement_compensation import (
    AdjustAdvance,
    Recover,
    ReturnReceipt,
    ReverseAdvance,
    TakeBackReceipt,
    UndoMatch,
    Waive,
    WriteOff,
)
from shared.messages.settlement_freezing import FreezeAccount, UnfreezeAccount
from shared.messages.settlement_interest import CorrectInterest
from shared.messages.settlement_limits import CorridorCommand
from shared.messages.settlement_netting import InstructPosition, SettleLine
from shared.messages.settlement_people import (
    AskCorrection,
    CloseCorrection,
    ItemCommand,
    MatchReceipt,
    Propose,
)

Corridor = tuple[str, str]


@dataclass(slots=True)
class Needs:
    """Keys, by what they are keys of. `leaving` are persons whose claims are read before the
    corridors are locked, for only they tell which corridors those are; `references` are
    transfers that bank lines refer to, `named` those that people name for `judged` receipts;
    `regions` says of each whether its day is closed. `items` are work items, `subjects` what items
    may be about that the batch opens or settles; `accounts` whether a fund's account is changed.
    """

    regions: dict[str, bool] = field(default_factory=dict)
    holders: set[tuple[str, str]] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)
    leaving: set[tuple[str, str]] = field(default_factory=set)
    movements: set[tuple[str, UUID]] = field(default_factory=set)
    instructions: set[tuple[str, UUID, str]] = field(default_factory=set)
    corridors: set[Corridor] = field(default_factory=set)
    freeing: set[Corridor] = field(default_factory=set)
    reviewing: set[Corridor] = field(default_factory=set)
    taking_back: set[tuple[str, UUID]] = field(default_factory=set)
    announcing: dict[UUID, list[CreditAdvance]] = field(default_factory=dict)
    offered: set[UUID] = field(default_factory=set)
    parts: set[tuple[UUID, int]] = field(default_factory=set)
    receipts: list[RecordReceipt] = field(default_factory=list)
    debits: list[RecordDebit] = field(default_factory=list)
    announcements: set[tuple[str, UUID]] = field(default_factory=set)
    notes: set[UUID] = field(default_factory=set)
    opening: dict[tuple[str, str], OpenAccount] = field(default_factory=dict)
    named: set[UUID] = field(default_factory=set)
    judged: set[UUID] = field(default_factory=set)
    items: set[UUID] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    accounts: bool = False

    @classmethod
    def of(cls, batch: Iterable[Delivery]) -> "Needs":
        """What the messages need together."""
        needs = cls()
        for delivery in batch:
            needs._add(delivery.message)
        return needs

    def _add(self, m: Message) -> None:
        self.regions[m.to] = self.regions.get(m.to, False) or isinstance(m, CloseDay)
        if isinstance(m, SettleLine | InstructPosition):
            self.regions.setdefault(m.payer, False)
        if isinstance(m, PersonCommand):
            self.persons.add(m.person)
            self.holders.add((m.person, m.to))
            self._add_record(m)
            self._add_claim(m)
        elif isinstance(m, RecordReceipt):
            self.receipts.append(m)
            self.corridors |= {(d.payer_region, m.to) for d in m.details if d.payer_region}
        elif isinstance(m, RecordDebit):
            self.debits.append(m)
        elif isinstance(m, CorridorCommand):
            for corridors in (self.corridors, self.freeing, self.reviewing):
                corridors.add((m.origin, m.to))
            self.items.add(item_id("limit", m.to, m.origin))
        elif isinstance(m, NoteBankMessage | AnswerBankMessage):
            self.notes.add(m.note)
            self.subjects.add(str(m.note))
        elif isinstance(m, HoldLine | BookLine):
            self.subjects.add(str(m.receipt))
        else:
            self._add_item(m)

    def _add_item(self, m: Message) -> None:
        match m:
            case ItemCommand():
                self.items.add(m.item)
                if isinstance(m, Propose):
                    self._add_proposed(m)
            case ChangeAccount():
                self.accounts = True
                self.items.add(item_id("bank-account", m.to, m.bank))
            case NoteAccount():
                self.accounts = True
            case ReportBreak():
                self.items.add(item_id("break", m.to, m.subject))
            case MatchReceipt():
                self.parts.add((m.receipt, m.part))
                self.named |= {m.transfer, *m.others}
                self.judged.add(m.receipt)
            case _:
                pass

    def _add_proposed(self, m: Propose) -> None:
        meant = act_of(m.act, m.body, m.by, "", m.reason, m.why)
        if isinstance(meant, AmendRecord | DropAmendment):
            self.movements.add((meant.person, meant.refers_to))

    def _add_record(self, m: PersonCommand) -> None:
        match m:
            case OpenAccount():
                self.movements.add((m.person, m.record))
                self.opening[m.person, m.to] = m
            case Contribute() | Spend():
                self.movements.add((m.person, m.record))
            case CorrectBalance() | Refund():
                self.movements |= {(m.person, m.record), (m.person, m.refers_to)}
            case InstructRemittance() | ReportRemittance():
                self.instructions.add((m.person, m.transfer, m.run))
            case FreezeAccount() | UnfreezeAccount():
                self.items.add(item_id("freeze", m.to, m.person))
            case AskCorrection():
                self.movements.add((m.person, m.refers_to))
                self.items.add(item_id("correction", m.to, str(m.refers_to)))
            case CloseCorrection():
                self.items.add(item_id("correction", m.to, str(m.refers_to)))
                self.movements.add((m.person, m.record))
            case AnnounceReturn():
                self.announcements.add((m.person, m.announcement))
            case _:
                pass

    def _add_claim(self, m: PersonCommand) -> None:
        match m:
            case ReleaseFunds():
                self.leaving.add((m.person, m.to))
            case CreditAdvance():
                self.corridors.add((m.origin, m.to))
                self.announcing.setdefault(m.transfer, []).append(m)
                if m.version > 1:
                    self.leaving.add((m.person, m.to))
                    self.subjects.add(str(m.transfer))
            case OfferAgain():
                self.corridors.add((m.origin, m.to))
                self.offered.add(m.transfer)
                self.leaving.add((m.person, m.to))
            case ApplyReceipt():
                self.corridors.add((m.origin, m.to))
                self.freeing.add((m.origin, m.to))
                self.parts.add((m.receipt, m.part))
                self.subjects.add(str(m.transfer))
            case SettleLine():
                self.corridors.add((m.payer, m.to))
                self.freeing.add((m.payer, m.to))
                self.subjects.add(str(m.transfer))
            case _:
                self._add_compensation(m)

    def _add_compensation(self, m: PersonCommand) -> None:
        match m:
            case AdjustAdvance() | ReverseAdvance() | WriteOff() | Waive():
                self.subjects.add(str(m.transfer))
                self.corridors.add((m.origin, m.to))
                self.freeing.add((m.origin, m.to))
            case CorrectInterest():
                self.subjects.add(str(m.transfer))
            case Recover():
                self.subjects.add(str(m.transfer))
                self.parts |= {(m.receipt, m.part)} if m.receipt else set()
            case ReturnReceipt() | UndoMatch():
                self.subjects.add(str(m.transfer))
                self.corridors.add((m.origin, m.to))
                self.parts.add((m.receipt, m.part))
                undone = part_subject(m.receipt, m.part)
                self.items.add(item_id("unmatch", m.to, f"{undone}/{m.transfer}"))
            case TakeBackReceipt():
                self.subjects.add(str(m.transfer))
                self.corridors.add((m.origin, m.to))
                self.taking_back.add((m.person, m.transfer))
            case _:
                pass

    @property
    def references(self) -> set[UUID]:
        """The transfers that bank lines refer to."""
        lines: Sequence[RecordReceipt | RecordDebit] = [*self.receipts, *self.debits]
        return {r for m in lines for detail in m.details for r in detail.references}

    @property
    def unknown_payer(self) -> set[str]:
        """Destinations of receipts that refer to a transfer and do not tell who paid."""
        return {
            m.to
            for m in self.receipts
            for detail in m.details
            if detail.references and not detail.payer_region
        }

    @property
    def destinations(self) -> set[str]:
        """Regions that claims may be announced to, or matched at."""
        return {destination for _, destination in self.corridors}

    def looks(self, announced_fen: dict[UUID, tuple[str, str, int]]) -> set[str]:
        """What finds the parts that wait for the claims of the batch, and the claims that its
        receipts may be for. `announced_fen`: (region, origin, fen) of claims that are known.
        """
        found = {transfer.hex for transfer in self.announcing}
        for transfer in self.offered:
            if transfer in announced_fen:
                found |= {transfer.hex, look_of(*announced_fen[transfer])}
        for transfer, versions in self.announcing.items():
            total_fen = announced_fen.get(transfer, ("", "", 0))[2]
            for m in versions:
                total_fen += m.amount_fen
                # A version that was handled before adds nothing.
                found |= {
                    look_of(m.to, m.origin, total_fen),
                    look_of(m.to, m.origin, m.amount_fen),
                    look_of(m.to, m.origin, total_fen - m.amount_fen),
                }
        empty = {look for look in found if look.endswith("|0")}
        return (found - empty) | self.receipt_looks

    @property
    def receipt_looks(self) -> set[str]:
        """What the receipts of the batch find by payer and amount, where they refer to nothing."""
        return {
            look_of(m.to, detail.payer_region, detail.amount_fen)
            for m in self.receipts
            for detail in m.details
            if detail.payer_region and detail.name_keys and not detail.references
        }
