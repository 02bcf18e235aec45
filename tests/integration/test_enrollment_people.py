"""What enrollment keeps of people in a real PostgreSQL, and what it tells of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from services.enrollment import app as enrollment
from services.enrollment import store
from shared.messages import enrollment as e
from shared.messages import record_uuid
from shared.sealing import unseal
from shared.service import App
from tests.integration.enrollment_desk import (
    ALL,
    HEAD,
    OPEN,
    STOP,
    Desk,
    handle,
    http,
    open_desk,
    sent,
)


@pytest.fixture
async def desk(database: str, secrets: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(database, secrets, tmp_path) as opened:
        yield opened


async def joined(desk: Desk, built: App, client: httpx.AsyncClient) -> e.JoinRecord:
    """The published example, told to the end of its record."""
    await client.post("/v1/registrations/file", content=ALL.encode())
    said = await handle(desk, built, await sent(desk))
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
    said = await handle(desk, built, [ask])
    released = next(m for m in said if isinstance(m, e.RecordReleased))
    join = e.JoinRecord(
        **{f: getattr(released, f) for f in ("person", "transfer", "origin", "version")},
        **{f: getattr(released, f) for f in ("scheme", "months", "digest")},
        to="450100",
        new_scheme="310",
    )
    end = e.TerminateRecord(to="410100", person=join.person, transfer=join.transfer)
    await handle(desk, built, [join, end])
    return join


async def test_a_person_is_shown_as_published_once_the_record_has_joined(desk: Desk) -> None:
    built = enrollment.build(desk)
    async with http(built) as client:
        join = await joined(desk, built, client)
        shown = (await client.post("/v1/persons", json={"id_no": "410102199003078512"})).json()

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
    }


async def test_decisions_can_be_asked_for_and_explained(desk: Desk) -> None:
    built = enrollment.build(desk)
    async with http(built) as client:
        join = await joined(desk, built, client)
        why = (await client.post("/v1/explain", json={"transfer": str(join.transfer)})).json()
        keys = [{"source": "gx-hrss", "record_id": n} for n in ("7", "8")]
        decided = (await client.post("/v1/records/decisions", json=keys)).json()

    assert {w["decision"] for w in why} == {"enroll", "start", "release", "join"}
    assert all(w["source"] for w in why)
    assert [(d["decision"], d["code"]) for d in decided] == [("accepted", None), (None, None)]


async def test_only_what_a_region_of_the_asker_decided_is_explained(desk: Desk) -> None:
    built = enrollment.build(desk)
    nanning = {"authorization": "Bearer nanning"}
    async with http(built) as client:
        join = await joined(desk, built, client)
        there = str(record_uuid("ha-hrss", "8"))
        refused = OPEN.replace("ha-hrss,1,", "ha-hrss,8,")
        await client.post("/v1/registrations/file", content=(HEAD + refused).encode())
        told = [m for m in await sent(desk) if isinstance(m, e.Register)]
        await handle(desk, built, [m for m in told if m.record_id == "8"])
        own = await client.post(
            "/v1/explain", json={"transfer": str(join.transfer)}, headers=nanning
        )
        hidden = await client.post("/v1/explain", json={"transfer": there}, headers=nanning)
        shown = await client.post("/v1/explain", json={"transfer": there})

    assert {w["decision"] for w in own.json()} == {"enroll", "start", "join"}
    assert (hidden.status_code, hidden.json()["code"]) == (404, "nothing_decided")
    assert [w["code"] for w in shown.json()] == ["already_enrolled"]


async def test_a_sender_hears_of_what_the_books_refused(desk: Desk) -> None:
    built = enrollment.build(desk)
    async with http(built) as client:
        await client.post("/v1/registrations/file", content=(HEAD + OPEN).encode())
        told = await sent(desk)
        await handle(desk, built, told)
        no = e.AnswerAnew(
            to="410100",
            person=told[0].key,
            record=record_uuid("ha-hrss", "1"),
            what="correct",
            code="insufficient_balance",
        )
        (answer,) = await handle(desk, built, [no])
        key = {"source": "ha-hrss", "record_id": "1"}
        (decided,) = (await client.post("/v1/records/decisions", json=[key])).json()

    assert isinstance(answer, e.Answered)
    assert (answer.source, answer.record_id) == ("ha-hrss", "1")
    assert (decided["decision"], decided["code"]) == ("refused", "insufficient_balance")


async def test_what_is_kept_comes_back_as_it_was(desk: Desk) -> None:
    built = enrollment.build(desk)
    async with http(built) as client:
        await client.post("/v1/registrations/file", content=ALL.encode())
    commands = await sent(desk)
    await handle(desk, built, commands)
    key = commands[0].key
    async with desk.pool.acquire() as db, db.transaction():
        kept = await store.find(db, key)
        await store.save(
            db,
            {
                ("life", key): kept,
                **{("relation", key, *r.key): r for r in kept.relations.values()},
            },
        )
        again = await store.find(db, key)

    assert kept.kept
    assert set(kept.relations) == {("410100", "310"), ("450100", "310")}
    assert again == kept


async def test_a_new_phone_does_not_cost_the_name(desk: Desk) -> None:
    built = enrollment.build(desk)
    stop = STOP.replace("8512,,,310", "8512,,13911112222,310")
    async with http(built) as client:
        await client.post("/v1/registrations/file", content=(HEAD + OPEN).encode())
        await handle(desk, built, await sent(desk))
        await client.post("/v1/registrations/file", content=(HEAD + stop).encode())

    last = [m for m in await sent(desk) if isinstance(m, e.Register)][-1]
    async with desk.pool.acquire() as db:
        keys = await desk.keyring.person_keys(db, [last.person])
    opened = unseal(keys[last.person], last.sealed or "")
    assert (opened["name"], opened["phone"]) == ("张伟", "13911112222")


async def test_what_asks_for_no_records_is_refused_for_the_first_of_them(desk: Desk) -> None:
    async with http(enrollment.build(desk)) as client:
        refused = await client.post("/v1/records/decisions", json=[1] * 1000)

    assert refused.status_code == 422
    assert len(refused.json()["detail"]) == 1
