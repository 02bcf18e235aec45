"""Settlement's edge on a real database: bank files in, payment files out, the books asked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from defusedxml.ElementTree import fromstring
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from services.settlement.api import router
from shared import names
from shared.http import Refusal, holder
from shared.messages import Message
from shared.messages.settlement import InstructRemittance, OpenBank, RecordDebit, RecordReceipt
from shared.regions import Regions, load
from shared.sealing import Keyring, seal, unseal
from shared.settings import Holder, Secrets, Settings

SECRETS = Secrets(
    person_key_secret="11" * 32,
    blind_key_secret="22" * 32,
    master_key="33" * 32,
    content_key="44" * 32,
)
INCOME, EXPENSE, FISCAL = (f"45010101040000451{n:02d}" for n in (1, 2, 3))
ZHENGZHOU_EXPENSE = "4101010104000041102"
HEADER = (
    "account,entry_ref,booked_at,direction,amount,currency,end_to_end_id,payer_name,"
    "payer_account,payee_name,remark,return_of"
)
ON = date(2026, 3, 31)
PAIN = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@dataclass
class Desk:
    """What the chassis gives to the service; `sent` is what was committed to the outbox."""

    pool: asyncpg.Pool
    owner: asyncpg.Connection
    settings: Settings
    name: str = "settlement"
    keyring: Keyring = field(default_factory=lambda: Keyring(SECRETS))
    regions: Regions = field(default_factory=lambda: load(Settings().regions))
    sent: list[tuple[UUID, Message]] = field(default_factory=list)
    may: frozenset[str] = frozenset({"*"})

    async def now(self, db: asyncpg.Connection) -> datetime:
        at: datetime = await db.fetchval("SELECT cell.business_now()")
        return at

    async def send(self, db: asyncpg.Connection, messages: Sequence[tuple[UUID, Message]]) -> None:
        assert db.is_in_transaction()
        self.sent += messages

    @property
    def messages(self) -> list[Message]:
        return [message for _, message in self.sent]

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401
        app = FastAPI()
        app.include_router(router(self))
        app.dependency_overrides[holder] = lambda: Holder(holder="t", regions=self.may)

        @app.exception_handler(Refusal)
        async def refused(_: object, why: Refusal) -> JSONResponse:
            return JSONResponse({"code": why.code}, why.status)

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            return await client.request(method, path, **request)

    async def post(self, text: str | bytes) -> httpx.Response:
        return await self.ask("POST", "/v1/statements", content=text)

    async def release(self, person: str, transfer: UUID, amount_fen: int, on: date = ON) -> None:
        await self.owner.execute(
            "INSERT INTO settlement.releases (person, transfer, region, destination, opened_at,"
            " version, principal_fen, released_fen, payable_fen, released_on)"
            " VALUES ($1, $2, '410100', '450100', now(), 1, $3, $3, $3, $4)",
            *(person, transfer, amount_fen, on),
        )

    async def hold(self, person: str, name: str) -> None:
        keys = await self.keyring.create_person_keys(self.owner, [person])
        await self.owner.execute(
            "INSERT INTO settlement.holders (person, region, account, sealed)"
            " VALUES ($1, '410100', true, $2)",
            person,
            seal(keys[person], {"name": name}),
        )

    async def obey(self, message: Message) -> None:
        """What the books do with an instruction."""
        assert isinstance(message, InstructRemittance)
        await self.owner.execute(
            "UPDATE settlement.releases SET payable_fen = payable_fen - $3,"
            " remitting_fen = remitting_fen + $3 WHERE person = $1 AND transfer = $2",
            *(message.person, message.transfer, message.amount_fen),
        )
        await self.owner.execute(
            "INSERT INTO settlement.instructions VALUES ($1, $2, $3, $4)",
            *(message.person, message.transfer, message.run, message.amount_fen),
        )


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    owner = await asyncpg.connect(database)
    own = {"role": "jiexu_settlement", "search_path": "settlement"}
    async with asyncpg.create_pool(database, min_size=1, max_size=4, server_settings=own) as pool:
        yield Desk(pool, owner, Settings(home=tmp_path))
    await owner.close()


def row(ref: str, amount: str, *, account: str = INCOME, **changed: str) -> str:
    fields = dict.fromkeys(HEADER.split(","), "") | {
        "account": account,
        "entry_ref": ref,
        "booked_at": "2026-03-20",
        "direction": "credit",
        "amount": amount,
        "currency": "CNY",
        "payer_account": ZHENGZHOU_EXPENSE,
    }
    return ",".join((fields | changed).values())


def csv(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


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
    return (
        f"<Ntry><Amt Ccy='CNY'>{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>2026-03-20</Dt></BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef><NtryDtls><TxDtls>"
        f"<RmtInf><Ustrd>{remark}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


async def test_a_statement_becomes_commands_in_its_order(desk: Desk) -> None:
    transfer = uuid4()
    text = camt(entry("B1", "4084.12", f"{transfer.hex} 张伟"), closing="5084.12")

    answer = await desk.post(text)

    opened, receipt = desk.messages
    assert answer.status_code == 202
    assert answer.json() | {"statements": []} == {
        "statement": "S1",
        "account": "450100:income",
        "entries": 1,
        "accepted": 1,
        "duplicate": 0,
        "ignored": 0,
        "gap": None,
        "codes": [],
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
    await desk.owner.execute(
        "UPDATE settlement.releases SET debited_fen = 100, remitting_fen = 0,"
        " returned_fen = 100, payable_fen = 100"
    )

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


async def test_the_empty_books_balance_and_repeat_byte_for_byte(desk: Desk) -> None:
    one, other = [await desk.ask("GET", "/v1/trial-balance") for _ in range(2)]

    assert one.json()["balanced"] is True
    assert one.content == other.content


BOOKED: Sequence[str] = (
    "INSERT INTO balances VALUES ('410100', 'opening', 100, 0),"
    " ('410100', 'payable:450100', 0, 100), ('450100', 'advance:410100', 100, 0)",
    "INSERT INTO holders (person, region, account, personal_debit_fen, personal_credit_fen)"
    " VALUES ('p', '410100', true, 100, 100), ('p', '450100', true, 0, 100)",
    "INSERT INTO entries SELECT 'p', i, r, k, 's', 1, t, '2026-03-02', i, NULL FROM (VALUES"
    " ('00000000-0000-0000-0000-000000000001'::uuid, '410100', 'open', NULL::uuid),"
    " ('00000000-0000-0000-0000-000000000002', '410100', 'release',"
    " '00000000-0000-0000-0000-0000000000ff'),"
    " ('00000000-0000-0000-0000-000000000003', '450100', 'advance',"
    " '00000000-0000-0000-0000-0000000000ff')) v (i, r, k, t)",
    "INSERT INTO postings SELECT 'p', i, 0, r, d, c, 100 FROM (VALUES"
    " ('00000000-0000-0000-0000-000000000001'::uuid, '410100', 'opening', 'personal'),"
    " ('00000000-0000-0000-0000-000000000002', '410100', 'personal', 'payable:450100'),"
    " ('00000000-0000-0000-0000-000000000003', '450100', 'advance:410100', 'personal'))"
    " v (i, r, d, c)",
    "INSERT INTO releases (person, transfer, region, destination, opened_at, version,"
    " principal_fen, released_fen, payable_fen, released_on) VALUES ('p',"
    " '00000000-0000-0000-0000-0000000000ff', '410100', '450100', now(), 1, 100, 100, 100,"
    " '2026-03-02')",
    "INSERT INTO claims (person, transfer, region, origin, opened_at, announced_on, released_on,"
    " versions, announced_fen, credited_fen, open_fen, advance) VALUES ('p',"
    " '00000000-0000-0000-0000-0000000000ff', '450100', '410100', now(), '2026-03-02',"
    " '2026-03-02', '{1}', 100, 100, 100, true)",
    "INSERT INTO corridors (origin, destination, open_fen, claims)"
    " VALUES ('410100', '450100', 100, 1)",
)


async def book(desk: Desk, *statements: str) -> None:
    await desk.owner.execute("SET search_path = settlement")
    for statement in (*BOOKED, *statements):
        await desk.owner.execute(statement)


async def failed(desk: Desk) -> set[str]:
    answer = (await desk.ask("GET", "/v1/trial-balance")).json()
    assert answer["balanced"] is all(answer["invariants"].values())
    return {name for name, holds in answer["invariants"].items() if not holds}


async def test_sound_books_balance_in_every_invariant(desk: Desk) -> None:
    await book(desk)

    answer = (await desk.ask("GET", "/v1/trial-balance")).json()

    assert await failed(desk) == set()
    assert answer["mirror"] == [
        {
            "corridor": "410100>450100",
            "origin_owes": "1.00",
            "destination_claims": "1.00",
            "explained": {},
            "unexplained": "0.00",
        }
    ]
    assert answer["regions"]["450100"] == [
        {"account": "advance:410100", "debit": "1.00", "credit": "0.00", "balance": "1.00"},
        {"account": "personal", "debit": "0.00", "credit": "1.00", "balance": "1.00"},
    ]


async def test_a_release_that_is_still_in_a_message_fails_nothing(desk: Desk) -> None:
    await book(
        desk,
        "DELETE FROM claims",
        "DELETE FROM postings WHERE region = '450100'",
        "DELETE FROM entries WHERE region = '450100'",
        "DELETE FROM holders WHERE region = '450100'",
        "DELETE FROM balances WHERE region = '450100'",
        "DELETE FROM corridors",
    )

    answer = (await desk.ask("GET", "/v1/trial-balance")).json()

    assert await failed(desk) == set()
    assert answer["mirror"][0]["explained"] == {"not_heard": "1.00"}


@pytest.mark.parametrize(
    ("damage", "invariants"),
    [
        (
            "UPDATE balances SET debit_fen = 101 WHERE account = 'opening'",
            {"entries_balance", "balances_reproducible"},
        ),
        (
            "UPDATE holders SET personal_credit_fen = 101 WHERE region = '450100'",
            {"entries_balance", "balances_reproducible"},
        ),
        (
            "UPDATE claims SET announced_fen = 101, credited_fen = 101, matched_fen = 1",
            {"entitlement", "funding"},
        ),
        ("DELETE FROM releases", {"entitlement"}),
        ("UPDATE corridors SET open_fen = 99", {"advances_equal_receivables"}),
        (
            "INSERT INTO receipt_parts (receipt, part, region, amount_fen, suspended_fen, verdict,"
            " rule, evidence) VALUES (gen_random_uuid(), 0, '450100', 5, 5, 'unknown', 'none',"
            " '{}')",
            {"suspense_equals_unmatched"},
        ),
        (
            "DELETE FROM postings WHERE credit = 'payable:450100'",
            {"balances_reproducible", "entitlement"},
        ),
    ],
)
async def test_damage_is_found(desk: Desk, damage: str, invariants: set[str]) -> None:
    await book(desk, damage)

    assert await failed(desk) == invariants


async def test_the_books_answer_what_the_command_line_asks(desk: Desk) -> None:
    await book(
        desk,
        "INSERT INTO receipts VALUES ('00000000-0000-0000-0000-0000000000aa', '450100:income',"
        " '450100', 'income', 'credit', 500, '2026-03-20', NULL, false, 'suspense', NULL, now())",
        "INSERT INTO receipt_parts (receipt, part, region, amount_fen, suspended_fen, verdict,"
        " rule, evidence) VALUES ('00000000-0000-0000-0000-0000000000aa', 0, '450100', 500, 500,"
        " 'unknown', 'none', '{\"candidates\": []}')",
        "INSERT INTO waiting VALUES ('000000000000000000000000000000ff',"
        " '00000000-0000-0000-0000-0000000000aa', 0)",
    )
    transfer = "00000000-0000-0000-0000-0000000000ff"

    accounts = await desk.ask("POST", "/v1/accounts", json={"person_key": "p"})
    exposure = await desk.ask("GET", "/v1/exposure", params={"region": "450100"})
    unmatched = await desk.ask("GET", "/v1/receipts", params={"state": "unmatched"})
    matched = await desk.ask("GET", "/v1/receipts", params={"state": "matched"})
    explained = await desk.ask("POST", "/v1/explain", json={"transfer": transfer})

    assert accounts.json() == [
        {"region": "410100", "balance": "0.00", "unfunded": "0.00", "recoverable": "0.00"},
        {"region": "450100", "balance": "1.00", "unfunded": "1.00", "recoverable": "0.00"},
    ]
    corridor = next(c for c in exposure.json() if c["corridor"] == "410100>450100")
    assert (corridor["open"], corridor["count"]) == ("1.00", 1)
    assert sum(float(fen) for fen in corridor["ages"].values()) == 1.0
    assert [(r["amount"], r["state"], r["evidence"]) for r in unmatched.json()] == [
        ("5.00", "unmatched", {"candidates": []})
    ]
    assert matched.json() == []
    assert [e["kind"] for e in explained.json()["entries"]] == ["release", "advance"]
    assert [r["verdict"] for r in explained.json()["receipts"]] == ["unknown"]
    assert {s["side"] for s in explained.json()["sides"]} == {"origin", "destination"}
    assert '"person"' not in explained.text


async def test_a_holder_sees_only_their_regions(desk: Desk) -> None:
    await book(desk)
    desk.may = frozenset({"130100"})

    answers = [
        await desk.ask("POST", "/v1/accounts", json={"person_key": "p"}),
        await desk.ask("GET", "/v1/receipts", params={"region": "450100"}),
        await desk.ask("POST", "/v1/explain", json={"transfer": str(UUID(int=0xFF))}),
        await desk.ask("GET", "/v1/remittances", params={"region": "410100"}),
        await desk.ask("GET", "/v1/trial-balance"),
    ]

    assert [answer.status_code for answer in answers] == [200, 403, 404, 403, 200]
    assert answers[0].json() == []
    assert answers[4].json()["regions"] == {}


async def test_the_clock_of_a_run_is_the_business_clock(desk: Desk) -> None:
    await desk.owner.execute("UPDATE cell.clock SET offset_us = -86400000000")
    await desk.release("p1", uuid4(), 100)

    answer = await remit(desk)

    written = fromstring(answer.content).findtext(".//p:CreDtTm", namespaces=PAIN)
    assert written is not None
    assert datetime.fromisoformat(written) < datetime.now(UTC)
