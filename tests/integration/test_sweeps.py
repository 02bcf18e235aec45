"""What a month leaves in the income account is swept once, and whose it is can still be found."""

from datetime import date, timedelta
from pathlib import Path

import asyncpg
from defusedxml.ElementTree import fromstring

from services.settlement.app import Settlement
from shared.messages import Message
from shared.messages.settlement import AdvanceFunded, OpenBank
from tests.integration.desk import FISCAL, INCOME, PAIN, Desk, csv, desk_at, row
from tests.integration.drive import balance, settle
from tests.integration.test_closing import TODAY, at, books, db
from tests.integration.test_closing_answers import closed_on
from tests.schemas.published import faults
from tests.unit.settlement_world import T1, A, B, announced, detail, only, open_account, receipt
from tests.unit.settlement_world import release_funds as released

__all__ = ["books", "db"]

MARCH = {"region": B, "month": "2026-03"}
END = (date(2026, 3, 31) - TODAY).days
NAME = "450100-202603-S"


async def early_money(db: asyncpg.Connection, books: Settlement) -> None:
    """Money that comes before its transfer is announced: 200 in suspense beside 500."""
    opening = OpenBank(to=B, account=f"{B}:income", bank="income", balance_fen=500, booked_on=TODAY)
    await settle(db, books, [open_account(A, 200), open_account(B), opening])
    await settle(db, books, [receipt("r", detail(200, T1, payer_region=A))])


async def tell(desk: Desk, db: asyncpg.Connection, books: Settlement, *rows: str) -> list[Message]:
    desk.sent.clear()
    answer = await desk.post(csv(*rows))
    assert answer.status_code == 202, answer.text
    return await settle(db, books, desk.messages, at(END + 1))


async def test_a_month_is_swept_once_and_the_bank_may_tell_it_by_its_name_alone(
    database: str, books: Settlement, tmp_path: Path
) -> None:
    async with desk_at(database, tmp_path) as desk, desk.pool.acquire() as db:
        await early_money(db, books)
        early = await desk.ask("POST", "/v1/sweeps", json=MARCH)
        await closed_on(db, books, END)
        reminded = await db.fetchval("SELECT state FROM items WHERE subject = 'sweep/2026-03'")

        told = await desk.ask("POST", "/v1/sweeps", json=MARCH)
        again = await desk.ask("POST", "/v1/sweeps", json=MARCH)
        day = str(TODAY + timedelta(days=END + 1))
        gone = {"booked_at": day, "payer_account": "", "end_to_end_id": NAME}
        await tell(desk, db, books, row("out", "7.00", direction="debit", **gone))
        await tell(desk, db, books, row("in", "7.00", account=FISCAL, **gone))
        await closed_on(db, books, END + 1)

        assert early.json()["code"] == "month_not_closed"
        assert (reminded, told.status_code, told.content) == ("open", 200, again.content)
        assert faults("pain.001.001.09", told.content) == []
        root = fromstring(told.content)
        from_, to = (
            root.findtext(f".//p:{tag}/p:Id/p:Othr/p:Id", namespaces=PAIN)
            for tag in ("DbtrAcct", "CdtrAcct")
        )
        assert (from_, to) == (INCOME, FISCAL)
        assert root.findtext(".//p:EndToEndId", namespaces=PAIN) == NAME
        assert root.findtext(".//p:InstdAmt", namespaces=PAIN) == "7.00"
        banks = [await balance(db, B, f"bank:{kind}") for kind in ("income", "fiscal")]
        assert banks == [0, 700]
        assert await db.fetchval("SELECT count(*) FROM entries WHERE kind = 'sweep'") == 1
        done = await db.fetchval("SELECT state FROM items WHERE subject = 'sweep/2026-03'")
        [listed] = (await desk.ask("GET", "/v1/sweeps")).json()
        assert (done, listed["amount"], listed["by"]) == ("done", "7.00", "t")


async def test_what_was_swept_is_still_matched_when_its_transfer_comes(
    database: str, books: Settlement, tmp_path: Path
) -> None:
    async with desk_at(database, tmp_path) as desk, desk.pool.acquire() as db:
        await early_money(db, books)
        await closed_on(db, books, END)
        await desk.ask("POST", "/v1/sweeps", json=MARCH)
        day = str(TODAY + timedelta(days=END + 1))
        gone = {"booked_at": day, "payer_account": "", "end_to_end_id": NAME}
        await tell(desk, db, books, row("out", "7.00", direction="debit", **gone))

        april = at(END + 2)
        said = await settle(db, books, [released()], april)
        said = await settle(db, books, announced(said), april)

        assert only(AdvanceFunded, said).matched_fen == 200
        assert await balance(db, B, "suspense") == 0
        assert (await desk.ask("GET", "/v1/trial-balance")).json()["balanced"]
        asked = {"region": B, "month": "2026-04"}
        assert (await desk.ask("GET", "/v1/statutory", params=asked)).json()["balanced"]


async def test_nothing_is_told_of_a_month_that_left_nothing(
    database: str, books: Settlement, tmp_path: Path
) -> None:
    async with desk_at(database, tmp_path) as desk, desk.pool.acquire() as db:
        await settle(db, books, [open_account(B)])
        await closed_on(db, books, END)

        assert (await desk.ask("POST", "/v1/sweeps", json=MARCH)).status_code == 204
        assert await db.fetchval("SELECT count(*) FROM sweeps") == 0
