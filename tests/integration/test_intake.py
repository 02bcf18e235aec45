"""The edge over a real PostgreSQL: records in, answers out, decisions kept."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.enrollment import app as enrollment
from services.enrollment.intake import UpstreamEdge
from shared import db as connections
from shared import regions, upkeep
from shared.calendar import SHANGHAI
from shared.decision import Delivery
from shared.deliver import Place
from shared.http import Refusal
from shared.messages import Message, record_uuid, transfer_uuid
from shared.messages import enrollment as e
from shared.messages.catalogue import read
from shared.sealing import Keyring, unseal
from shared.service import App
from shared.settings import Holder, Settings, read_secrets

PLACE = Place(lambda _: "cn", 4, 14)
HEAD = (
    "source,record_id,action,occurred_at,region,id_type,id_no,name,phone,scheme,person_type,"
    "employer_id,residence_permit,month,months,base,amount,balance,previous_region,reason\n"
)
OPEN = (
    "ha-hrss,1,open,2026-02-20T09:00:00+08:00,410100,01,410102199003078512,张伟,,310,employee,"
    "91410100MA3X0QK72Y,,,2019-03..2026-02,,,4084.12,,\n"
)
STOP = (
    "ha-hrss,2,suspend,2026-02-27T17:00:00+08:00,410100,01,410102199003078512,,,310,,,,2026-02,"
    ",,,,,left employment\n"
)
ENROLL = (
    "gx-hrss,7,enroll,2026-03-02T09:30:00+08:00,450100,01,410102199003078512,张伟,13800000000,"
    "310,flexible,,yes,2026-03,,5500.00,,,410100,\n"
)
ALL = HEAD + OPEN + STOP + ENROLL
CLERK = {"authorization": "Bearer clerk"}


class Desk:
    """A process of enrollment without its readers: what is sent stays in the outbox."""

    name = "enrollment"

    def __init__(self, pool: asyncpg.Pool, settings: Settings, keyring: Keyring) -> None:
        self.pool = pool
        self.settings = settings
        self.keyring = keyring
        self.regions = regions.load(settings.regions)

    async def now(self, db: asyncpg.Connection) -> datetime:
        at: datetime = await db.fetchval("SELECT cell.business_now()")
        return at.astimezone(SHANGHAI)

    async def send(self, db: asyncpg.Connection, messages: Sequence[tuple[UUID, Message]]) -> None:
        await upkeep.send(db, messages, PLACE, await self.now(db), lambda _, __: None)


@pytest.fixture
async def desk(database: str, secrets: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    settings = Settings(home=tmp_path, database=database, secrets=secrets)
    pool = await connections.connect(settings, "enrollment")
    async with pool.acquire() as db:
        await upkeep.keep_partitions(db, 14, 14)
    yield Desk(pool, settings, Keyring(read_secrets(secrets)))
    await pool.close()


@asynccontextmanager
async def http(built: App) -> AsyncIterator[httpx.AsyncClient]:
    api = FastAPI()
    api.state.tokens = {
        "clerk": Holder(holder="clerk", sources=frozenset("*"), regions=frozenset("*")),
        "nanning": Holder(
            holder="nanning", sources=frozenset({"gx-hrss"}), regions=frozenset({"450100"})
        ),
    }
    api.include_router(built.router)

    @api.exception_handler(Refusal)
    async def refused(_: Request, why: Refusal) -> JSONResponse:
        return JSONResponse({"code": why.code, "message": why.message}, why.status)

    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://enrollment", headers=CLERK
    ) as client:
        yield client


async def sent(desk: Desk) -> list[Message]:
    rows = await desk.pool.fetch("SELECT type, body FROM outbox ORDER BY lane, seq")
    return [read(row["type"], row["body"]) for row in rows]


async def handle(desk: Desk, service: Any, messages: Sequence[Message]) -> list[Message]:
    """One batch, one transaction, as the chassis does it."""
    out: list[Message] = []
    async with desk.pool.acquire() as db, db.transaction():
        at = await desk.now(db)
        batch = [
            Delivery(UUID(int=n), m.key, m, at, at, UUID(int=n)) for n, m in enumerate(messages)
        ]
        states = await service.load(db, batch)
        changes: dict[Any, Any] = {}
        for delivery in batch:
            decision = service.decide(states, delivery)
            states.update(decision.changes)
            changes.update(decision.changes)
            out += decision.out
        await service.save(db, changes)
    return out


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


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
    assert many.json()["counts"] == {"duplicate": 1, "accepted": 2}
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


async def test_a_person_is_shown_as_published_once_the_record_has_joined(desk: Desk) -> None:
    built = enrollment.build(desk)
    async with http(built) as client:
        await client.post("/v1/registrations/file", content=ALL.encode())
        said = await handle(desk, built.service, await sent(desk))
        (started,) = [m for m in said if isinstance(m, e.Registered) and m.action == "enroll"]
        ask = e.ReleaseRecord(
            to="410100",
            person=started.person,
            transfer=started.transfer or UUID(int=0),
            destination="450100",
            scheme="310",
            new_scheme="310",
            trigger="auto",
        )
        said = await handle(desk, built.service, [ask])
        released = next(m for m in said if isinstance(m, e.RecordReleased))
        join = e.JoinRecord(
            **{f: getattr(released, f) for f in ("person", "transfer", "origin", "version")},
            **{f: getattr(released, f) for f in ("scheme", "months", "digest")},
            to="450100",
            new_scheme="310",
        )
        end = e.TerminateRecord(to="410100", person=join.person, transfer=join.transfer)
        await handle(desk, built.service, [join, end])
        shown = (await client.post("/v1/persons", json={"id_no": "410102199003078512"})).json()
        why = (await client.post("/v1/explain", json={"transfer": str(join.transfer)})).json()
        keys = [{"source": "gx-hrss", "record_id": n} for n in ("7", "8")]
        decided = (await client.post("/v1/records/decisions", json=keys)).json()

    assert shown["person"] == "4101**********8512"
    assert shown["person_key"] == join.person
    assert shown["covered_today"] is True
    there, here = shown["enrollments"]
    assert (there["region"], there["state"]) == ("410100", "terminated")
    assert here == {
        "region": "450100",
        "scheme": "310",
        "state": "normal",
        "months": ["2019-03..2026-03"],
        "months_total": 85,
        "entitled_from": "2026-03",
        "waiting_months": 0,
        "retroactive_from": None,
        "arrears": [],
    }
    assert {w["decision"] for w in why} == {"enroll", "start", "release", "join"}
    assert all(w["source"] for w in why)
    assert [(d["decision"], d["code"]) for d in decided] == [("accepted", None), (None, None)]


async def test_what_is_kept_comes_back_as_it_was(desk: Desk) -> None:
    built = enrollment.build(desk)
    async with http(built) as client:
        await client.post("/v1/registrations/file", content=ALL.encode())
    commands = await sent(desk)
    await handle(desk, built.service, commands)
    async with desk.pool.acquire() as db, db.transaction():
        at = await desk.now(db)
        delivery = Delivery(UUID(int=1), commands[0].key, commands[0], at, at, UUID(int=1))
        states = await built.service.load(db, [delivery])
        kept = states["person", commands[0].key]
        await built.service.save(
            db,
            {("relation", commands[0].key, *r.key): r for r in kept.relations.values()},  # type: ignore[attr-defined]
        )
        again = await built.service.load(db, [delivery])

    assert kept.kept  # type: ignore[attr-defined]
    assert set(kept.relations) == {("410100", "310"), ("450100", "310")}  # type: ignore[attr-defined]
    assert again == states


async def test_a_new_phone_does_not_cost_the_name(desk: Desk) -> None:
    built = enrollment.build(desk)
    stop = STOP.replace("8512,,,310", "8512,,13911112222,310")
    async with http(built) as client:
        await client.post("/v1/registrations/file", content=(HEAD + OPEN).encode())
        await handle(desk, built.service, await sent(desk))
        await client.post("/v1/registrations/file", content=(HEAD + stop).encode())

    last = [m for m in await sent(desk) if isinstance(m, e.Register)][-1]
    async with desk.pool.acquire() as db:
        keys = await desk.keyring.person_keys(db, [last.person])
    opened = unseal(keys[last.person], last.sealed or "")
    assert (opened["name"], opened["phone"]) == ("张伟", "13911112222")


async def test_the_service_may_not_rewrite_what_it_has_recorded(desk: Desk) -> None:
    async with desk.pool.acquire() as db:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute("DELETE FROM records")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute("UPDATE explanations SET rule = ''")
