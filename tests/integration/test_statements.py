"""Bank files in, on a real database: each entry counts once, or the file leaves no trace."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from shared import names
from shared.messages.settlement import OpenBank, RecordDebit, RecordReceipt
from shared.sealing import unseal
from tests.integration.desk import (
    FISCAL,
    HEADER,
    INCOME,
    Desk,
    csv,
    desk_at,
    row,
)


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(database, tmp_path) as one:
        yield one


def camt(
    *entries: str,
    kind: str = "053",
    id_: str = "S1",
    opening: str = "1000.00",
    closing: str = "1000.00",
    on: str = "2026-03-20",
) -> str:
    document, body = {
        "053": ("BkToCstmrStmt", "Stmt"),
        "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    }[kind]
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='CNY'>{amount}</Amt>"
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>"
        for code, amount in (("OPBD", opening), ("CLBD", closing))
        if kind == "053"
    )
    return (
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.08'><{document}><{body}>"
        f"<Id>{id_}</Id><Acct><Id><Othr><Id>{INCOME}</Id></Othr></Id></Acct>{balances}"
        f"{''.join(entries)}</{body}></{document}></Document>"
    )


def entry(ref: str, amount: str, remark: str = "") -> str:
    """An entry; some banks give none of their own references."""
    own = f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else ""
    return (
        f"<Ntry><Amt Ccy='CNY'>{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>2026-03-20</Dt></BookgDt>{own}<NtryDtls><TxDtls>"
        f"<RmtInf><Ustrd>{remark}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


async def test_a_statement_becomes_commands_in_its_order(desk: Desk) -> None:
    transfer = uuid4()
    text = camt(entry("B1", "4084.12", f"{transfer.hex} 张伟"), closing="5084.12")

    answer = await desk.post(text)

    opened, receipt = desk.messages
    assert answer.status_code == 202
    assert answer.json() | {"statements": []} == {
        "hash": hashlib.sha256(text.encode()).hexdigest(),
        "outcome": "taken",
        "again": False,
        "missing": None,
        "statement": "S1",
        "account": "450100:income",
        "entries": 1,
        "accepted": 1,
        "duplicate": 0,
        "ignored": 0,
        "gap": None,
        "codes": [],
        "messages": 2,
        "message_ids": [str(id_) for id_, _ in desk.sent],
        "statements": [],
    }
    assert isinstance(opened, OpenBank)
    assert (opened.account, opened.balance_fen) == ("450100:income", 100000)
    assert isinstance(receipt, RecordReceipt)
    assert (receipt.amount_fen, receipt.details[0].references) == (408412, (transfer,))


async def test_a_file_read_twice_counts_once(desk: Desk) -> None:
    text = camt(entry("B1", "4084.12"), closing="5084.12")
    await desk.post(text)

    again = await desk.post(text)

    assert (again.json()["accepted"], again.json()["duplicate"]) == (0, 1)
    assert len(desk.sent) == 2


async def test_the_same_file_sent_twice_at_once_counts_once(desk: Desk) -> None:
    text = csv(*(row(f"B{n}", "10.00") for n in range(50)))

    answers = await asyncio.gather(*(desk.post(text) for _ in range(4)))

    assert [answer.status_code for answer in answers] == [202] * 4
    assert sorted(answer.json()["accepted"] for answer in answers) == [0, 0, 0, 50]
    assert len({id_ for id_, _ in desk.sent}) == len(desk.sent) == 50


async def test_the_same_reference_with_other_content_books_nothing(desk: Desk) -> None:
    await desk.post(csv(row("B1", "10.00")))

    answer = await desk.post(csv(row("B0", "5.00"), row("B1", "11.00")))

    assert (answer.status_code, answer.json()["code"]) == (422, "conflict")
    assert "/" in answer.json()["message"]
    assert len(desk.sent) == 1
    assert await desk.owner.fetchval("SELECT count(*) FROM settlement.bank_lines") == 1


async def test_a_statement_that_does_not_add_up_leaves_no_trace(desk: Desk) -> None:
    answer = await desk.post(camt(entry("B1", "4084.12"), closing="5084.13"))

    assert (answer.status_code, answer.json()["code"]) == (422, "balance_mismatch")
    assert desk.sent == []
    assert await desk.owner.fetchval("SELECT count(*) FROM settlement.statements") == 0


async def test_a_statement_without_balances_is_taken_and_said(desk: Desk) -> None:
    text = re.sub("<Bal>.*</Bal>", "", camt(entry("B1", "4084.12")))

    first, again = [(await desk.post(text)) for _ in range(2)]

    assert (first.status_code, first.json()["codes"]) == (202, ["balance_missing"])
    assert (first.json()["accepted"], again.json()["duplicate"]) == (1, 1)
    assert [type(message) for message in desk.messages] == [RecordReceipt]


async def test_a_time_beyond_the_calendar_refuses_the_file(desk: Desk) -> None:
    text = camt(entry("B1", "4084.12")).replace(
        "<BookgDt><Dt>2026-03-20</Dt>", "<BookgDt><DtTm>9999-12-31T23:59:59-12:00</DtTm>"
    )

    answer = await desk.post(text)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_date")
    assert desk.sent == []


async def test_a_gap_between_statements_is_taken_and_said(desk: Desk) -> None:
    await desk.post(camt())
    following = camt(id_="S2", on="2026-03-21", opening="1000.00", closing="1000.00")
    gap = camt(id_="S3", on="2026-03-22", opening="900.00", closing="900.00")

    answers = [(await desk.post(text)).json() for text in (following, gap, gap)]

    assert [answer["gap"] for answer in answers] == [
        None,
        {"closed": "1000.00", "opened": "900.00"},
        None,
    ]
    assert answers[1]["codes"] == ["gap"]
    assert [type(message) for message in desk.messages] == [OpenBank]


async def test_a_statement_with_other_balances_under_the_same_id_is_refused(desk: Desk) -> None:
    await desk.post(camt())

    answer = await desk.post(camt(opening="1.00", closing="1.00"))

    assert (answer.status_code, answer.json()["code"]) == (422, "statement_conflict")


async def test_a_notice_and_a_statement_of_the_same_entry_count_once(desk: Desk) -> None:
    await desk.post(camt(entry("B1", "84.12", "张伟"), kind="054", id_="N1"))

    answer = await desk.post(camt(entry("B1", "84.12"), closing="1084.12"))

    assert answer.json()["duplicate"] == 1
    assert [type(message) for message in desk.messages] == [RecordReceipt, OpenBank]


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        (csv(row("B1", "10.00", account="999")), 422, "unknown_account"),
        (csv(row("B1", "10.00", currency="USD")), 422, "currency"),
        ("", 422, "unsupported_format"),
        (HEADER, 422, "empty"),
        (b"\xff\xff\xff", 422, "unreadable"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", 422, "forbidden_xml"),
    ],
)
async def test_a_file_is_refused_with_a_code(
    desk: Desk, text: str | bytes, status: int, code: str
) -> None:
    answer = await desk.post(text)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_statements_of_other_regions_are_not_taken(desk: Desk) -> None:
    desk.may = frozenset({"410100"})

    answer = await desk.post(csv(row("B1", "10.00")))

    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_region")
    assert desk.sent == []


async def test_people_are_found_by_blind_keys_and_named_nowhere(desk: Desk) -> None:
    await desk.post(
        csv(row("B1", "10.00", payer_name="郑州市医疗保障中心", remark="退役医保 欧阳娜娜 转移"))
    )

    (receipt,) = desk.messages
    assert isinstance(receipt, RecordReceipt)
    (detail,) = receipt.details
    assert detail.payer_region == "410100"
    assert set(detail.name_keys) & set(desk.keyring.blind(names.forms("欧阳娜娜")))
    assert "欧阳" not in receipt.model_dump_json()
    key = await desk.keyring.statement_key(desk.owner, "2026-03")
    assert receipt.sealed is not None
    assert "欧阳娜娜" in str(unseal(key, receipt.sealed))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_sweep_is_booked_once_whichever_statement_comes_first(
    desk: Desk, order: tuple[int, int]
) -> None:
    legs = [
        csv(row("D1", "500.00", direction="debit", payer_account=FISCAL)),
        csv(row("C1", "500.00", account=FISCAL, payer_account=INCOME)),
    ]

    for leg in order:
        await desk.post(legs[leg])

    (sweep,) = desk.messages
    assert isinstance(sweep, RecordDebit)
    assert (sweep.account, sweep.counter, sweep.amount_fen) == ("450100:income", "fiscal", 50000)


async def test_two_equal_sweeps_are_two(desk: Desk) -> None:
    for n in (1, 2):
        await desk.post(csv(row(f"D{n}", "5.00", direction="debit", payer_account=FISCAL)))
        await desk.post(csv(row(f"C{n}", "5.00", account=FISCAL, payer_account=INCOME)))

    assert len(desk.sent) == 2


async def test_a_lump_of_many_payments_keeps_each_and_fits_a_message(desk: Desk) -> None:
    details = "".join(
        f"<TxDtls><Refs><EndToEndId>{uuid4().hex}</EndToEndId></Refs><Amt Ccy='CNY'>1.00</Amt>"
        f"<RmtInf><Ustrd>医保个人账户转移 欧阳娜娜 {n}</Ustrd></RmtInf></TxDtls>"
        for n in range(2500)
    )
    lump = entry("B1", "2500.00").replace("<TxDtls>", f"{details}<TxDtls>", 1)
    lump = lump.replace("<TxDtls><RmtInf><Ustrd></Ustrd></RmtInf></TxDtls>", "")

    await desk.post(camt(lump, closing="3500.00"))

    receipt = desk.messages[1]
    assert isinstance(receipt, RecordReceipt)
    assert len(receipt.details) == 2500
    assert receipt.sealed is not None
    assert len(receipt.model_dump_json()) < 1_000_000


async def test_details_that_do_not_add_up_stay_together(desk: Desk) -> None:
    one, other = uuid4(), uuid4()
    details = "".join(
        f"<TxDtls><Refs><EndToEndId>{ref.hex}</EndToEndId></Refs><Amt Ccy='CNY'>1.00</Amt></TxDtls>"
        for ref in (one, other)
    )
    text = camt(entry("B1", "3.00").replace("<TxDtls>", f"{details}<TxDtls>"), closing="1003.00")

    answer = await desk.post(text)

    receipt = desk.messages[1]
    assert isinstance(receipt, RecordReceipt)
    assert [(d.amount_fen, d.references) for d in receipt.details] == [(300, (one, other))]
    assert answer.json()["codes"] == ["details_mismatch"]
