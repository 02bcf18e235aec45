"""What an accountant is shown of days and months, and what is found when a day ends."""

from datetime import date, timedelta
from pathlib import Path

import asyncpg

from services.settlement.app import Settlement
from services.settlement.closing import queries
from shared.messages import Message
from shared.messages.settlement import OpenBank, RecordDebit
from shared.messages.settlement_closing import CloseDay, ReportBreak
from tests.integration.desk import desk_at
from tests.integration.drive import drive, settle
from tests.integration.test_closing import TODAY, at, balance_days, books, db
from tests.unit.settlement_world import (
    T1,
    A,
    B,
    announced,
    detail,
    open_account,
    receipt,
    release_funds,
    some_id,
)

__all__ = ["books", "db"]


async def a_month(db: asyncpg.Connection, books: Settlement) -> None:
    """Advanced, funded in part, swept in part, and the day closed."""
    opening_bank = OpenBank(
        to=B, account=f"{B}:income", bank="income", balance_fen=500, booked_on=TODAY
    )
    await settle(db, books, [open_account(A, 300), open_account(B), opening_bank])
    await settle(db, books, announced(await settle(db, books, [release_funds()])))
    await settle(db, books, [receipt("r", detail(200, T1, payer_region=A))])
    sweep = RecordDebit(
        to=B, account=f"{B}:income", bank="income", receipt=some_id("sweep"), amount_fen=600,
        booked_on=TODAY, details=(), counter="fiscal",
    )  # fmt: skip
    await settle(db, books, [sweep])
    await settle(db, books, [CloseDay(to=B, day=TODAY)])
    await balance_days(db)


async def test_the_month_over_http(database: str, books: Settlement, tmp_path: Path) -> None:
    """A month is advanced, funded, swept and closed, and asked for."""
    async with desk_at(database, tmp_path) as desk, desk.pool.acquire() as db:
        await a_month(db, books)

        asked = {"region": B, "month": f"{TODAY:%Y-%m}"}
        statutory = (await desk.ask("GET", "/v1/statutory", params=asked)).json()
        told = (await desk.ask("GET", "/v1/reports", params=asked)).json()
        day = (await desk.ask("GET", f"/v1/days/{TODAY}/balances")).json()
        mirror = (await desk.ask("GET", f"/v1/days/{TODAY}/mirror")).json()
        days = (await desk.ask("GET", "/v1/days", params={"region": B})).json()

    assert statutory["balanced"]
    assert statutory["change"] == statutory["bank_change"] == "7.00"
    assert [line["amount"] for line in statutory["income"]] == ["2.00", "5.00"]
    assert statutory["sweeps"] == [{"from": "bank:income", "to": "bank:fiscal", "amount": "6.00"}]
    region = told["regions"][0]
    assert (region["money_in"], region["advanced"], region["income_account"]) == (
        "2.00", "3.00", "1.00",
    )  # fmt: skip
    assert (region["late_receipts"], region["late_amount"]) == (0, "0.00")
    assert region["warnings"] == ["not_closed", "income_not_swept"]
    assert told["ageing"][0]["open"] == "1.00"
    assert (day["balanced"], list(day["regions"])) == (True, [A, B])
    assert mirror == [
        {
            "corridor": f"{A}>{B}",
            "day": TODAY.isoformat(),
            "origin_owes": "3.00",
            "destination_claims": "1.00",
            "explained": {"received_not_instructed": "2.00"},
            "unexplained": "0.00",
            "since": None,
            "age_days": None,
        }
    ]
    assert [row["balanced_on"] for row in days] == [TODAY.isoformat()]


async def closed_on(db: asyncpg.Connection, books: Settlement, day: int) -> list[Message]:
    """The day is closed; what was found at its end is told to the books."""
    await drive(db, books, [CloseDay(to=B, day=at(day).date())], at(day))
    told = await balance_days(db) or []
    return [*told, *await settle(db, books, told, at(day))]


async def test_what_does_not_agree_is_a_break_until_it_does(
    db: asyncpg.Connection, books: Settlement, database: str
) -> None:
    owner = await asyncpg.connect(database, server_settings={"search_path": "settlement"})
    await a_month(db, books)
    sound = await db.fetchval("SELECT count(*) FROM items WHERE queue = 'break'")
    grown = "UPDATE claims SET announced_fen = announced_fen + $1,"
    grown += " matched_fen = matched_fen + $1, credited_fen = credited_fen + $1"

    await owner.execute(grown, 200)
    broken = await closed_on(db, books, 1)
    items = "SELECT queue, subject, amount_fen, state FROM items WHERE queue = 'break'"
    opened = [tuple(row) for row in await db.fetch(items)]
    await owner.execute(grown, -200)
    await closed_on(db, books, 2)
    settled = [row["state"] for row in await db.fetch(items)]
    await owner.execute(
        "UPDATE balances SET credit_fen = credit_fen + 7 WHERE account = 'suspense'"
    )
    drifted = await closed_on(db, books, 3)
    await owner.close()

    assert sound == 0
    assert [m.amount_fen for m in broken if isinstance(m, ReportBreak)] == [100]
    assert opened == [("break", f"mirror/{A}>{B}", 100, "open")]
    assert settled == ["done"]
    assert [(m.subject, m.amount_fen) for m in drifted if isinstance(m, ReportBreak)] == [
        (f"{B}/suspense", -7)
    ]
    since = (await queries.mirrors(db, [B], at(1).date()))[0]
    assert (since["unexplained_fen"], since["since"]) == (100, at(1).date())


async def test_what_a_month_leaves_in_the_income_account_waits_to_be_swept(
    db: asyncpg.Connection, books: Settlement
) -> None:
    await a_month(db, books)
    april = (date(2026, 4, 1) - TODAY).days

    unswept = await closed_on(db, books, april - 1)
    sweep = RecordDebit(
        to=B, account=f"{B}:income", bank="income", receipt=some_id("april"), amount_fen=100,
        booked_on=TODAY, details=(), counter="fiscal",
    )  # fmt: skip
    await settle(db, books, [sweep], at(april))
    await closed_on(db, books, april)

    reminded = [m for m in unswept if isinstance(m, ReportBreak)]
    assert [(m.subject, m.amount_fen) for m in reminded] == [("sweep/2026-03", 100)]
    item = await db.fetchrow("SELECT subject, state FROM items WHERE queue = 'break'")
    assert tuple(item) == ("sweep/2026-03", "done")


async def test_an_accountant_ends_a_day_over_http(database: str, tmp_path: Path) -> None:
    async with desk_at(database, tmp_path) as desk, desk.pool.acquire() as db:
        today = (await desk.now(db)).date()
        began = await desk.ask("POST", "/v1/days", json={"region": B, "date": str(today)})
        not_begun = str(today + timedelta(days=2))
        future = await desk.ask("POST", "/v1/days", json={"region": B, "date": not_begun})
        desk.may = frozenset({A})
        other = await desk.ask("POST", "/v1/days", json={"region": B, "date": str(today)})
        month = await desk.ask("GET", "/v1/statutory", params={"region": A, "month": "2026-13"})

    assert [answer.status_code for answer in (began, future, other, month)] == [202, 422, 403, 422]
    assert desk.messages == [CloseDay(to=B, day=today, by="t")]


async def test_a_balance_is_drilled_down_to_entry_bank_line_and_cause(
    database: str, books: Settlement, tmp_path: Path
) -> None:
    async with desk_at(database, tmp_path) as desk, desk.pool.acquire() as db:
        await a_month(db, books)

        account = await desk.ask("POST", "/v1/explain", json={"account": f"{B}/advance:{A}"})
        stood = {"account": f"{B}/suspense", "day": str(TODAY - timedelta(days=1))}
        before = await desk.ask("POST", "/v1/explain", json=stood)
        made_real = account.json()["entries"][-1]
        entry = await desk.ask("POST", "/v1/explain", json={"id": made_real["entry"]})
        arrived = await desk.ask("POST", "/v1/explain", json={"id": str(some_id("r"))})
        unknown = await desk.ask("POST", "/v1/explain", json={"id": str(some_id("nothing"))})
        desk.may = frozenset({A})
        hidden = await desk.ask("POST", "/v1/explain", json={"id": str(some_id("r"))})
        other = await desk.ask("POST", "/v1/explain", json={"account": f"{B}/suspense"})

    told = account.json()
    assert (told["balance"], [e["kind"] for e in told["entries"]]) == ("1.00", ["advance", "apply"])
    assert told["days"] == [{"date": TODAY.isoformat(), "debit": "3.00", "credit": "2.00"}]
    assert before.json()["balance"] == "0.00"
    assert made_real["transfer"] == str(T1)
    assert entry.json()["line"]["receipt"] == str(some_id("r"))
    assert entry.json()["parts"][0]["rule"].startswith("reference")
    assert [e["kind"] for e in arrived.json()["entries"]] == ["receipt", "apply"]
    assert arrived.json()["entries"][0]["key"] == f"{B}:income"
    assert '"person"' not in arrived.text
    assert [a.status_code for a in (unknown, hidden, other)] == [404, 404, 403]


async def test_an_entry_is_not_looked_for_in_the_whole_journal(
    db: asyncpg.Connection,
) -> None:
    await db.execute(
        "INSERT INTO entries (person, id, region, kind, subject, version, business_date, cause)"
        " SELECT md5(i::text), gen_random_uuid(), $1, 'open', '', 0, $2, gen_random_uuid()"
        " FROM generate_series(1, 20000) AS i",
        *(A, TODAY),
    )
    async with db.transaction():
        await db.execute("SET LOCAL enable_seqscan = off")
        query = queries.ENTRY_BY_ID.replace("$1", f"'{T1}'")
        plan = "\n".join(row[0] for row in await db.fetch(f"EXPLAIN {query}"))

    assert "entries_id" in plan
    assert "Seq Scan" not in plan
