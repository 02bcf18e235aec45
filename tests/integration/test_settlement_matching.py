"""Matching by name in a real PostgreSQL: blind keys find, unsealed names decide."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.settlement.app import Settlement
from shared import names
from shared.messages import Message
from shared.messages.settlement import (
    AdvanceFunded,
    ReceiptUnmatched,
)
from shared.regions import load
from shared.sealing import Keyring, seal
from shared.settings import read_secrets, settings
from tests.integration.drive import balance, connect, settle
from tests.unit.settlement_world import (
    DAY,
    PERSON,
    T1,
    T2,
    A,
    B,
    credit,
    detail,
    only,
    open_account,
    receipt,
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


@pytest.fixture
async def owner(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Who makes and deletes person keys, which settlement may only read."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def person_at(
    owner: asyncpg.Connection, keyring: Keyring, name: str, person: str = PERSON, **others: object
) -> Message:
    """The message that opens an account at B for somebody of this name."""
    keys = await keyring.create_person_keys(owner, [person])
    fields: dict[str, Any] = {"name_keys": keyring.blind(names.forms(name)), **others}
    return open_account(
        B,
        person=person,
        record=uuid4(),
        sealed=seal(keys[person], {"name": name, "phone": ""}),
        **fields,
    )


async def named_receipt(
    db: asyncpg.Connection, keyring: Keyring, label: str, remark: str, amount_fen: int
) -> Message:
    """A receipt from A without a reference, as the edge sends it."""
    key = await keyring.statement_key(db, f"{DAY:%Y-%m}")
    keys = keyring.blind(names.candidates(remark))
    line = {"payments": [{"payee_name": "", "remark": remark}]}
    one = detail(amount_fen, payer_region=A, name_keys=keys)
    return receipt(label, one, sealed=seal(key, line))


async def test_a_name_payer_and_amount_match_once_the_lines_are_read(
    db: asyncpg.Connection, owner: asyncpg.Connection, books: Settlement, keyring: Keyring
) -> None:
    await settle(db, books, [await person_at(owner, keyring, "张晓薇"), credit(408412)])
    line = await named_receipt(db, keyring, "r", "张晓薇医保个人账户转移", 408412)

    said = await settle(db, books, [line])

    assert only(AdvanceFunded, said).matched_fen == 408412
    assert await db.fetchval("SELECT rule FROM receipt_parts") == "payer-name-amount"


async def test_a_named_receipt_before_the_advance_waits_for_it(
    db: asyncpg.Connection, owner: asyncpg.Connection, books: Settlement, keyring: Keyring
) -> None:
    line = await named_receipt(db, keyring, "r", "ZHANG XIAOWEI", 408412)
    early = await settle(db, books, [line])

    said = await settle(db, books, [await person_at(owner, keyring, "张晓薇"), credit(408412)])

    assert only(ReceiptUnmatched, early).code == "unknown"
    assert only(AdvanceFunded, said).matched_fen == 408412


@pytest.mark.parametrize("remark", ["张小薇 转移", "张晓薇明", "薇晓张"])
async def test_a_name_that_only_resembles_asks_a_person(
    db: asyncpg.Connection,
    owner: asyncpg.Connection,
    books: Settlement,
    keyring: Keyring,
    remark: str,
) -> None:
    await settle(db, books, [await person_at(owner, keyring, "张晓薇"), credit(408412)])

    said = await settle(db, books, [await named_receipt(db, keyring, "r", remark, 408412)])

    assert only(ReceiptUnmatched, said).code in {"ambiguous", "unknown"}
    assert await balance(db, B, "suspense") == 408412


async def test_two_people_of_one_name_origin_and_amount_ask_a_person(
    db: asyncpg.Connection, owner: asyncpg.Connection, books: Settlement, keyring: Keyring
) -> None:
    twins = [await person_at(owner, keyring, "张伟", person) for person in (PERSON, OTHER)]
    await settle(db, books, [*twins, credit(100), credit(100, T2, person=OTHER)])

    said = await settle(db, books, [await named_receipt(db, keyring, "r", "张伟", 100)])

    assert only(ReceiptUnmatched, said).code == "ambiguous"


async def test_a_reference_of_one_and_the_name_of_another_ask_a_person(
    db: asyncpg.Connection, owner: asyncpg.Connection, books: Settlement, keyring: Keyring
) -> None:
    people = [
        await person_at(owner, keyring, "张伟"),
        await person_at(owner, keyring, "李娜", OTHER),
    ]
    await settle(db, books, [*people, credit(100), credit(250, T2, person=OTHER)])
    keys = keyring.blind(names.candidates("李娜"))

    said = await settle(db, books, [receipt("r", detail(100, T1, name_keys=keys))])

    assert only(ReceiptUnmatched, said).code == "ambiguous"
    assert '"other-name"' in await db.fetchval("SELECT evidence::text FROM receipt_parts")


async def test_an_erased_name_decides_nothing(
    db: asyncpg.Connection, owner: asyncpg.Connection, books: Settlement, keyring: Keyring
) -> None:
    await settle(db, books, [await person_at(owner, keyring, "张晓薇"), credit(100)])
    await owner.execute("DELETE FROM cell.person_keys")

    said = await settle(db, books, [await named_receipt(db, keyring, "r", "张晓薇", 100)])

    assert only(ReceiptUnmatched, said).code == "ambiguous"
