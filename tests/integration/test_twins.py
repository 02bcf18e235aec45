"""A notice and a statement may tell the same entry, and one of them without its reference: then two
people say whether it is one.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.settlement.app import Settlement
from shared.messages import Message
from shared.messages.settlement import OpenBank, RecordReceipt
from shared.messages.settlement_bank import HoldLine
from tests.integration.desk import Desk, desk_at
from tests.integration.drive import balance, connect, settle
from tests.integration.test_statements import camt, entry

NANNING = "450100"
PAID = "转移资金 张伟"


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(database, tmp_path) as one:
        yield one


async def told(desk: Desk, text: str) -> tuple[list[str], list[type[Message]]]:
    """What the answer to a file says, and what kinds of messages it leads to."""
    answer = await desk.post(text)
    assert answer.status_code == 202, answer.text
    ids = set(answer.json()["message_ids"])
    return answer.json()["codes"], [type(m) for id_, m in desk.sent if str(id_) in ids]


def notice(*entries: str, id_: str = "N1") -> str:
    return camt(*entries, kind="054", id_=id_)


@pytest.mark.parametrize(("first", "second"), [("", "B1"), ("B1", ""), ("", "")])
async def test_what_a_notice_told_without_a_reference_is_not_booked_again_in_silence(
    desk: Desk, first: str, second: str
) -> None:
    await told(desk, notice(entry(first, "40.00", PAID)))
    statement = camt(entry(second, "40.00", PAID), closing="1040.00")

    codes, sent = await told(desk, statement)

    assert (codes, sent) == (["held"], [OpenBank, HoldLine])
    hold = next(m for m in desk.messages if isinstance(m, HoldLine))
    known = next(m for m in desk.messages if isinstance(m, RecordReceipt))
    assert (hold.twin, hold.amount_fen, hold.message) == (known.receipt, 4000, known.type)
    again = (await desk.post(statement)).json()
    assert (again["duplicate"], again["messages"]) == (1, 0)


async def test_two_payments_alike_are_two_and_each_told_one_is_the_twin_of_one(
    desk: Desk,
) -> None:
    await told(desk, notice(entry("", "40.00", PAID), entry("", "40.00", PAID)))

    _, sent = await told(desk, camt(*[entry("", "40.00", PAID)] * 3, closing="1120.00"))

    assert sent == [OpenBank, HoldLine, HoldLine, RecordReceipt]


@pytest.mark.parametrize(
    ("amount", "remark", "first", "second"),
    [("40.01", PAID, "", "B1"), ("40.00", "转移资金 李娜", "", "B1"), ("40.00", PAID, "A1", "B1")],
)
async def test_another_amount_or_remark_or_two_references_are_two_entries(
    desk: Desk, amount: str, remark: str, first: str, second: str
) -> None:
    await told(desk, notice(entry(first, "40.00", PAID)))

    closing = "1040.01" if amount == "40.01" else "1040.00"
    codes, sent = await told(desk, camt(entry(second, amount, remark), closing=closing))

    assert (codes, sent) == ([], [OpenBank, RecordReceipt])


@pytest.mark.parametrize("suspense_fen", [8000, 4000])
async def test_two_people_say_whether_it_is_booked(
    desk: Desk, database: str, suspense_fen: int
) -> None:
    db = await connect(database)
    books = Settlement(desk.regions, desk.keyring)
    desk.who = {"holder": "clerk", "roles": frozenset({"clerk", "director"})}
    await told(desk, notice(entry("", "40.00", PAID)))
    await told(desk, camt(entry("B1", "40.00", PAID), closing="1040.00"))
    await hear(db, books, desk)
    [item] = (await desk.ask("GET", "/v1/items", params={"queue": "twin"})).json()
    assert "line" not in item["facts"]

    body: dict[str, Any] = {
        "act": "settlement.book-line",
        "fields": {"another": suspense_fen == 8000},
    }
    path = f"/v1/items/{item['item']}"
    proposed = await desk.ask("POST", f"{path}/propose", json=body | {"reason": "bank-confirmed"})
    assert proposed.status_code == 202, proposed.text
    await hear(db, books, desk)
    assert await balance(db, NANNING, "suspense") == 4000
    desk.who = {"holder": "director", "roles": frozenset({"director"})}
    await desk.ask("POST", f"{path}/approve", json={})
    await hear(db, books, desk)

    assert await balance(db, NANNING, "suspense") == suspense_fen
    assert (await desk.ask("GET", path)).json()["state"] == "done"
    assert (await desk.ask("GET", "/v1/trial-balance")).json()["balanced"]
    await db.close()


async def hear(db: asyncpg.Connection, books: Settlement, desk: Desk) -> Sequence[Message]:
    batch, desk.sent = desk.messages, []
    return await settle(db, books, batch)
