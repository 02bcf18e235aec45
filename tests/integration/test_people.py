"""People's decisions on a real database: the queue over HTTP, two people, and what is kept."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.settlement.app import Settlement
from services.settlement.people.states import item_id, part_subject
from shared.messages.settlement import AdvanceFunded
from shared.messages.settlement_people import ActRefused
from tests.integration.desk import Desk, desk_at
from tests.integration.drive import connect, settle
from tests.unit.settlement_world import (
    T1,
    T2,
    A,
    B,
    credit,
    detail,
    only,
    open_account,
    receipt,
    some_id,
)

LI = {"holder": "li", "roles": frozenset({"clerk"})}
WANG = {"holder": "wang", "roles": frozenset({"supervisor"})}


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(database, tmp_path) as desk:
        yield desk


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


async def act(desk: Desk, who: dict[str, Any], path: str, **body: object) -> Any:  # noqa: ANN401
    desk.who = who
    answer = await desk.ask("POST", f"/v1/items{path}", json=body)
    return answer.status_code, answer.json()


async def in_doubt(desk: Desk, db: asyncpg.Connection) -> tuple[Settlement, str, str]:
    """A receipt that refers to nothing, beside an advance: the books, the item, the receipt."""
    books = Settlement(desk.regions, desk.keyring)
    await settle(db, books, [open_account(B), credit(100)])
    message = receipt("r1", detail(100, payer_region=A))
    await settle(db, books, [message])
    item = item_id("receipt", B, part_subject(message.receipt, 0))
    return books, str(item), str(message.receipt)


async def test_two_people_match_a_receipt(desk: Desk, db: asyncpg.Connection) -> None:
    books, item, line = await in_doubt(desk, db)
    waiting = (await desk.ask("GET", "/v1/items", params={"queue": "receipt"})).json()
    assert [(row["item"], row["amount"]) for row in waiting] == [(item, "1.00")]

    fields = {"receipt": line, "transfer": str(T1)}
    sent = await act(
        desk, LI, "", act="settlement.match-receipt", fields=fields, reason="evidence", by="li"
    )
    assert sent[0] == 202, sent
    assert sent[1]["item"] == item
    await settle(db, books, [desk.messages[-1]])
    [proposed] = (await desk.ask("GET", f"/v1/items/of/{T1}")).json()
    assert (proposed["item"], proposed["state"]) == (item, "proposed")
    status, _ = await act(desk, WANG, f"/{item}/approve", why="seen")
    assert status == 202
    said = await settle(db, books, [desk.messages[-1]])

    assert only(AdvanceFunded, said).matched_fen == 100
    shown = (await desk.ask("GET", f"/v1/items/{item}")).json()
    assert shown["state"] == "done"
    history = [(step["what"], step["by"]) for step in shown["history"]]
    assert history == [
        ("opened", "books"), ("proposed", "li"), ("approved", "wang"), ("done", "books"),
    ]  # fmt: skip
    assert shown["proposal"]["fields"]["transfer"] == str(T1)
    [decided] = (await desk.ask("GET", f"/v1/items/of/{T1}")).json()
    assert (decided["item"], decided["decided_by"]) == (item, "wang")
    assert decided["history"] == shown["history"]


async def test_who_acts_is_the_holder_of_the_token(desk: Desk, db: asyncpg.Connection) -> None:
    books, item, _ = await in_doubt(desk, db)
    proposal = {"act": "settlement.match-receipt", "reason": "evidence"}
    fields = {"transfer": str(T1)}
    path = f"/{item}/propose"

    assert (await act(desk, LI, path, **proposal, fields=fields, by="wang"))[1]["code"] == "not_you"
    assert (await act(desk, LI, path, **proposal, fields={}))[1]["code"] == "bad_act"
    assert (await act(desk, LI, path, **proposal, fields={"x": 1}))[1]["code"] == "bad_act"
    nobody = {"holder": "zhao"}
    assert (await act(desk, nobody, path, **proposal, fields=fields))[1]["code"] == "not_allowed"
    assert not desk.sent
    # What the item is about need not be typed again.
    assert (await act(desk, LI, path, **proposal, fields=fields))[0] == 202
    await settle(db, books, [desk.messages[-1]])
    await act(desk, {**LI, "roles": frozenset({"director"})}, f"/{item}/approve")
    refused = only(ActRefused, await settle(db, books, [desk.messages[-1]]))
    assert refused.code == "same_person"


async def test_the_history_cannot_be_changed(desk: Desk, db: asyncpg.Connection) -> None:
    await in_doubt(desk, db)

    for statement in ("UPDATE item_steps SET by = 'x'", "DELETE FROM item_steps"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(statement)


async def test_one_payment_for_several_shows_the_only_claims_that_add_up(
    desk: Desk, db: asyncpg.Connection
) -> None:
    books = Settlement(desk.regions, desk.keyring)
    other = "0" * 31 + "2"
    opened = [open_account(B), open_account(B, person=other, record=some_id("other"))]
    await settle(db, books, [*opened, credit(100), credit(60, T2, person=other)])
    line = receipt("lump", detail(160, payer_region=A))
    await settle(db, books, [line])
    item = item_id("receipt", B, part_subject(line.receipt, 0))

    shown = (await desk.ask("GET", f"/v1/items/{item}")).json()

    (may_be,) = shown["may_be_for"]
    assert set(may_be["transfers"]) == {str(T1), str(T2)}
    parts = (await desk.ask("GET", "/v1/receipts", params={"receipt": str(line.receipt)})).json()
    assert [part["item"] for part in parts] == [str(item)]


async def test_a_balance_that_is_taken_away_is_as_much_as_it_was(
    desk: Desk, db: asyncpg.Connection
) -> None:
    books, opened = Settlement(desk.regions, desk.keyring), open_account(B, 60_000_00)
    await settle(db, books, [opened])
    record = str(opened.record)
    fields = {"to": B, "person": opened.person, "refers_to": record, "balance": "0.00"}

    why = {"act": "enrollment.amend-record", "fields": fields, "reason": "error"}
    _, sent = await act(desk, LI, "", **why)
    await settle(db, books, [desk.messages[-1]])
    await act(desk, WANG, f"/{sent['item']}/approve")
    said = await settle(db, books, [desk.messages[-1]])

    assert only(ActRefused, said).code == "not_allowed"
    item = (await desk.ask("GET", f"/v1/items/{sent['item']}")).json()
    assert (item["state"], item["amount"]) == ("proposed", "60000.00")
