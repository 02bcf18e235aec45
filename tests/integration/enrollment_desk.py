"""Enrollment over a real PostgreSQL, without its readers, for the tests of its edge and store."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.enrollment import app as enrollment
from shared import db as connections
from shared import regions, timers, upkeep
from shared.asking import Refusal
from shared.calendar import SHANGHAI
from shared.decision import Delivery
from shared.deliver import Place
from shared.messages import Message
from shared.messages.catalogue import read
from shared.overload import admitted
from shared.sealing import Keyring
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

    def holding(self, _: float) -> AbstractContextManager[None]:
        return nullcontext()


@asynccontextmanager
async def open_desk(database: str, secrets: Path, home: Path) -> AsyncIterator[Desk]:
    settings = Settings(home=home, database=database, secrets=secrets)
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
    api.dependency_overrides[admitted] = lambda: None
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


async def handle(desk: Desk, built: App, messages: Sequence[Message]) -> list[Message]:
    """One batch, one transaction, as the chassis does it."""
    out: list[Message] = []
    service = built.service
    assert isinstance(service, enrollment.EnrollmentService)
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
            await timers.keep(db, decision.timers, PLACE.partitions)
        await service.save(db, changes)
    return out


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))
