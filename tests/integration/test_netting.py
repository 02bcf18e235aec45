"""A month is netted on a real database: sheet, answers, final postings, one payment a region."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from defusedxml.ElementTree import fromstring

from services.settlement.app import Settlement
from shared.calendar import SHANGHAI
from shared.messages import Message
from shared.messages.settlement import AdvanceFunded, CreditAdvance, FundsReleased
from shared.messages.settlement_netting import FinalizeSheet, PositionPaid, PublishSheet
from tests.integration.desk import PAIN, Desk, csv, desk_at, row
from tests.integration.drive import connect, settle
from tests.unit.settlement_world import only, open_account, release_funds, some_id

NANNING, GUILIN, GUANGXI = "450100", "450300", "450000"
APRIL = 2026 * 12 + 3


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 9, tzinfo=SHANGHAI)


DUE = at(5, 12)


class Town:
    """The books, driven, and their HTTP interface beside them."""

    def __init__(self, db: asyncpg.Connection, desk: Desk) -> None:
        self.db = db
        self.desk = desk
        self.books = Settlement(desk.regions, desk.keyring)

    async def take(self, batch: Sequence[Message], when: datetime) -> list[Message]:
        return await settle(self.db, self.books, batch, when)

    async def move(self, number: int, origin: str, to: str, when: datetime) -> None:
        """A person with money moves, and is credited in advance."""
        who: dict[str, Any] = {"person": f"{number:032x}"}
        opened = [
            open_account(origin, 10_000 + number, record=some_id(f"o{number}"), **who),
            open_account(to, record=some_id(f"d{number}"), **who),
        ]
        transfer = some_id(f"move {number}")
        asked = release_funds(transfer, origin, to, opened_at=when, **who)
        released = only(FundsReleased, await self.take([*opened, asked], when))
        credit = CreditAdvance(
            to=to,
            origin=origin,
            transfer=transfer,
            version=1,
            amount_fen=released.principal_fen,
            released_on=released.released_on,
            advance=True,
            opened_at=when,
            **who,
        )
        await self.take([credit], when)

    async def answer(self, verdict: str, number: int, region: str) -> int:
        self.desk.sent.clear()
        line = f"{some_id(f'move {number}')}:1"
        body = {"line": line, "region": region, "by": "lin", "reason": "amount"}
        answered = await self.desk.ask("POST", f"/v1/netting/{verdict}", json=body)
        await self.take(self.desk.messages, at(5, 6))
        return answered.status_code

    async def sheet(self, month: str = "2026-04") -> dict[str, Any]:
        [found] = (await self.desk.ask("GET", f"/v1/netting?month={month}")).json()
        return dict(found)

    async def remit(self, region: str, on: datetime = DUE) -> bytes:
        """A payment file, and what the books make of it."""
        self.desk.sent.clear()
        body = {"region": region, "date": on.date().isoformat(), "net": region == GUANGXI}
        file = await self.desk.ask("POST", "/v1/remittances", json=body)
        await self.take(self.desk.messages, on)
        return file.content

    async def tell(self, *rows: str, on: datetime = DUE) -> list[Message]:
        self.desk.sent.clear()
        answered = await self.desk.post(csv(*rows))
        assert answered.status_code == 202, answered.text
        return await self.take(self.desk.messages, on + timedelta(days=1))

    async def accounts(self) -> dict[tuple[str, str], str]:
        """Balances of the books, which hold."""
        balance = (await self.desk.ask("GET", "/v1/trial-balance")).json()
        assert balance["balanced"], balance["invariants"]
        found = balance["regions"].items()
        return {(r, a["account"]): a["balance"] for r, rows in found for a in rows}


@pytest.fixture
async def town(database: str, tmp_path: Path) -> AsyncIterator[Town]:
    db = await connect(database)
    async with desk_at(database, tmp_path) as desk:
        yield Town(db, desk)
    await db.close()


async def published(town: Town) -> None:
    for number, (origin, to) in enumerate([(GUILIN, NANNING), (GUILIN, NANNING)], start=1):
        await town.move(number, origin, to, at(4, 3))
    await town.take([PublishSheet(to=GUANGXI, month=APRIL)], at(5, 5))


async def test_the_month_from_its_sheet_to_the_last_payment(town: Town) -> None:
    await published(town)
    assert await town.remit(GUILIN) == b"", "what is netted is not remitted by itself"
    assert await town.answer("dispute", 2, NANNING) == 202

    said = await town.take([FinalizeSheet(to=GUANGXI, month=APRIL)], at(5, 12))

    assert only(AdvanceFunded, said).matched_fen == 10_001
    sheet = await town.sheet()
    assert (sheet["state"], sheet["lines"]) == ("final", 1)
    gets = {p["region"]: (p["gets"], p["pays"]) for p in sheet["positions"]}
    assert gets == {NANNING: ("100.01", "0.00"), GUILIN: ("0.00", "100.01")}
    assert await town.remit(GUANGXI) == b"", "the province pays when it has been paid"

    paid = [*await pay_over(town, GUILIN, GUANGXI), *await pay_over(town, GUANGXI, NANNING)]

    assert [m.region for m in paid if isinstance(m, PositionPaid)] == [GUILIN, NANNING]
    assert (await town.sheet())["state"] == "paid"
    accounts = await town.accounts()
    for region in (NANNING, GUILIN, GUANGXI):
        assert accounts[region, "clearing:2026-04"] == "0.00"
    assert accounts[NANNING, "suspense"] == "0.00"


async def pay_over(town: Town, payer: str, payee: str, on: datetime = DUE) -> list[Message]:
    """The payer's file goes to its bank; both banks tell."""
    banks = {code: one.bank for code, one in town.desk.regions.entities.items()}
    root = fromstring(await town.remit(payer, on))
    [reference] = [e.text or "" for e in root.findall(".//p:EndToEndId", PAIN)]
    to = root.findtext(".//p:CdtrAcct/p:Id/p:Othr/p:Id", namespaces=PAIN)
    assert to == banks[payee].income_account
    amount = root.findtext(".//p:InstdAmt", namespaces=PAIN) or ""
    account = banks[payer].expense_account
    told: dict[str, Any] = {"end_to_end_id": reference, "payer_account": account}
    told["booked_at"] = on.date().isoformat()
    left = row(f"d{payer}{on:%m}", amount, account=account, direction="debit", **told)
    came = row(f"c{payer}{on:%m}", amount, account=banks[payee].income_account, **told)
    return [*await town.tell(left, on=on), *await town.tell(came, on=on)]


async def test_a_whole_sheet_is_agreed_with_in_one_step_and_explained_to_the_last_file(
    town: Town,
) -> None:
    await published(town)
    await town.answer("dispute", 2, NANNING)
    town.desk.sent.clear()
    body = {"month": "2026-04", "region": NANNING, "by": "lin"}
    whole = await town.desk.ask("POST", "/v1/netting/confirm-sheet", json=body)
    await town.take(town.desk.messages, at(5, 6))
    await town.take([FinalizeSheet(to=GUANGXI, month=APRIL)], at(5, 12))
    await pay_over(town, GUILIN, GUANGXI)
    await pay_over(town, GUANGXI, NANNING)

    told = (await town.desk.ask("GET", "/v1/netting/450000/2026-04")).json()

    assert whole.status_code == 202
    assert (await town.desk.ask("POST", "/v1/netting/confirm-sheet", json=body)).status_code == 409
    lines = {one["transfer"]: one for one in told["explained"]}
    kept, left = lines[str(some_id("move 1"))], lines[str(some_id("move 2"))]
    assert (kept["state"], left["state"]) == ("settled", "disputed")
    assert [(a["region"], a["verdict"], a["by"]) for a in kept["answers"]] == [
        (NANNING, "confirm", "lin (t)")
    ]
    assert [(a["verdict"], a["why"]) for a in left["answers"]] == [("dispute", "amount")]
    booked = {e["region"]: e["postings"] for e in kept["entries"]}
    assert [p["debit"] for p in booked[GUILIN]] == [f"payable:{NANNING}"]
    assert [p["credit"] for p in booked[NANNING]] == [f"advance:{GUILIN}"]
    assert left["entries"] == []
    [came] = [p for p in told["positions"] if p["region"] == NANNING]
    [receipt] = came["receipts"]
    assert (receipt["amount"], receipt["account"]) == ("100.01", f"{NANNING}:income")
    [debit] = came["debits"]
    assert (debit["amount"], debit["account"]) == ("100.01", f"{GUANGXI}:expense")
    assert debit["statement"]
    files = (await town.desk.ask("GET", f"/v1/statements/{receipt['file']}")).json()
    assert files["statements"][0]["lines"][0]["receipt"] == receipt["receipt"]
    assert [(a["verdict"], a["lines"]) for a in told["answers"]] == [("confirm", 1), ("dispute", 1)]


async def test_lines_say_where_they_stand_and_why(town: Town) -> None:
    await published(town)
    await town.answer("dispute", 1, GUILIN)
    await town.answer("confirm", 2, GUILIN)
    await town.answer("confirm", 2, NANNING)

    rows = (await town.desk.ask("GET", "/v1/netting/lines?month=2026-04")).json()

    states = {found["transfer"]: (found["state"], found["sheet"]) for found in rows}
    assert states == {
        str(some_id("move 1")): ("disputed", None),
        str(some_id("move 2")): ("confirmed", "2026-04"),
    }
    page = (await town.desk.ask("GET", "/v1/netting/lines?limit=1")).json()
    rest = (await town.desk.ask("GET", f"/v1/netting/lines?after={page[0]['line']}")).json()
    assert [*page, *rest] == rows


async def test_a_dispute_taken_back_after_the_sheet_is_in_the_next_one(town: Town) -> None:
    await published(town)
    await town.answer("dispute", 1, GUILIN)
    await town.take([FinalizeSheet(to=GUANGXI, month=APRIL)], at(5, 12))

    await town.answer("confirm", 1, GUILIN)

    rows = (await town.desk.ask("GET", "/v1/netting/lines")).json()
    assert {(found["state"], found["sheet"]) for found in rows} == {
        ("settled", "2026-04"),
        ("entered", "2026-05"),
    }


async def test_answers_are_refused_for_strangers_and_for_final_sheets(town: Town) -> None:
    await published(town)
    assert await town.answer("dispute", 1, "410100") == 404
    await town.take([FinalizeSheet(to=GUANGXI, month=APRIL)], at(5, 12))
    assert await town.answer("dispute", 1, GUILIN) == 409
    town.desk.may = frozenset({NANNING})
    assert await town.answer("confirm", 1, GUILIN) == 403


async def test_a_final_sheet_is_booked_in_batches_and_once_though_asked_again(town: Town) -> None:
    await published(town)
    finalize = FinalizeSheet(to=GUANGXI, month=APRIL)
    first = await town.take([finalize], at(5, 12))
    entries = await town.db.fetchval("SELECT count(*) FROM entries WHERE kind = 'net'")

    again = await town.take([finalize, PublishSheet(to=GUANGXI, month=APRIL)], at(5, 13))

    assert len([m for m in first if isinstance(m, AdvanceFunded)]) == 2
    assert again == []
    assert await town.db.fetchval("SELECT count(*) FROM entries WHERE kind = 'net'") == entries == 4
