"""A bank's file is known by its hash, its statements are one chain, its reports are of ours."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.messages.settlement import OpenBank, RecordReceipt
from shared.messages.settlement_bank import (
    AdjustOpening,
)
from tests.integration.desk import Desk, csv, desk_at, row
from tests.integration.test_statements import camt, entry
from tests.unit.test_bank_reports import ID


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(database, tmp_path) as one:
        yield one


def day(number: int, opening: int, *entries: str, closing: int | None = None) -> str:
    """The n-th day's statement, in yuan; each entry is of 1.00."""
    end = opening + len(entries) if closing is None else closing
    text = camt(
        *entries,
        id_=f"S{number}",
        opening=f"{opening}.00",
        closing=f"{end}.00",
        on=f"2026-03-{number:02d}",
    )
    text = text.replace("2026-03-20", f"2026-03-{number:02d}")
    return text.replace(
        f"<Id>S{number}</Id>", f"<Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>"
    )


def one(name: str) -> str:
    return entry(name, "1.00")


async def answers(desk: Desk, *texts: str) -> list[dict[str, Any]]:
    found = []
    for text in texts:
        answer = await desk.post(text)
        assert answer.status_code == 202, answer.text
        found.append(answer.json())
    return found


async def gaps(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.ask("GET", "/v1/statements")).json()["gaps"]
    return found


async def test_a_file_can_be_shown_by_its_hash_with_every_line(desk: Desk) -> None:
    await desk.post(csv(row("B1", "1.00")))
    text = csv(row("B1", "1.00"), row("B2", "2.00", direction="debit"))

    (answer,) = await answers(desk, text)

    shown = (await desk.ask("GET", f"/v1/statements/{answer['hash']}")).json()
    assert answer["hash"] == hashlib.sha256(text.encode()).hexdigest()
    assert (shown["outcome"], shown["sent_by"], shown["size"]) == ("taken", "t", len(text))
    assert (shown["entries"], shown["accepted"], shown["duplicate"]) == (2, 1, 1)
    lines = shown["statements"][0]["lines"]
    assert [(x["key"], x["direction"], x["amount"], x["new"]) for x in lines] == [
        ("ref:B1", "credit", "1.00", False),
        ("ref:B2", "debit", "2.00", True),
    ]
    receipts = {m.receipt for m in desk.messages if hasattr(m, "receipt")}
    assert {UUID(line["receipt"]) for line in lines} == receipts


async def test_how_a_line_was_booked_is_shown(desk: Desk) -> None:
    (answer,) = await answers(desk, csv(row("B1", "1.00")))
    (message,) = desk.messages
    assert isinstance(message, RecordReceipt)
    await desk.owner.execute(
        "INSERT INTO settlement.receipts (receipt, account, region, bank, direction, amount_fen,"
        " booked_on, reversal, booked, recorded_at)"
        " VALUES ($1, '450100:income', '450100', 'income', 'credit', 100, now(), false, 'suspense',"
        " now())",
        message.receipt,
    )
    await desk.owner.execute(
        "INSERT INTO settlement.receipt_parts (receipt, part, region, amount_fen, verdict, rule,"
        " evidence, transfers) VALUES ($1, 0, '450100', 100, 'exact', 'r', '{}', $2)",
        *(message.receipt, [UUID(ID)]),
    )

    shown = (await desk.ask("GET", f"/v1/statements/{answer['hash']}")).json()

    (line,) = shown["statements"][0]["lines"]
    assert (line["booked"], line["verdicts"], line["transfers"]) == (
        "suspense",
        ["exact"],
        [str(UUID(ID))],
    )


async def test_the_same_file_is_answered_by_what_it_did(desk: Desk) -> None:
    first, again = await answers(desk, *[day(1, 10, one("B1"))] * 2)

    assert (again["again"], again["accepted"], again["duplicate"]) == (True, 0, 1)
    assert again["hash"] == first["hash"]
    (file,) = (await desk.ask("GET", "/v1/statements")).json()["files"]
    assert (file["sent"], file["accepted"]) == (2, 1)


async def test_a_refused_file_is_kept_with_its_reason_and_may_come_again(desk: Desk) -> None:
    bad = csv(row("B1", "1.00", currency="USD"))
    for _ in range(2):
        assert (await desk.post(bad)).status_code == 422

    (file,) = (await desk.ask("GET", "/v1/statements")).json()["files"]

    assert (file["outcome"], file["code"], file["where"]) == ("refused", "currency", "row 2")
    assert (file["sent"], file["entries"], file["accounts"]) == (2, 0, [])
    assert await desk.owner.fetchval("SELECT count(*) FROM settlement.bank_lines") == 0


async def test_a_file_of_another_region_is_not_shown(desk: Desk) -> None:
    (answer,) = await answers(desk, csv(row("B1", "1.00")))
    desk.may = frozenset({"410100"})

    shown = await desk.ask("GET", f"/v1/statements/{answer['hash']}")
    again = await desk.post(csv(row("B1", "1.00")))

    assert (shown.status_code, again.status_code) == (404, 403)


async def test_a_day_that_comes_late_closes_the_gap(desk: Desk) -> None:
    first, third = await answers(desk, day(1, 10, one("B1")), day(3, 12, one("B3")))
    assert third["gap"] == {"closed": "11.00", "opened": "12.00"}
    assert (third["missing"], third["codes"]) == ({"from": 2, "to": 2}, ["gap"])
    (gap,) = await gaps(desk)
    assert (gap["after"], gap["before"], gap["missing"]) == ("S1", "S3", {"from": 2, "to": 2})

    (second,) = await answers(desk, day(2, 11, one("B2")))

    assert (second["gap"], second["codes"]) == (None, ["late", "gap_closed"])
    assert first["codes"] == []
    assert await gaps(desk) == []


async def test_a_statement_that_is_missing_without_money_is_seen_by_its_number(desk: Desk) -> None:
    _, third = await answers(desk, day(1, 10), day(3, 10))

    assert (third["gap"], third["missing"]) == (None, {"from": 2, "to": 2})
    assert third["codes"] == ["sequence_gap"]
    assert len(await gaps(desk)) == 1


async def test_a_day_sent_twice_under_another_name_is_one_day(desk: Desk) -> None:
    text = day(1, 10, one("B1"))

    _, again, after = await answers(
        desk, text, text.replace(">S1<", ">S1-COPY<"), day(2, 11, one("B2"))
    )

    assert (again["accepted"], again["duplicate"], again["codes"][-1]) == (0, 1, "repeated")
    assert after["codes"] == []
    assert await gaps(desk) == []


async def test_what_the_account_began_with_is_right_whichever_day_comes_first(desk: Desk) -> None:
    await answers(desk, day(2, 11, one("B2")), day(1, 10, one("B1")))

    opened = [m for m in desk.messages if isinstance(m, OpenBank | AdjustOpening)]
    assert [type(m) for m in opened] == [OpenBank, AdjustOpening]
    assert isinstance(opened[0], OpenBank)
    assert isinstance(opened[1], AdjustOpening)
    assert opened[0].balance_fen + opened[1].delta_fen == 1000
    assert [type(m) for m in desk.messages][-1] is AdjustOpening


async def test_a_report_within_the_day_a_notice_and_the_statement_count_an_entry_once(
    desk: Desk,
) -> None:
    report = (
        camt(one("B1"), id_="R1")
        .replace("camt.053", "camt.052")
        .replace("BkToCstmrStmt", "BkToCstmrAcctRpt")
        .replace("Stmt>", "Rpt>")
    )
    notice = camt(one("B1"), kind="054", id_="N1")

    found = await answers(desk, report, notice, day(20, 10, one("B1")))

    assert [(one["accepted"], one["duplicate"]) for one in found] == [(1, 0), (0, 1), (0, 1)]
    assert len([m for m in desk.messages if isinstance(m, RecordReceipt)]) == 1


async def test_a_notice_and_a_statement_that_disagree_are_a_conflict(desk: Desk) -> None:
    await answers(desk, camt(one("B1"), kind="054", id_="N1"))

    answer = await desk.post(day(20, 10, entry("B1", "2.00"), closing=12))

    assert (answer.status_code, answer.json()["code"]) == (422, "conflict")


async def test_a_reversal_of_a_debit_bears_the_reference_of_the_debit(desk: Desk) -> None:
    back = one("D1").replace("<Sts>", "<RvslInd>true</RvslInd><Sts>")
    gone = one("D1").replace("<CdtDbtInd>CRDT", "<CdtDbtInd>DBIT")

    (answer,) = await answers(desk, day(1, 10, gone, back, closing=10))

    assert answer["accepted"] == 2
