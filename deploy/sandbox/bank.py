"""The stand-in bank of all agencies: takes instructions, pays them late or wrongly, tells by day.

It keeps its books in a folder, so that it can go on where it stopped: `bank.json` is its state,
`truth.jsonl` what it did with each payment and with whom it belongs, `statements/` what it said.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from deploy.sandbox import camt, fates
from deploy.sandbox.camt import Detail, Entry
from deploy.sandbox.fates import Fate, Temper
from deploy.sandbox.instructions import Payment, payments
from shared.regions import Entity, Regions

_FIRST_BALANCE_FEN = 100_000_000_00
_STRAY_SHARE = 0.2  # per working day: money that belongs to nobody we know
_MOST_ENTRIES = 20_000  # in one statement
_AGAIN_DAYS, _RETURN_DAYS = 3, 2
_RETURN_CODE = "AC03"
_FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Due:
    """A payment with the day on which the bank acts on it. `kind`: pay, part, again or return."""

    payment: Payment
    fate: Fate
    kind: str
    amount_fen: int


@dataclass(slots=True)
class Account:
    """One bank account: its balance, how many statements and entries it has had."""

    balance_fen: int
    statements: int = 0
    entries: int = 0


@dataclass(slots=True)
class Books:
    """All that the bank remembers."""

    accounts: dict[str, Account] = field(default_factory=dict)
    due: dict[str, list[Due]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    messages: set[str] = field(default_factory=set)


class Bank:
    """Holds the accounts of every agency."""

    def __init__(self, folder: Path, regions: Regions, temper: Temper) -> None:
        """Go on with what is in the folder, or begin there."""
        self._folder = folder
        self._regions = regions
        self._temper = temper
        (folder / "statements").mkdir(parents=True, exist_ok=True)
        self._state = folder / "bank.json"
        self._truth: list[str] = []
        self._books = _read(self._state) if self._state.exists() else _first(regions)

    def take(self, xml: bytes, day: date) -> int:
        """Take a `pain.001` file; the number of payments, 0 for a file taken before."""
        found = payments(xml)
        if not found or found[0].message in self._books.messages:
            return 0
        self._books.messages.add(found[0].message)
        for payment in found:
            attempt = self._books.taken.get(payment.reference, 0) + 1
            self._books.taken[payment.reference] = attempt
            fate = self._temper.fate(payment.reference, attempt)
            self._plan(payment, fate, day)
            self._tell(day, "taken", payment, fate, payment.amount_fen)
        self._save()
        return len(found)

    def pending(self) -> int:
        """How many payments are still to be made."""
        return sum(len(due) for due in self._books.due.values())

    def arrived(self) -> dict[str, int]:
        """What has arrived at the destination for each reference, in fen: the truth."""
        found: dict[str, int] = defaultdict(int)
        for line in (self._folder / "truth.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            if row["what"] in ("pay", "part", "again") and row["trouble"] != "returned":
                found[row["reference"]] += row["fen"]
        return dict(found)

    def work(self, day: date) -> list[Path]:
        """Make the payments that are due by the end of this working day; the statements of it."""
        moved: dict[str, list[Entry]] = defaultdict(list)
        for account, entry in (*self._paid(day), *self._strays(day)):
            moved[account].append(entry)
        files = [
            self._state_of(account, day, entries)
            for account in sorted(moved)
            for entries in _chunks(moved[account])
        ]
        self._save()
        return files

    def _plan(self, payment: Payment, fate: Fate, day: date) -> None:
        days = fate.days
        if days is None or fate.trouble == "never":
            return
        amount, seed = payment.amount_fen, self._temper.seed
        if fate.trouble == "partial":
            for later, part in enumerate(fates.split(seed, payment.reference, amount)):
                self._put(payment, replace(fate, days=days + later), "part", part, day)
            return
        if fate.trouble in ("short", "over"):
            amount = fates.wrong_amount(seed, payment.reference, amount, fate.trouble)
        self._put(payment, fate, "pay", amount, day)
        if fate.trouble == "duplicate":
            self._put(payment, replace(fate, days=days + _AGAIN_DAYS), "again", amount, day)
        if fate.trouble == "returned":
            self._put(payment, replace(fate, days=days + _RETURN_DAYS), "return", amount, day)

    def _put(self, payment: Payment, fate: Fate, kind: str, amount_fen: int, day: date) -> None:
        region = self._regions.by_account(payment.debtor_account)
        assert region is not None, "an agency instructs from an account of its own"
        calendar = self._regions.calendar(region[0].code)
        when = calendar.add_working_days(day, fate.days or 0)
        # A lump remittance waits for the last working day of its week.
        while fate.trouble == "lump" and when.weekday() < _FRIDAY:
            following = calendar.add_working_days(when, 1)
            if following.isocalendar().week != when.isocalendar().week:
                break
            when = following
        due = Due(payment, fate, kind, amount_fen)
        self._books.due.setdefault(when.isoformat(), []).append(due)

    def _paid(self, day: date) -> Iterator[tuple[str, Entry]]:
        ready = sorted(due for due in self._books.due if due <= day.isoformat())
        lumps: dict[tuple[str, str], list[Due]] = defaultdict(list)
        acted = [one for when in ready for one in self._books.due.pop(when)]
        # A bank has an order of its own: by a reference that is as good as drawn.
        for due in sorted(acted, key=lambda one: (one.payment.reference, one.kind)):
            self._tell(day, due.kind, due.payment, due.fate, due.amount_fen)
            if due.kind == "return":
                yield (
                    due.payment.debtor_account,
                    self._entry(due.payment.debtor_account, [_returned(due)], credit=True),
                )
                continue
            account = due.payment.debtor_account
            yield account, self._entry(account, [_outgoing(due)], credit=False)
            if due.fate.trouble == "returned":
                continue
            if due.fate.trouble == "lump":
                lumps[account, due.payment.creditor_account].append(due)
                continue
            yield self._credited([due])
        for together in lumps.values():
            yield self._credited(together)

    def _credited(self, together: Sequence[Due]) -> tuple[str, Entry]:
        account = together[0].payment.creditor_account
        details = [self._incoming(due) for due in together]
        return account, self._entry(account, details, credit=True)

    def _incoming(self, due: Due) -> Detail:
        payer = self._region(due.payment.debtor_account)
        name = fates.name_in(due.payment.remark, due.payment.reference)
        reference, remark = fates.written(due.fate, due.payment.reference, name)
        return Detail(
            amount_fen=due.amount_fen,
            reference=reference,
            debtor=payer.bank.payer_names[0],
            debtor_account=due.payment.debtor_account,
            remark=remark,
        )

    def _strays(self, day: date) -> Iterator[tuple[str, Entry]]:
        random = Random(f"{self._temper.seed}:{day}:stray")
        if not self._temper.realistic or random.random() > _STRAY_SHARE:
            return
        account = random.choice(self._regions.all).bank.income_account
        amount = random.randint(1_00, 900_00)
        detail = Detail(amount, debtor="某某劳务派遣有限公司", remark="往来款")
        yield account, self._entry(account, [detail], credit=True)
        truth = {"day": day.isoformat(), "what": "stray", "account": account, "fen": amount}
        self._write_truth(truth)

    def _entry(self, account: str, details: Sequence[Detail], *, credit: bool) -> Entry:
        books = self._books.accounts[account]
        books.entries += 1
        return Entry(f"{account[-6:]}{books.entries:010d}", credit, tuple(details))

    def _state_of(self, account: str, day: date, entries: Sequence[Entry]) -> Path:
        books = self._books.accounts[account]
        books.statements += 1
        name = f"S{account[-6:]}-{books.statements:05d}"
        content = camt.Statement(name, books.statements, account, day, books.balance_fen, entries)
        books.balance_fen = content.closing_fen
        path = self._folder / "statements" / f"{day}-{name}.xml"
        path.write_bytes(camt.statement(content))
        return path

    def _region(self, account: str) -> Entity:
        found = self._regions.by_account(account)
        assert found is not None, "only agencies have accounts here"
        return found[0]

    def _tell(self, day: date, what: str, payment: Payment, fate: Fate, fen: int) -> None:
        self._write_truth(
            {
                "day": day.isoformat(),
                "what": what,
                "reference": payment.reference,
                "from": payment.debtor_account,
                "to": payment.creditor_account,
                "fen": fen,
                "instructed_fen": payment.amount_fen,
                **asdict(fate),
            }
        )

    def _write_truth(self, content: dict[str, Any]) -> None:
        self._truth.append(json.dumps(content, ensure_ascii=False) + "\n")

    def _save(self) -> None:
        with (self._folder / "truth.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(self._truth)
        self._truth.clear()
        books = self._books
        content = {
            "accounts": {number: asdict(account) for number, account in books.accounts.items()},
            "due": {day: [_row(due) for due in rows] for day, rows in books.due.items()},
            "taken": books.taken,
            "messages": sorted(books.messages),
        }
        partial = self._state.with_suffix(".part")
        partial.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        partial.replace(self._state)


def _first(regions: Regions) -> Books:
    everybody = regions.entities.values()
    accounts = {region.bank.expense_account: Account(_FIRST_BALANCE_FEN) for region in everybody}
    accounts |= {region.bank.income_account: Account(0) for region in everybody}
    return Books(accounts)


def _chunks(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    return (entries[i : i + _MOST_ENTRIES] for i in range(0, len(entries), _MOST_ENTRIES))


def _read(path: Path) -> Books:
    content = json.loads(path.read_text("utf-8"))
    due = {
        day: [
            Due(Payment(**row["payment"]), Fate(**row["fate"]), row["kind"], row["amount_fen"])
            for row in rows
        ]
        for day, rows in content["due"].items()
    }
    accounts = {number: Account(**row) for number, row in content["accounts"].items()}
    return Books(accounts, due, content["taken"], set(content["messages"]))


def _row(due: Due) -> dict[str, Any]:
    # By hand: dataclasses.asdict copies every text, of every payment, at each save.
    payment, fate = due.payment, due.fate
    return {
        "payment": {name: getattr(payment, name) for name in payment.__slots__},
        "fate": {name: getattr(fate, name) for name in fate.__slots__},
        "kind": due.kind,
        "amount_fen": due.amount_fen,
    }


def _outgoing(due: Due) -> Detail:
    return Detail(
        amount_fen=due.amount_fen,
        reference=due.payment.reference,
        creditor_account=due.payment.creditor_account,
        remark="转移支出",
    )


def _returned(due: Due) -> Detail:
    return Detail(
        amount_fen=due.amount_fen,
        reference=due.payment.reference,
        remark="退汇",
        return_code=_RETURN_CODE,
    )
