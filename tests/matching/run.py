"""Statements of known truth through the real reading and the real decisions, in memory."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from services.settlement import bank_csv, decisions
from services.settlement.bank_commands import OwnAccount, commands_of, entries_of
from services.settlement.exposure import Limits
from services.settlement.lines import distinct
from services.settlement.needs import Needs
from services.settlement.states import Claim, Line, Part, look_of
from shared import names
from shared.calendar import SHANGHAI
from shared.decision import Delivery, States
from shared.messages import Command, Message
from shared.messages.settlement import (
    ApplyReceipt,
    CreditAdvance,
    InstructRemittance,
    OpenAccount,
    RecordReceipt,
    ReleaseFunds,
)
from shared.regions import Regions
from shared.sealing import Keyring
from shared.settings import Secrets
from tests.matching.teller import DESTINATION, FIRST_DAY, Owed, Paid, Story

KEYRING = Keyring(
    Secrets(
        person_key_secret="11" * 32,
        blind_key_secret="22" * 32,
        master_key="33" * 32,
        content_key="44" * 32,
    )
)
_UNLIMITED = Limits(open_fen=10**15, single_fen=10**15)
START = datetime.combine(FIRST_DAY, time(9), SHANGHAI)
AFTER = START + timedelta(days=200)


@dataclass
class Result:
    """What became of the lines, by kind: [lines, matchable, of them matched, matched wrongly]."""

    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def total(self, name: str) -> int:
        return sum(found[name] for found in self.kinds.values())

    @property
    def recall(self) -> float:
        """Of what could be matched, the share that was."""
        return self.total("matched") / self.total("matchable")


@dataclass
class Books:
    """Every state in one dict; what `load` would find by index is indexed here."""

    regions: Regions
    states: States = field(default_factory=dict)
    taken: dict[tuple[UUID, int], dict[UUID, int]] = field(default_factory=dict)
    names_known: set[str] = field(default_factory=set)

    def send(self, message: Message, at: datetime) -> None:
        """One message and the commands it leads to, at once."""
        self._look(message)
        id_ = uuid4()
        given = Delivery(id_, message.key, message, at, at, id_)
        decision = decisions.decide(self.states, given, lambda *_: _UNLIMITED, self.regions.at)
        self.states.update(decision.changes)
        for said in decision.out:
            if isinstance(said, ApplyReceipt):
                found = self.taken.setdefault((said.receipt, said.part), {})
                found[said.transfer] = found.get(said.transfer, 0) + said.amount_fen
            if isinstance(said, Command):
                self.send(said, at)

    def _look(self, message: Message) -> None:
        """What is looked for by payer and amount, or by name, as `load` would find it."""
        if isinstance(message, OpenAccount):
            self.names_known.update(message.name_keys[:1])
        elif isinstance(message, CreditAdvance):
            look = look_of(message.to, message.origin, message.amount_fen)
            self.states.setdefault(("expected", look), ())
        elif isinstance(message, RecordReceipt):
            for look in Needs.of([Delivery(uuid4(), "", message, START, START, uuid4())]).looks({}):
                if "|" in look:
                    self.states.setdefault(("expected", look), ())
            for key in {key for detail in message.details for key in detail.name_keys}:
                self.states["named", message.to, key] = key in self.names_known

    def open(self, owed: Owed, region: str, balance_fen: int = 0) -> None:
        keys = KEYRING.blind(names.forms(owed.name))
        self.states["name", owed.person, region] = owed.name
        self.send(
            OpenAccount(
                to=region, person=owed.person, record=uuid4(), account=True,
                balance_fen=balance_fen, name_keys=keys,
            ),
            START,
        )  # fmt: skip

    def announce(self, owed: Owed, at: datetime) -> None:
        """The origin has released it, the destination credits it."""
        self.open(owed, DESTINATION)
        self.send(
            CreditAdvance(
                to=DESTINATION, origin=owed.origin, person=owed.person, transfer=owed.transfer,
                version=1, amount_fen=owed.amount_fen, released_on=owed.released_on, advance=True,
            ),
            at,
        )  # fmt: skip

    def send_away(self, owed: Owed) -> None:
        """The destination's own people leave: what it pays for them may come back."""
        self.open(owed, DESTINATION, owed.amount_fen)
        self.send(
            ReleaseFunds(
                to=DESTINATION, person=owed.person, transfer=owed.transfer, destination=owed.origin
            ),
            START,
        )
        self.send(
            InstructRemittance(
                to=DESTINATION, person=owed.person, transfer=owed.transfer, run="R1",
                destination=owed.origin, amount_fen=owed.amount_fen,
            ),
            START,
        )  # fmt: skip


def run(story: Story, regions: Regions) -> Result:
    """All lines of a story, in their order, and what became of each."""
    books = Books(regions)
    for owed in story.leaving:
        books.send_away(owed)
    for owed in story.owed:
        if not owed.late:
            books.announce(owed, START)
    receipts = [_read(books, paid, regions) for paid in story.paid]
    for owed in story.owed:
        if owed.late:
            books.announce(owed, AFTER)
    claims = [state for state in books.states.values() if isinstance(state, Claim)]
    assert not any(claim.reserved_fen for claim in claims)
    return told(story, receipts, lambda receipt: _taken(books, receipt))


def _read(books: Books, paid: Paid, regions: Regions) -> UUID:
    """The line as a file gives it, through the reading of files and the books."""
    text = ",".join(bank_csv.COLUMNS) + "\n"
    text += ",".join(f'"{paid.row.get(name, "")}"' for name in bank_csv.COLUMNS) + "\n"
    own = OwnAccount(DESTINATION, "income")
    (statement,) = bank_csv.read(text)
    (entry,) = entries_of(own, statement, distinct(statement).values())
    keys = {f"{entry.line.booked_on:%Y-%m}": b"5" * 32}
    (numbered,), _ = commands_of([entry], {}, regions, KEYRING, keys)
    for part, payment in enumerate(entry.line.payments):
        line = Line(payment.payee_name, payment.remark)
        books.states["line", entry.receipt, part] = line
    books.send(numbered[1], noon(entry.line.booked_on))
    return entry.receipt


def noon(day: date) -> datetime:
    """When the lines of a day are read."""
    return datetime.combine(day, time(12), SHANGHAI)


def told(
    story: Story, receipts: Iterable[UUID], taken_of: Callable[[UUID], dict[UUID, int]]
) -> Result:
    """What became of each line, by what was taken of its receipt."""
    result = Result()
    for paid, receipt in zip(story.paid, receipts, strict=True):
        found = result.kinds.setdefault(paid.kind, Counter())
        taken = taken_of(receipt)
        right = set(taken) <= set(paid.truth)
        found["lines"] += 1
        found["matchable"] += paid.matchable
        found["matched"] += paid.matchable and right and taken == paid.truth
        found["by themselves"] += bool(taken)
        found["wrong"] += not right
        if not right:
            result.wrong.append(f"{paid.kind}: {paid.row}")
        elif paid.matchable and taken != paid.truth:
            result.missed.append(f"{paid.kind}: {paid.row}")
    return result


def _taken(books: Books, receipt: UUID) -> dict[UUID, int]:
    """What of a receipt went where: to claims, or back to what it was paid for."""
    taken: dict[UUID, int] = {}
    part = 0
    while isinstance(found := books.states.get(("part", receipt, part)), Part):
        for transfer, fen in books.taken.get((receipt, part), {}).items():
            taken[transfer] = taken.get(transfer, 0) + fen
        back_fen = found.amount_fen - found.suspended_fen
        if back_fen:
            (transfer,) = found.transfers
            assert isinstance(books.states["released", transfer], tuple)
            taken[transfer] = back_fen
        part += 1
    return taken
