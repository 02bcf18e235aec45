"""An origin that answers by hand, on a real PostgreSQL: its clerk, and its own reminder."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from services.enrollment import app as enrollment
from services.enrollment import store
from shared import timers
from shared.messages import Message, transfer_uuid
from shared.messages import enrollment as e
from shared.messages.catalogue import read
from shared.service import App
from tests.integration.enrollment_desk import (
    HEAD,
    OPEN,
    PLACE,
    STOP,
    Desk,
    handle,
    http,
    open_desk,
    sent,
)

TRANSFER = transfer_uuid("gx-hrss", "7")
BAODING = "130600"
BEARER = {"authorization": "Bearer nanning"}


@pytest.fixture
async def desk(database: str, secrets: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(database, secrets, tmp_path) as opened:
        yield opened


async def asked(desk: Desk, built: App) -> str:
    """A stopped record of Baoding is asked for; gives the person."""
    feed = (HEAD + OPEN + STOP).replace("+08:00,410100", f"+08:00,{BAODING}")
    async with http(built) as client:
        await client.post("/v1/registrations/file", content=feed.encode())
    told = await sent(desk)
    await handle(desk, built, told)
    ask = e.ReleaseRecord(
        to=BAODING,
        person=told[0].key,
        transfer=TRANSFER,
        destination="450100",
        scheme="310",
        new_scheme="310",
        trigger="auto",
    )
    (accepted,) = await handle(desk, built, [ask])
    assert isinstance(accepted, e.ReleaseAccepted)
    return ask.person


async def reminders(desk: Desk) -> list[tuple[str, UUID]]:
    return [tuple(row) for row in await desk.pool.fetch("SELECT key, id FROM timers")]


async def completions(desk: Desk) -> list[Message]:
    return [m for m in await sent(desk) if isinstance(m, e.CompleteRelease)]


async def test_a_clerk_sees_what_is_open_and_completes_it(desk: Desk) -> None:
    built = enrollment.build(desk)
    person = await asked(desk, built)
    async with http(built) as client:
        waiting = (await client.get("/v1/releases", params={"region": BAODING})).json()
        taken = await client.post(f"/v1/releases/{TRANSFER}/complete")
        (released,) = await handle(desk, built, (await completions(desk))[:1])
        again = await client.post(f"/v1/releases/{TRANSFER}/complete")
        left = (await client.get("/v1/releases", params={"region": BAODING})).json()

    (row,) = waiting
    assert (row["transfer"], row["person"], row["destination"]) == (str(TRANSFER), person, "450100")
    assert row["due_at"].endswith("T00:00:00+08:00")
    assert taken.status_code == again.status_code == 202
    assert taken.json() == again.json()
    assert isinstance(released, e.RecordReleased)
    assert left == []
    assert await reminders(desk) == []


async def test_only_the_origin_sees_and_completes(desk: Desk) -> None:
    built = enrollment.build(desk)
    await asked(desk, built)
    async with http(built) as client:
        seen = await client.get("/v1/releases", params={"region": BAODING}, headers=BEARER)
        done = await client.post(f"/v1/releases/{TRANSFER}/complete", headers=BEARER)
        unknown = await client.post(f"/v1/releases/{UUID(int=1)}/complete")

    assert (seen.status_code, seen.json()["code"]) == (403, "not_your_region")
    assert (done.status_code, done.json()["code"]) == (404, "unknown_release")
    assert unknown.json() == done.json()
    assert await completions(desk) == []


async def test_the_reminder_completes_what_no_clerk_did(desk: Desk) -> None:
    built = enrollment.build(desk)
    person = await asked(desk, built)
    async with desk.pool.acquire() as db:
        kept = (await store.find(db, person)).releases[TRANSFER]
        due_at = await timers.next_due(db)
        assert due_at
        due = [row for n in range(PLACE.partitions) for row in await timers.due(db, n, due_at)]

    (released,) = await handle(desk, built, [read(kind, body) for _, _, kind, body in due])

    assert (kept.state, kept.due_at) == ("accepted", due_at)
    assert isinstance(released, e.RecordReleased)
    assert released.transfer == TRANSFER
    async with desk.pool.acquire() as db:
        after = (await store.find(db, person)).releases[TRANSFER]
        why = [reason.decision for reason in await store.explanations(db, TRANSFER)]
    assert (after.state, after.due_at, after.version) == ("released", None, 1)
    assert sorted(why) == ["complete", "release", "wait"]


async def test_a_request_taken_back_is_not_completed(desk: Desk) -> None:
    built = enrollment.build(desk)
    person = await asked(desk, built)
    cancel = e.CancelRelease(to=BAODING, person=person, transfer=TRANSFER)

    (cancelled,) = await handle(desk, built, [cancel])
    async with http(built) as client:
        refused = await client.post(f"/v1/releases/{TRANSFER}/complete")

    assert isinstance(cancelled, e.ReleaseCancelled)
    assert await reminders(desk) == []
    assert (refused.status_code, refused.json()["code"]) == (409, "release_not_open")
