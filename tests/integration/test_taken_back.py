"""The destination's bank takes a credit back (`RvslInd`): from its file to both sides' books."""

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.sandbox import truth
from deploy.sandbox.bank import Bank
from deploy.sandbox.fates import Fate, Temper
from services.settlement.app import Settlement
from shared.calendar import SHANGHAI
from shared.messages import Message
from shared.messages.settlement import AdvanceFunded
from shared.messages.settlement_compensation import ReceiptTakenBack
from tests.integration.desk import Desk, desk_at
from tests.integration.drive import START, balance, connect, settle
from tests.unit.settlement_world import T1, A, B, announced, only, open_account, release_funds

FEN = 30000
DAY = START.date()


class Banks:
    """The books, the bank of both regions, and the files between them."""

    def __init__(self, db: asyncpg.Connection, desk: Desk, folder: Path) -> None:
        self.db, self.desk, self.folder = db, desk, folder
        self.books = Settlement(desk.regions, desk.keyring)
        orders = {T1.hex: Fate("taken-back", 0, "reference")}
        self.bank = Bank(folder, desk.regions, Temper(1, realistic=False, orders=orders))

    async def hear(self, day: date, *more: Message) -> list[Message]:
        """What was sent, and more, at noon of a day."""
        batch, self.desk.sent = [*self.desk.messages, *more], []
        return await settle(self.db, self.books, batch, datetime.combine(day, time(12), SHANGHAI))

    async def instruct(self, day: date) -> None:
        body = {"region": A, "date": day.isoformat()}
        file = await self.desk.ask("POST", "/v1/remittances", json=body)
        await self.hear(day)
        assert self.bank.take(file.content, day) == 1

    async def work(self, day: date) -> list[Message]:
        """What the bank does in a day, told to both."""
        for path in self.bank.work(day):
            answer = await self.desk.post(path.read_bytes())
            assert answer.status_code == 202, answer.text
        return await self.hear(day)

    async def ask(self, path: str) -> Any:  # noqa: ANN401 JSON
        return (await self.desk.ask("GET", path)).json()

    async def differences(self) -> list[str]:
        told = truth.read(self.folder, self.desk.regions)
        sides, parts = await self.ask("/v1/sides"), await self.ask("/v1/receipt-parts")
        balances = await self.ask("/v1/trial-balance")
        assert balances["balanced"], balances["invariants"]
        return [
            *truth.of_parts(told, parts),
            *truth.of_transfers(told, sides, parts, {}),
            *truth.of_accounts(told, balances["regions"], sides, {}, parts),
        ]


@pytest.fixture
async def banks(database: str, tmp_path: Path) -> AsyncIterator[Banks]:
    db = await connect(database)
    async with desk_at(database, tmp_path) as desk:
        yield Banks(db, desk, tmp_path / "bank")
    await db.close()


async def test_a_credit_that_the_bank_takes_back_is_owed_and_paid_again(banks: Banks) -> None:
    await banks.hear(DAY, open_account(A, FEN), open_account(B))
    await banks.hear(DAY, *announced(await banks.hear(DAY, release_funds())))
    await banks.instruct(DAY)

    first = await banks.work(DAY)
    assert only(AdvanceFunded, first).matched_fen == FEN
    assert await banks.differences() == []
    tomorrow = DAY + timedelta(days=1)
    taken = only(ReceiptTakenBack, await banks.work(tomorrow))

    assert (taken.amount_fen, taken.open_fen, taken.matched_fen) == (FEN, FEN, 0)
    assert await balance(banks.db, B, f"advance:{A}") == FEN
    assert await balance(banks.db, A, f"payable:{B}") == FEN
    assert await balance(banks.db, B, "suspense") == await balance(banks.db, B, "bank:income") == 0
    assert await banks.differences() == []
    await banks.instruct(tomorrow)
    again = await banks.work(tomorrow + timedelta(days=1))
    assert only(AdvanceFunded, again).matched_fen == FEN
    assert await banks.differences() == []
