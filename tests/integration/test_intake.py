"""The edge over a real PostgreSQL: records in, answers out, decisions kept."""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import asyncpg
import pytest

from services.enrollment import app as enrollment
from services.enrollment.intake import CHUNK, UpstreamEdge
from shared.messages import enrollment as e
from shared.messages import record_uuid, transfer_uuid
from shared.sealing import unseal
from tests.integration.enrollment_desk import (
    ALL,
    ENROLL,
    HEAD,
    OPEN,
    Desk,
    http,
    open_desk,
    rows_of,
    sent,
)


@pytest.fixture
async def desk(database: str, secrets: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(database, secrets, tmp_path) as opened:
        yield opened


async def test_a_file_is_answered_row_by_row_and_becomes_sealed_messages(desk: Desk) -> None:
    async with http(enrollment.build(desk)) as client:
        answer = await client.post("/v1/registrations/file", content=ALL.encode())

    rows = rows_of(answer.text)
    assert [row["outcome"] for row in rows] == ["accepted"] * 3
    assert rows[2]["transfer_id"] == str(transfer_uuid("gx-hrss", "7"))
    registers = [m for m in await sent(desk) if isinstance(m, e.Register)]
    assert [m.action for m in registers] == ["open", "suspend", "enroll"]
    assert len({m.person for m in registers}) == 1
    stored = await desk.pool.fetchval("SELECT string_agg(encode(body, 'escape'), '') FROM outbox")
    for clear in ("410102199003078512", "13800000000", "张伟"):
        assert clear not in stored
    async with desk.pool.acquire() as db:
        keys = await desk.keyring.person_keys(db, [registers[0].person])
    opened = unseal(keys[registers[2].person], registers[2].sealed or "")
    assert opened["name"] == "张伟"
    assert opened["phone"] == "13800000000"


async def test_sent_again_it_changes_nothing_and_otherwise_it_conflicts(desk: Desk) -> None:
    async with http(enrollment.build(desk)) as client:
        await client.post("/v1/registrations/file", content=ALL.encode())
        before = len(await sent(desk))
        again = await client.post("/v1/registrations/file", content=ALL.encode())
        other = await client.post(
            "/v1/registrations/file", content=(HEAD + OPEN.replace("4084.12", "1.00")).encode()
        )

    assert [row["outcome"] for row in rows_of(again.text)] == ["duplicate"] * 3
    assert rows_of(again.text)[2]["transfer_id"] == str(transfer_uuid("gx-hrss", "7"))
    assert [(r["outcome"], r["code"]) for r in rows_of(other.text)] == [("refused", "conflict")]
    assert len(await sent(desk)) == before


async def test_repetitions_inside_one_file_are_told_apart(desk: Desk) -> None:
    text = HEAD + OPEN + OPEN + OPEN.replace("4084.12", "1.00")

    async with http(enrollment.build(desk)) as client:
        answer = await client.post("/v1/registrations/file", content=text.encode())

    outcomes = [(r["outcome"], r["code"]) for r in rows_of(answer.text)]
    assert outcomes == [("accepted", ""), ("duplicate", ""), ("refused", "conflict")]


async def test_a_file_of_several_chunks_is_answered_in_its_order(desk: Desk) -> None:
    lines = [OPEN.replace(",1,open", f",{n},open") for n in range(CHUNK + 300)]
    text = HEAD + "".join(lines) + lines[0]

    async with http(enrollment.build(desk)) as client:
        answer = await client.post("/v1/registrations/file", content=text.encode())

    rows = rows_of(answer.text)
    assert [row["record_id"] for row in rows] == [*map(str, range(CHUNK + 300)), "0"]
    assert [row["outcome"] for row in rows] == ["accepted"] * (CHUNK + 300) + ["duplicate"]
    taken = [m.record_id for m in await sent(desk) if isinstance(m, e.Register)]
    assert taken == [row["record_id"] for row in rows[:-1]]


async def test_a_refused_row_may_be_sent_again_corrected(desk: Desk) -> None:
    async with http(enrollment.build(desk)) as client:
        wrong = HEAD + OPEN.replace("2019-03..2026-02", "2019-13")
        first = await client.post("/v1/registrations/file", content=wrong.encode())
        second = await client.post("/v1/registrations/file", content=(HEAD + OPEN).encode())

    assert [r["code"] for r in rows_of(first.text)] == ["bad_month"]
    assert [r["outcome"] for r in rows_of(second.text)] == ["accepted"]


async def test_checking_changes_nothing(desk: Desk) -> None:
    async with http(enrollment.build(desk)) as client:
        answer = await client.post("/v1/registrations/file?check=true", content=ALL.encode())

    assert [r["outcome"] for r in rows_of(answer.text)] == ["accepted"] * 3
    assert await sent(desk) == []
    assert await desk.pool.fetchval("SELECT count(*) FROM records") == 0
    assert await desk.pool.fetchval("SELECT count(*) FROM cell.person_keys") == 0


@pytest.mark.parametrize(("check", "held"), [("true", []), ("false", [300])])
async def test_what_is_checked_alone_keeps_nobody_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, check: str, held: list[float]
) -> None:
    holding: list[float] = []

    def hold(seconds: float) -> AbstractContextManager[None]:
        holding.append(seconds)
        return nullcontext()

    monkeypatch.setattr(desk, "holding", hold)

    async with http(enrollment.build(desk)) as client:
        await client.post(f"/v1/registrations/file?check={check}", content=ALL.encode())

    assert holding == held


async def test_a_file_that_cannot_be_told_apart_is_refused_once(desk: Desk) -> None:
    async with http(enrollment.build(desk)) as client:
        binary = await client.post("/v1/registrations/file", content=bytes(range(256)))
        empty = await client.post("/v1/registrations/file", content=b"")
        blank = await client.post("/v1/registrations/file", content=b"\xef\xbb\xbf\r\n\r\n")

    assert [a.status_code for a in (binary, empty, blank)] == [422] * 3
    codes = [a.json()["code"] for a in (binary, empty, blank)]
    assert codes == ["binary_file", "empty_file", "empty_file"]


async def test_a_missing_column_is_said_once_and_to_every_row(desk: Desk) -> None:
    text = ALL.replace(",id_no,", ",number,")

    async with http(enrollment.build(desk)) as client:
        answer = await client.post("/v1/registrations/file", content=text.encode())

    notes = json.loads(answer.headers["jiexu-notes"])
    assert notes["code"] == "missing_column"
    assert notes["unknown_columns"] == ["number"]
    assert [r["code"] for r in rows_of(answer.text)] == ["missing_column"] * 3


async def test_a_token_sends_for_its_own_source_and_region_only(desk: Desk) -> None:
    text = HEAD + OPEN + ENROLL + ENROLL.replace(",450100,", ",450300,").replace(",7,", ",8,")
    token = {"authorization": "Bearer nanning"}

    async with http(enrollment.build(desk)) as client:
        answer = await client.post("/v1/registrations/file", content=text.encode(), headers=token)
        none = await client.post(
            "/v1/registrations/file", content=b"x", headers={"authorization": "Bearer nobody"}
        )

    codes = [(r["outcome"], r["code"]) for r in rows_of(answer.text)]
    assert codes == [
        ("refused", "not_your_source"),
        ("accepted", ""),
        ("refused", "not_your_region"),
    ]
    assert none.status_code == 401


async def test_json_takes_one_record_or_many(desk: Desk) -> None:
    one, *others = rows_of(ALL)

    async with http(enrollment.build(desk)) as client:
        single = await client.post("/v1/registrations", json=one)
        many = await client.post("/v1/registrations", json=[one, *others])
        wrong = await client.post("/v1/registrations", content=b"{")
        much = await client.post("/v1/registrations", json=[{}] * 10_001)

    assert single.status_code == 202
    assert many.json()["outcomes"] == {
        "accepted": 2,
        "duplicate": 1,
        "refused": 0,
        "unreadable": 0,
    }
    sent = [bool(answer["message_id"]) for answer in many.json()["answers"]]
    assert sum(sent) == 2
    assert (wrong.status_code, much.status_code) == (400, 413)


async def test_the_upstream_topic_takes_the_same_and_answers_what_it_refuses(desk: Desk) -> None:
    edge = enrollment.build(desk).edge
    assert isinstance(edge, UpstreamEdge)
    rows = rows_of(ALL)
    bodies = [
        json.dumps({"specversion": "1.0", "type": "registration", "data": rows[:2]}).encode(),
        json.dumps(rows[2]).encode(),
        json.dumps(rows[2]).encode(),
        json.dumps({**rows[2], "record_id": "8", "month": "2026-13"}).encode(),
        b"noise\x00",
    ]

    async with desk.pool.acquire() as db, db.transaction():
        taken = await edge.take(db, bodies, await desk.now(db))

    messages = [message for _, message in taken]
    registers = [(id_, m.action) for id_, m in taken if isinstance(m, e.Register)]
    answers = [(m.decision, m.code) for m in messages if isinstance(m, e.Answered)]
    assert [action for _, action in registers] == ["open", "suspend", "enroll"]
    assert registers[2][0] == record_uuid("gx-hrss", "7")
    assert answers == [("duplicate", None), ("refused", "bad_month"), ("unreadable", "not_json")]
    assert all(m.model_dump_json() for m in messages)


async def test_the_service_may_not_rewrite_what_it_has_recorded(desk: Desk) -> None:
    async with desk.pool.acquire() as db:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute("DELETE FROM records")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute("UPDATE explanations SET rule = ''")
