"""The books in a real PostgreSQL: whole batches, in one transaction, by the service's own role."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from services.settlement.app import Settlement
from services.settlement.exposure import Limits
from shared.messages import Message
from shared.messages.settlement import (
    AdvanceCredited,
    AdvanceDeclined,
    AdvanceFunded,
    CreditAdvance,
    ExcessFound,
    FundsReleased,
    InstructRemittance,
    OpenBank,
    ReceiptUnmatched,
    RecordDebit,
    RemittanceDebited,
    RemittanceReturned,
)
from shared.regions import load
from shared.sealing import Keyring
from shared.settings import read_secrets, settings
from tests.integration.drive import START, balance, connect, drive, settle
from tests.unit.settlement_world import (
    DAY,
    PERSON,
    T1,
    T2,
    T3,
    A,
    B,
    C,
    announced,
    credit,
    detail,
    only,
    open_account,
    receipt,
    release_funds,
    some_id,
)

OTHER = "0" * 31 + "2"


@pytest.fixture
def keyring(secrets: Path) -> Keyring:
    return Keyring(read_secrets(secrets))


@pytest.fixture
def books(keyring: Keyring) -> Settlement:
    return Settlement(load(settings().regions), keyring)


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


async def test_the_whole_story_in_batches(db: asyncpg.Connection, books: Settlement) -> None:
    opening = [open_account(A, 408412), open_account(B)]
    released = await settle(db, books, [*opening, release_funds()])
    credited = await settle(db, books, announced(released))
    funded = await settle(db, books, [receipt("r", detail(408412, T1, payer_region=A))])

    assert only(FundsReleased, released).principal_fen == 408412
    assert only(AdvanceCredited, credited).credited_fen == 408412
    assert only(AdvanceFunded, funded).matched_fen == 408412
    assert await balance(db, B, f"advance:{A}") == 0
    assert await balance(db, B, "suspense") == 0
    holder = await db.fetchrow("SELECT * FROM holders WHERE region = $1", B)
    assert holder["personal_credit_fen"] - holder["personal_debit_fen"] == 408412


async def test_one_batch_holds_the_advance_and_its_receipt(
    db: asyncpg.Connection, books: Settlement
) -> None:
    batch = [open_account(B), receipt("r", detail(100, T1)), credit(100)]

    said = await settle(db, books, batch)

    assert only(AdvanceFunded, said).matched_fen == 100
    assert await db.fetchval("SELECT count(*) FROM waiting") == 0


async def test_a_waiting_receipt_is_found_by_a_later_batch(
    db: asyncpg.Connection, books: Settlement
) -> None:
    first = await settle(db, books, [receipt("r", detail(100, T1, payer_region=A))])

    second = await settle(db, books, [open_account(B), credit(100)])

    assert only(ReceiptUnmatched, first).code == "unknown"
    assert only(AdvanceFunded, second).matched_fen == 100
    assert await db.fetchval("SELECT count(*) FROM waiting") == 0


async def test_a_correction_takes_what_had_come_in_excess(
    db: asyncpg.Connection, books: Settlement
) -> None:
    await settle(db, books, [open_account(B), credit(100), receipt("r", detail(130, T1))])

    said = await settle(db, books, [credit(30, version=2)])

    assert only(AdvanceFunded, said).excess_fen == 0
    assert await balance(db, B, "suspense") == 0


class Narrow(Settlement):
    """With room for one advance of 1.50 yuan in each corridor."""

    def _limits(self, origin: str, destination: str, day: date) -> Limits:
        assert day >= DAY.date(), (origin, destination)
        return Limits(150, 150)


async def test_the_oldest_declined_advance_is_offered_when_the_limit_frees(
    db: asyncpg.Connection, keyring: Keyring
) -> None:
    books = Narrow(load(settings().regions), keyring)
    persons = [PERSON, OTHER, "0" * 31 + "3"]
    opened = [open_account(B, person=person, record=some_id(person)) for person in persons]
    first = [credit(100, T1), credit(80, T2, person=persons[1])]
    declined = await settle(db, books, [*opened, *first])
    await settle(db, books, [credit(60, T3, person=persons[2])], START + timedelta(days=1))

    said = await settle(db, books, [receipt("r", detail(100, T1))], START + timedelta(days=2))

    assert only(AdvanceDeclined, declined).transfer == T2
    assert [m.transfer for m in said if isinstance(m, AdvanceCredited)] == [T2, T3]
    assert await db.fetchval("SELECT count(*) FROM declined") == 0


async def test_a_remittance_is_told_debited_and_returned(
    db: asyncpg.Connection, books: Settlement
) -> None:
    bank = OpenBank(
        to=A, account=f"{A}:expense", bank="expense", balance_fen=500, booked_on=DAY.date()
    )
    debit = RecordDebit(
        to=A,
        account=bank.account,
        bank="expense",
        receipt=some_id("debit"),
        amount_fen=100,
        booked_on=DAY.date(),
        details=(detail(100, T1),),
    )
    told = InstructRemittance(
        to=A, person=PERSON, transfer=T1, destination=B, run="run-1", amount_fen=100
    )
    back = receipt("back", detail(100, T1, return_code="AC01"), region=A, bank="expense")

    await settle(db, books, [open_account(A, 100), release_funds(), bank, told, told])
    debited = await settle(db, books, [debit])
    returned = await settle(db, books, [back])

    assert only(RemittanceDebited, debited).amount_fen == 100
    assert only(RemittanceReturned, returned).code == "AC01"
    assert await balance(db, A, f"payable:{B}") == 100
    assert await balance(db, A, "bank:expense") == 500


async def test_the_journal_cannot_be_changed(db: asyncpg.Connection, books: Settlement) -> None:
    await settle(db, books, [open_account(A, 100)])

    for change in ("UPDATE postings SET amount_fen = 1", "DELETE FROM entries"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(change)


async def test_a_batch_of_hundreds_costs_as_many_statements_as_a_batch_of_one(
    db: asyncpg.Connection, books: Settlement
) -> None:
    asked: list[str] = []
    db.add_query_logger(lambda record: asked.append(record.query))
    counts = []
    for size in (1, 300):
        people = [f"{size:016x}{number:016x}" for number in range(size)]
        batch: list[Message] = []
        for person in people:
            ours = some_id(f"transfer {person}")
            batch.append(open_account(B, person=person, record=some_id(person)))
            batch.append(credit(100, ours, person=person))
            batch.append(receipt(f"r {person}", detail(100, ours, payer_region=A)))
        asked.clear()
        said = await drive(db, books, batch)
        counts.append(len(asked))
        assert len([m for m in said if isinstance(m, AdvanceCredited)]) == size

    assert counts[1] <= counts[0]


async def test_an_advance_and_its_receipt_at_the_same_time_do_not_miss_each_other(
    database: str, books: Settlement
) -> None:
    one, other = await connect(database), await connect(database)
    await settle(one, books, [open_account(B)])
    lost = []
    for number in range(20):
        ours = some_id(f"race {number}")
        money = receipt(f"race {number}", detail(100, ours))
        said = await asyncio.gather(
            settle(one, books, [credit(100, ours)]), settle(other, books, [money])
        )
        if not any(isinstance(m, AdvanceFunded) for m in [*said[0], *said[1]]):
            lost.append(number)
    await one.close()
    await other.close()

    assert lost == []


async def test_an_unmatched_excess_and_a_declined_advance_survive_a_restart(
    db: asyncpg.Connection, books: Settlement
) -> None:
    await settle(db, books, [open_account(B), credit(100)])

    said = await settle(db, books, [receipt("r", detail(150, T1))])
    declined = await settle(db, books, [credit(6_000_000, T2, person=OTHER)])

    assert only(ExcessFound, said).excess_fen == 50
    assert only(AdvanceDeclined, declined).code == "no_account"
    assert await db.fetchval("SELECT excess_fen FROM claims WHERE transfer = $1", T1) == 50


async def test_what_is_announced_after_leaving_is_released_further(
    db: asyncpg.Connection, books: Settlement
) -> None:
    await settle(db, books, [open_account(A, 100), open_account(B), release_funds()])
    await settle(db, books, [release_funds(T2, at=B, to=C)])

    said = await settle(db, books, [credit(100)])

    onward = announced(said)
    assert [(m.to, m.amount_fen, m.version) for m in onward if isinstance(m, CreditAdvance)] == [
        (C, 100, 1)
    ]
