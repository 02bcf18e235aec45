"""A statement of known truth through the real store: whose each line is, and every fen of it."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from deploy.sandbox import truth
from services.settlement import bank_csv
from services.settlement.app import Settlement
from shared import names
from shared.messages import Command, Message
from shared.messages.settlement import (
    ApplyReceipt,
    CreditAdvance,
    InstructRemittance,
    OpenAccount,
    OpenBank,
    ReleaseFunds,
)
from shared.money import parse_yuan, yuan
from shared.sealing import seal
from tests.integration.desk import EXPENSE, Desk, desk_at
from tests.integration.drive import connect, drive
from tests.matching.run import AFTER, START, noon, told
from tests.matching.teller import DESTINATION, Owed, Paid, Story
from tests.matching.truth import story

T = TypeVar("T")
LINES = 2500
FILE = 200
OPENING_FEN = 100_000_000_00


@dataclass
class Office:
    """The books of one region on a real store, and the bank's files that come to it."""

    desk: Desk
    db: asyncpg.Connection
    books: Settlement
    taken: dict[UUID, Counter[UUID]] = field(default_factory=dict)
    """Of each receipt, what the books gave to whom."""

    async def hear(self, batch: Sequence[Message], at: datetime) -> None:
        """A batch, and those that the books then send themselves."""
        while batch:
            said = await drive(self.db, self.books, batch, at)
            for m in said:
                if isinstance(m, ApplyReceipt):
                    self.taken.setdefault(m.receipt, Counter())[m.transfer] += m.amount_fen
            batch = [m for m in said if isinstance(m, Command)]

    async def leave(self, owed: Sequence[Owed], at: datetime, origin: str | None = None) -> None:
        """They had money where they come from, and it is released to them there."""
        await self.open(owed, {o.transfer: origin or o.origin for o in owed}, at)
        asked = [
            ReleaseFunds(
                to=origin or o.origin, person=o.person, transfer=o.transfer,
                destination=o.origin if origin else DESTINATION,
            )
            for o in owed
        ]  # fmt: skip
        await self.hear(asked, at)

    async def open(
        self, owed: Sequence[Owed], origins: dict[UUID, str], at: datetime = START
    ) -> None:
        """Their accounts, with sealed names and blind keys: with money at the origin."""
        made = await self.desk.keyring.create_person_keys(self.desk.owner, [o.person for o in owed])
        opened = [
            OpenAccount(
                to=origins.get(o.transfer, DESTINATION), person=o.person, record=uuid4(),
                account=True, balance_fen=o.amount_fen if o.transfer in origins else 0,
                name_keys=self.desk.keyring.blind(names.forms(o.name)),
                sealed=seal(made[o.person], {"name": o.name, "phone": ""}),
            )
            for o in owed
        ]  # fmt: skip
        await self.hear(opened, at)

    async def announce(self, owed: Sequence[Owed], at: datetime) -> None:
        """The origins have released them, and they are credited."""
        for some in in_files(owed):
            await self.leave(some, at)
            await self.open(some, {}, at)
            advances = [
                CreditAdvance(
                    to=DESTINATION, origin=o.origin, person=o.person, transfer=o.transfer,
                    version=1, amount_fen=o.amount_fen, released_on=o.released_on, advance=True,
                )
                for o in some
            ]  # fmt: skip
            await self.hear(advances, at)

    async def send_away(self, owed: Sequence[Owed]) -> None:
        """The region's own people leave, and it pays for them."""
        await self.leave(owed, START, DESTINATION)
        paid = [
            InstructRemittance(
                to=DESTINATION, person=o.person, transfer=o.transfer, run="R1",
                destination=o.origin, amount_fen=o.amount_fen,
            )
            for o in owed
        ]  # fmt: skip
        opened = OpenBank(
            to=DESTINATION, account=f"{DESTINATION}:expense", bank="expense",
            balance_fen=OPENING_FEN, booked_on=START.date(),
        )  # fmt: skip
        for batch in (paid, [opened]):
            await self.hear(batch, START)
        await self.read([_debit(number, o) for number, o in enumerate(owed)])

    async def read(self, rows: Sequence[dict[str, str]]) -> None:
        """Files of a bank, through the edge into the books."""
        for some in in_files(rows):
            answer = await self.desk.post(_csv(some))
            assert answer.status_code == 202, answer.text
            batch, self.desk.sent = self.desk.messages, []
            await self.hear(batch, noon(max(_day(row) for row in some)))

    async def pages(self, path: str, key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            after = {"after": found[-1][key]} if found else {}
            page = (await self.desk.ask("GET", path, params={"limit": 1000, **after})).json()
            found += page
            if len(page) < 1000:
                return found


def in_files(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[start : start + FILE] for start in range(0, len(rows), FILE))


def _day(row: dict[str, str]) -> date:
    return date.fromisoformat(row["booked_at"])


def _csv(rows: Sequence[dict[str, str]]) -> str:
    lines = (",".join(f'"{row.get(name, "")}"' for name in bank_csv.COLUMNS) for row in rows)
    return "\n".join([",".join(bank_csv.COLUMNS), *lines]) + "\n"


def _debit(number: int, owed: Owed) -> dict[str, str]:
    return {
        "account": EXPENSE, "entry_ref": f"D{number:06d}", "booked_at": START.date().isoformat(),
        "direction": "debit", "amount": yuan(owed.amount_fen), "currency": "CNY",
        "end_to_end_id": owed.transfer.hex,
    }  # fmt: skip


def receipt_of(paid: Paid) -> UUID:
    return UUID(truth.receipt_of(DESTINATION, "income", paid.row["entry_ref"]))


def bank_of(told_: Story) -> truth.Truth:
    """What the bank of the story did."""
    bank = truth.Truth()
    for owed in told_.leaving:
        bank.taken[owed.transfer.hex] += owed.amount_fen
        bank.debited[owed.transfer.hex] += owed.amount_fen
    for paid in told_.paid:
        fen = parse_yuan(paid.row["amount"])
        listed = list(paid.truth.items()) if paid.kind == "listed" else []
        one = next(iter(paid.truth)).hex if len(paid.truth) == 1 else ""
        for number, (ref, part_fen) in enumerate([(t.hex, f) for t, f in listed] or [(one, fen)]):
            bank.parts[str(receipt_of(paid)), number] = ref, part_fen
        if paid.kind == "returned":
            bank.back[one] += fen
        else:
            bank.credited[DESTINATION] += fen
            bank.arrived.update({t.hex: f for t, f in paid.truth.items()})
    credited_fen = bank.credited.total() + bank.back.total()
    bank.balances[DESTINATION, "income"] = credited_fen
    bank.balances[DESTINATION, "expense"] = OPENING_FEN - bank.debited.total()
    return bank


@pytest.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    db = await connect(database)
    async with desk_at(database, tmp_path) as desk:
        yield Office(desk, db, Settlement(desk.regions, desk.keyring))
    await db.close()


async def differences(office: Office, bank: truth.Truth) -> list[str]:
    """Between the bank's truth and the books, asked as anybody may ask."""
    sides = await office.pages("/v1/sides", "transfer")
    parts = await office.pages("/v1/receipt-parts", "place")
    books = (await office.desk.ask("GET", "/v1/trial-balance")).json()
    failed = [name for name, holds in books["invariants"].items() if not holds]
    return [
        *failed,
        *truth.of_parts(bank, parts),
        *truth.of_transfers(bank, sides, parts, {}),
        *truth.of_accounts(bank, books["regions"], sides, {}, parts),
    ]


async def test_nobody_gets_anothers_money_and_the_books_are_the_banks_truth_to_the_fen(
    office: Office,
) -> None:
    told_ = story(1, LINES, office.desk.regions)

    await office.send_away(told_.leaving)
    await office.announce([owed for owed in told_.owed if not owed.late], START)
    await office.read([paid.row for paid in told_.paid])
    await office.announce([owed for owed in told_.owed if owed.late], AFTER)

    back = {
        row["receipt"]: {row["transfers"][0]: row["back_fen"]}
        for row in await office.db.fetch(
            "SELECT receipt, transfers, amount_fen - suspended_fen AS back_fen FROM receipt_parts"
            " WHERE amount_fen > suspended_fen"
        )
    }
    result = told(
        told_,
        map(receipt_of, told_.paid),
        lambda receipt: dict(office.taken.get(receipt, {})) or back.get(receipt, {}),
    )
    assert result.wrong == []
    assert result.recall >= 0.97, result.missed[:5]
    bank = bank_of(told_)
    assert await differences(office, bank) == []
    # And it would be seen: were the money of this line another's, two transfers were wrong.
    plain, *_ = (paid for paid in told_.paid if paid.kind == "plain")
    place = str(receipt_of(plain)), 0
    bank.parts[place] = uuid4().hex, bank.parts[place][1]
    assert len(await differences(office, bank)) == 2
