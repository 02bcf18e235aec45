"""All that the stand-in bank remembers, and how it is kept in a folder."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deploy.sandbox.fates import Fate
from deploy.sandbox.instructions import Payment
from shared.regions import Regions

FIRST_BALANCE_FEN = 100_000_000_00


@dataclass(frozen=True, slots=True)
class Due:
    """A payment with the day on which the bank acts on it.

    `kind`: pay, part or again; return or reverse, of what it had paid; take-back, of what it had
    credited; reject; announce, that a return is on its way.
    """

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
    """What it has to do, and what it has done. `late` are statements that it has not sent yet;
    `debits` and `credits` are the entries of payments that it may reverse.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    due: dict[str, list[Due]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    messages: set[str] = field(default_factory=set)
    late: list[str] = field(default_factory=list)
    debits: dict[str, str] = field(default_factory=dict)
    credits: dict[str, str] = field(default_factory=dict)

    def expects(self, reference: str) -> bool:
        """Whether something is still to be done about a payment."""
        return any(one.payment.reference == reference for due in self.due.values() for one in due)


def first(regions: Regions) -> Books:
    """The books of a bank that has done nothing yet."""
    everybody = regions.entities.values()
    accounts = {region.bank.expense_account: Account(FIRST_BALANCE_FEN) for region in everybody}
    accounts |= {region.bank.income_account: Account(0) for region in everybody}
    return Books(accounts)


def read(path: Path) -> Books:
    """The books as they were kept."""
    content = json.loads(path.read_text("utf-8"))
    due = {
        day: [
            Due(Payment(**row["payment"]), Fate(**row["fate"]), row["kind"], row["amount_fen"])
            for row in rows
        ]
        for day, rows in content["due"].items()
    }
    accounts = {number: Account(**row) for number, row in content["accounts"].items()}
    return Books(
        accounts,
        due,
        content["taken"],
        set(content["messages"]),
        content["late"],
        content["debits"],
        content.get("credits", {}),
    )


def write(path: Path, books: Books) -> None:
    """Keeps the books."""
    content = {
        "accounts": {number: asdict(account) for number, account in books.accounts.items()},
        "due": {day: [_row(due) for due in rows] for day, rows in books.due.items()},
        "taken": books.taken,
        "messages": sorted(books.messages),
        "late": books.late,
        "debits": books.debits,
        "credits": books.credits,
    }
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    partial.replace(path)


def _row(due: Due) -> dict[str, Any]:
    # By hand: dataclasses.asdict copies every text, of every payment, at each save.
    payment, fate = due.payment, due.fate
    return {
        "payment": {name: getattr(payment, name) for name in payment.__slots__},
        "fate": {name: getattr(fate, name) for name in fate.__slots__},
        "kind": due.kind,
        "amount_fen": due.amount_fen,
    }
