"""The books asked, on a real database: sound ones balance, and damage is found."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from tests.integration.desk import (
    Desk,
    desk_at,
)


@pytest.fixture
async def desk(database: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(database, tmp_path) as one:
        yield one


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
    "INSERT INTO postings SELECT 'p', i, 0, r, d, c, 100, '2026-03-02' FROM (VALUES"
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
    "INSERT INTO ages VALUES ('410100', '450100', '2026-03-02', 100, 1)",
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
        "DELETE FROM ages",
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
        ("UPDATE ages SET open_fen = 99", {"advances_equal_receivables"}),
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


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/receipts", {"limit": "0"}),
        ("/v1/receipts", {"limit": "10001"}),
        ("/v1/receipts", {"limit": "99999999999999999999"}),
        ("/v1/receipts", {"state": "a\x00"}),
        ("/v1/receipts", {"region": "\x00"}),
        ("/v1/exposure", {"region": "\x00"}),
        ("/v1/remittances", {"region": "\x00"}),
        ("/v1/remittances/a%00", {}),
    ],
)
async def test_a_question_out_of_bounds_is_refused(
    desk: Desk, path: str, params: dict[str, str]
) -> None:
    answer = await desk.ask("GET", path, params=params)

    assert answer.status_code == 422


async def test_a_person_key_with_a_nul_is_refused(desk: Desk) -> None:
    answer = await desk.ask("POST", "/v1/accounts", json={"person_key": "p\x00"})

    assert answer.status_code == 422
