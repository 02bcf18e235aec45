"""What each service keeps, in memory, as its store keeps it: parts, rows and bytes.

Only what `save` writes is there for the next `load`, so that a decision which forgets to write a
part of what it changed is seen.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from pydantic import TypeAdapter

from services.enrollment.persons import Person, Relation, Release, Verdict
from services.notification.letters import Letter
from services.settlement import ledger
from services.settlement.needs import Needs
from services.settlement.states import Claim, Holder, Line, Part, Receipt
from services.transfer.states import Transfer
from shared.decision import Delivery, States
from shared.messages.enrollment import AnswerAnew
from tests.unit.settlement_world import expected_by

Changes = Mapping[Hashable, object]


class Tables(Protocol):
    """`load` and `save` without a database."""

    def load(self, batch: Sequence[Delivery]) -> States: ...

    def save(self, changes: Changes) -> None: ...


class EnrollmentTables:
    """Persons in parts: their life, relations and releases each apart."""

    def __init__(self) -> None:
        self.lives: dict[str, Person] = {}
        self.relations: defaultdict[str, dict[tuple[str, str], Relation]] = defaultdict(dict)
        self.releases: defaultdict[str, dict[UUID, Release]] = defaultdict(dict)
        self.verdicts: dict[UUID, Verdict] = {}

    def person(self, key: str) -> Person:
        life = self.lives.get(key)
        if life is None:
            return Person(key)
        return Person(
            *(key, True, life.deceased_on, life.sealed, life.starts),
            dict(self.relations[key]),
            dict(self.releases[key]),
        )

    def load(self, batch: Sequence[Delivery]) -> States:
        states: States = {("person", key): self.person(key) for key in {d.key for d in batch}}
        for delivery in batch:
            m = delivery.message
            record = m.record if isinstance(m, AnswerAnew) else getattr(m, "asked", None)
            if record in self.verdicts:
                states["verdict", record] = self.verdicts[record]
        return states

    def save(self, changes: Changes) -> None:
        for key, value in changes.items():
            assert isinstance(key, tuple)
            match value:
                case Relation():
                    self.relations[key[1]][value.key] = value
                case Release():
                    self.releases[key[1]][value.transfer] = value
                case Verdict():
                    self.verdicts[value.record] = value
                case Person() if key[0] == "life":
                    self.lives[value.person] = value
                case _:
                    pass


class TransferTables:
    """Transfers as the JSON that their rows hold."""

    _TRANSFER = TypeAdapter(Transfer)

    def __init__(self) -> None:
        self.rows: dict[tuple[str, UUID], bytes] = {}

    def load(self, batch: Sequence[Delivery]) -> States:
        states: States = {}
        for delivery in batch:
            id_ = getattr(delivery.message, "transfer", None)
            if id_ is not None:
                row = self.rows.get((delivery.key, id_))
                found = self._TRANSFER.validate_json(row) if row else None
                states[delivery.key, id_] = found
        return states

    def save(self, changes: Changes) -> None:
        for value in changes.values():
            if isinstance(value, Transfer):
                row = self._TRANSFER.dump_json(value, exclude_defaults=True)
                self.rows[value.person, value.id] = row

    def all(self) -> list[Transfer]:
        return [self._TRANSFER.validate_json(row) for row in self.rows.values()]


class SettlementTables:
    """The books: rows by key, the journal, and the turnover of every account."""

    def __init__(self) -> None:
        self.states: States = {}
        self.entries: dict[UUID, ledger.Entry] = {}
        self.totals: dict[tuple[str, str], tuple[int, int]] = {}

    def load(self, batch: Sequence[Delivery]) -> States:
        states = dict(self.states)
        needs = Needs.of(batch)
        if needs.announcing or needs.offered or needs.receipts:
            states |= expected_by(needs, self.all(Claim))
        for _, transfer in needs.taking_back:
            states["parts-of", transfer] = tuple(
                (p.receipt, p.part)
                for p in self.all(Part)
                if transfer in p.transfers or transfer in p.refs
            )
        for corridor in needs.reviewing:
            large = [c for c in self.all(Claim) if (c.origin, c.region) == corridor]
            large = [c for c in large if c.declined == "single_limit" and c.awaiting_fen]
            large.sort(key=lambda c: (c.declined_at or c.opened_at, c.person, c.transfer))
            states["too-large", *corridor] = tuple(large)
        for m in needs.receipts:
            for number, text in enumerate((m.sealed or "").splitlines()):
                states["line", m.receipt, number] = Line("", text)
        return states

    def save(self, changes: Changes) -> None:
        for key, value in changes.items():
            assert isinstance(key, tuple)
            if isinstance(value, ledger.Entry):
                assert value.id not in self.entries, f"an entry is written twice: {value}"
                self.entries[value.id] = value
                self._turn_over(value)
            elif key[0] != "expected":
                self.states[key] = value
                self._unseal(value)

    def _turn_over(self, entry: ledger.Entry) -> None:
        for account, (debit_fen, credit_fen) in ledger.totals(entry.postings).items():
            where = entry.region, account
            before = self.totals.get(where, (0, 0))
            self.totals[where] = before[0] + debit_fen, before[1] + credit_fen

    def _unseal(self, value: object) -> None:
        """Nothing is sealed here: what the store would open stands in the clear."""
        if isinstance(value, Holder) and value.sealed:
            self.states["name", value.person, value.region] = value.sealed
            self.states["named", value.region, value.name_keys[0]] = True
        if isinstance(value, Receipt) and value.sealed:
            for number, text in enumerate(value.sealed.splitlines()):
                self.states["line", value.receipt, number] = Line("", text)

    def all(self, kind: type[Any]) -> list[Any]:
        return [state for state in self.states.values() if isinstance(state, kind)]


class LetterTables:
    """Letters, each once, as the primary key of their table keeps them."""

    def __init__(self) -> None:
        self.letters: dict[UUID, Letter] = {}
        self.told_again: list[tuple[Letter, Letter]] = []

    def load(self, batch: Sequence[Delivery]) -> States:  # noqa: ARG002 - as the store's
        return {}

    def save(self, changes: Changes) -> None:
        for value in changes.values():
            if isinstance(value, Letter):
                known = self.letters.setdefault(value.id, value)
                if known is not value:
                    self.told_again.append((known, value))
