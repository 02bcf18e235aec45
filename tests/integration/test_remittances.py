"""Payment files out, on a real database: what is owed is instructed once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from defusedxml.ElementTree import fromstring

from services.settlement.app import Settlement
from shared.calendar import SHANGHAI
from shared.messages.settlement import InstructRemittance, RecordDebit, RecordReceipt
from shared.region_file import FormerAccounts
from shared.regions import Regions
from tests.integration.desk import (
    EXPENSE,
    INCOME,
    ON,
    PAIN,
    ZHENGZHOU_EXPENSE,
    Desk,
    csv,
    desk_at,
    row,
)
from tests.integration.drive import connect, settle


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(database, tmp_path) as one:
        yield one


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


async def returned(desk: Desk) -> None:
    """The bank has paid 1.00 and sent it back."""
    await desk.owner.execute(
        "UPDATE settlement.releases SET debited_fen = 100, remitting_fen = 0,"
        " returned_fen = 100, payable_fen = 100"
    )


async def remit(desk: Desk, on: date = ON, *, lump: bool = False) -> httpx.Response:
    body = {"region": "410100", "date": on.isoformat(), "lump": lump}
    return await desk.ask("POST", "/v1/remittances", json=body)


async def test_what_is_due_is_instructed_once(desk: Desk) -> None:
    transfer = uuid4()
    await desk.hold("p1", "张伟")
    await desk.release("p1", transfer, 408412)
    await desk.release("p2", uuid4(), 100, date(2026, 4, 1))

    first, again = await remit(desk), await remit(desk)

    assert first.content == again.content
    (instruction,) = desk.messages
    assert isinstance(instruction, InstructRemittance)
    assert (instruction.transfer, instruction.run) == (transfer, "410100-20260331-1")
    root = fromstring(first.content)
    assert [e.text for e in root.findall(".//p:EndToEndId", PAIN)] == [transfer.hex]
    assert root.findtext(".//p:Ustrd", namespaces=PAIN) == f"张伟 {transfer.hex}"


async def test_what_is_released_later_is_a_run_of_its_own(desk: Desk) -> None:
    await desk.release("p1", uuid4(), 100)
    first = await remit(desk)
    await desk.obey(desk.messages[0])
    await desk.release("p2", uuid4(), 250)

    second = await remit(desk, lump=True)

    assert second.headers["Jiexu-Runs"] == "410100-20260331-1,410100-20260331-2"
    assert [m.amount_fen for m in desk.messages if isinstance(m, InstructRemittance)] == [100, 250]
    listed = await desk.ask("GET", "/v1/remittances", params={"region": "410100"})
    assert [(run["run"], run["amount"]) for run in listed.json()] == [
        ("410100-20260331-1", "1.00"),
        ("410100-20260331-2", "2.50"),
    ]
    file = await desk.ask("GET", "/v1/remittances/410100-20260331-1")
    assert file.content == first.content


async def test_a_debited_lump_is_known_by_its_own_list(desk: Desk) -> None:
    transfers = {uuid4(): 100 + n for n in range(3)}
    for transfer, amount_fen in transfers.items():
        await desk.release(transfer.hex, transfer, amount_fen)
    await remit(desk, lump=True)
    fields = {"direction": "debit", "account": ZHENGZHOU_EXPENSE, "payer_account": ""}

    for ref, amount in (("D1", "3.03"), ("D2", "3.04")):
        await desk.post(csv(row(ref, amount, end_to_end_id="410100-20260331-1-450100", **fields)))

    exact, other = [m for m in desk.messages if isinstance(m, RecordDebit)]
    assert {d.references[0]: d.amount_fen for d in exact.details} == transfers
    assert [d.references for d in other.details] == [()]


async def test_what_came_back_is_instructed_again(desk: Desk) -> None:
    await desk.release("p1", uuid4(), 100)
    await remit(desk)
    await desk.obey(desk.messages[0])
    await returned(desk)

    again = await remit(desk)

    assert again.status_code == 200
    assert [m.run for m in desk.messages if isinstance(m, InstructRemittance)] == [
        "410100-20260331-1",
        "410100-20260331-2",
    ]


async def test_two_exports_at_once_claim_each_release_once(desk: Desk) -> None:
    for n in range(20):
        await desk.release(f"p{n}", uuid4(), 100)

    answers = await asyncio.gather(*(remit(desk) for _ in range(4)))

    assert len({answer.content for answer in answers}) == 1
    assert len(desk.sent) == 20


async def test_who_was_erased_is_paid_without_a_name(desk: Desk) -> None:
    await desk.hold("p1", "张伟")
    await desk.release("p1", uuid4(), 100)
    await remit(desk)
    await desk.owner.execute("DELETE FROM cell.person_keys")

    again = await remit(desk)

    assert "张伟" not in again.text


async def test_nothing_due_is_no_file(desk: Desk) -> None:
    assert (await remit(desk)).status_code == 204


async def test_the_clock_of_a_run_is_the_business_clock(desk: Desk) -> None:
    await desk.owner.execute("UPDATE cell.clock SET offset_us = -86400000000")
    await desk.release("p1", uuid4(), 100)

    answer = await remit(desk)

    written = fromstring(answer.content).findtext(".//p:CreDtTm", namespaces=PAIN)
    assert written is not None
    assert datetime.fromisoformat(written) < datetime.now(UTC)


def moved(desk: Desk, until: date, former: str) -> None:
    """Nanning's income account is another from the day after `until` on; it was `former`."""
    old = desk.regions.get("450100")
    assert old is not None
    row = FormerAccounts(until=until, income_account=former, source="notice of the bank")
    bank = old.bank.model_copy(update={"former": (row,)})
    new = old.model_copy(update={"bank": bank})
    desk.regions = Regions([new, *(one for one in desk.regions.all if one is not old)])


async def test_what_came_back_is_paid_again_to_the_account_that_is_right_by_then(
    desk: Desk,
) -> None:
    former = "4501010104000045999"
    moved(desk, ON, former)
    await desk.release("p1", uuid4(), 100)
    first = await remit(desk)
    await desk.obey(desk.messages[0])
    await returned(desk)

    again = await remit(desk, date(2026, 4, 1))

    path = ".//p:CdtrAcct/p:Id/p:Othr/p:Id"
    paid = [fromstring(one.content).findtext(path, namespaces=PAIN) for one in (first, again)]
    assert paid == [former, INCOME]
    file = await desk.ask("GET", "/v1/remittances/410100-20260331-1")
    assert file.content == first.content, "a file stays as it was given out"


async def test_two_people_change_an_account_and_what_came_back_is_paid_to_it(
    desk: Desk, db: asyncpg.Connection
) -> None:
    books = Settlement(desk.regions, desk.keyring)
    new, tomorrow = "4501010104000045777", datetime.now(SHANGHAI).date() + timedelta(days=1)
    await desk.release("p1", uuid4(), 100)
    first = await remit(desk)
    await desk.obey(desk.messages[0])
    fields = {"to": "450100", "bank": "income", "since": tomorrow.isoformat()}
    act = {"act": "settlement.change-account", "reason": "bank-confirmed", "by": "li"}

    async def decide(who: str, role: str, path: str, **body: object) -> httpx.Response:
        desk.who = {"holder": who, "roles": frozenset({role})}
        answer = await desk.ask("POST", f"/v1/items{path}", json=body)
        if answer.status_code == 202:
            await settle(db, books, [desk.messages[-1]])
        return answer

    taken = await decide("li", "clerk", "", **act, fields={**fields, "account": EXPENSE})
    assert (taken.status_code, taken.json()["code"]) == (409, "account_taken")
    sent = await decide("li", "clerk", "", **act, fields={**fields, "account": new})
    item = (await desk.ask("GET", f"/v1/items/{sent.json()['item']}")).json()
    assert item["proposal"]["fields"]["account"] == new, "who approves reads what it is"
    assert new not in str(desk.sent)
    await decide("wang", "director", f"/{item['item']}/approve")

    await returned(desk)
    again = await remit(desk, tomorrow)

    path = ".//p:CdtrAcct/p:Id/p:Othr/p:Id"
    paid = [fromstring(one.content).findtext(path, namespaces=PAIN) for one in (first, again)]
    assert paid == [INCOME, new]
    shown = (await desk.ask("GET", "/v1/bank-accounts", params={"region": "450100"})).json()
    income = [(row["account"], row["approved_by"]) for row in shown if row["bank"] == "income"]
    assert income == [(INCOME, None), (new, "wang")]
    for ref, account, key in (("B1", INCOME, "450100:income"), ("B2", new, "450100:income:2")):
        answer = await desk.post(csv(row(ref, "1.00", account=account)))
        assert answer.json()["statements"][0]["account"] == key


async def test_the_statements_of_a_former_account_are_a_chain_of_their_own(desk: Desk) -> None:
    moved(desk, ON, "4501010104000045999")

    old = await desk.post(csv(row("B1", "1.00", account="4501010104000045999")))
    new = await desk.post(csv(row("B1", "2.00", account=INCOME)))

    assert [one.json()["account"] for one in (old, new)] == ["450100:income", "450100:income:2"]
    assert len({m.receipt for m in desk.messages if isinstance(m, RecordReceipt)}) == 2


async def test_money_moved_to_the_new_account_is_no_debit_that_nobody_knows(desk: Desk) -> None:
    moved(desk, ON, "4501010104000045999")
    fields = {"direction": "debit", "account": "4501010104000045999", "payer_account": INCOME}

    await desk.post(csv(row("D1", "5.00", **fields)))

    (sweep,) = desk.messages
    assert isinstance(sweep, RecordDebit)
    assert (sweep.bank, sweep.counter) == ("income", "income")
