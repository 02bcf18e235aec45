"""What the tests of the monitor share: a stand-in for its chassis, and records to copy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.monitor import store
from services.monitor.app import build
from services.monitor.store import Monitor
from shared.asking import Refusal, holder
from shared.dead_letters import Record
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.regions import Regions, load
from shared.sealing import Keyring
from shared.settings import Holder, Secrets, Settings

NOW = datetime.now(UTC)
PERSON = "ab" * 16
OPERATOR = Holder(holder="operator", regions=frozenset({"*"}))
SECOND = timedelta(seconds=1)
SECRETS = Secrets(person_key_secret="", blind_key_secret="22" * 32, master_key="33" * 32)


@dataclass
class Watch:
    """What the chassis gives to the monitor."""

    pool: asyncpg.Pool
    settings: Settings
    name: str = "monitor"
    keyring: Keyring = field(default_factory=lambda: Keyring(SECRETS))
    regions: Regions = field(default_factory=lambda: load(Settings().regions))

    async def now(self, db: asyncpg.Connection) -> datetime:
        at: datetime = await db.fetchval("SELECT cell.business_now()")
        return at

    async def send(self, db: asyncpg.Connection, messages: Sequence[tuple[UUID, Message]]) -> None:
        raise AssertionError(f"the monitor says nothing: {db} {messages}")

    def holding(self, _: float) -> AbstractContextManager[None]:
        return nullcontext()

    async def copy(self, *records: Record) -> None:
        async with self.pool.acquire() as db, db.transaction():
            await Monitor().copy(db, records)

    async def rows(self) -> list[asyncpg.Record]:
        found: list[asyncpg.Record] = await self.pool.fetch(
            'SELECT * FROM events ORDER BY topic, partition, "offset"'
        )
        return found


@pytest.fixture
async def watch(database: str, tmp_path: Path) -> AsyncIterator[Watch]:
    own = {"role": "jiexu_monitor", "search_path": "monitor"}
    async with asyncpg.create_pool(database, min_size=1, max_size=4, server_settings=own) as pool:
        async with pool.acquire() as db:
            await store.ensure_partitions(db, NOW.date())
        yield Watch(pool, Settings(home=tmp_path, sandbox=True))


def record(
    message: Message,
    offset: int,
    *,
    topic: str = "cn.enrollment.events",
    partition: int = 0,
    sent: datetime = NOW,
    id_: UUID | None = None,
) -> Record:
    headers = {
        "ce_id": str(id_ or uuid4()),
        "ce_type": message.type,
        "ce_time": "2026-03-02T09:30:00+08:00",
        "sentat": sent.isoformat(),
        "lane": f"{topic}/{partition}",
        "seq": str(offset),
        "correlationid": str(uuid4()),
        "causationid": str(uuid4()),
    }
    body = message.model_dump_json(exclude_defaults=True).encode()
    lines = {name: text.encode() for name, text in headers.items()}
    return Record(topic, partition, offset, 0, message.key, lines, body)


def accepted(transfer: UUID, person: str = PERSON, to: str = "450100") -> e.ReleaseAccepted:
    return e.ReleaseAccepted(to=to, person=person, transfer=transfer, origin="410100")


def advanced(transfer: UUID) -> s.AdvanceCredited:
    fen = dict.fromkeys(("amount_fen", "credited_fen", "open_fen"), 408412)
    fields = {"to": "450100", "person": PERSON, "transfer": transfer, "origin": "410100"}
    return s.AdvanceCredited.model_validate(fields | fen | {"version": 1})


def declined(transfer: UUID) -> s.AdvanceDeclined:
    fields = {"to": "450100", "person": PERSON, "transfer": transfer, "origin": "410100"}
    return s.AdvanceDeclined.model_validate(
        fields | {"version": 1, "code": "limit_reached", "awaiting_fen": 1}
    )


async def ask(
    watch: Watch, method: str, url: str, who: Holder = OPERATOR, json: object = None
) -> httpx.Response:
    api = FastAPI()

    @api.exception_handler(Refusal)
    async def refused(_: Request, why: Refusal) -> JSONResponse:
        return JSONResponse({"code": why.code, "message": why.message}, why.status)

    api.include_router(build(watch).router)
    api.dependency_overrides[holder] = lambda: who
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.request(method, url, json=json)


async def follow(
    watch: Watch, cursor: str | None, limit: int, who: Holder = OPERATOR, about: str = ""
) -> Any:  # noqa: ANN401 - JSON
    after = about + (f"&after={cursor}" if cursor else "")
    return (await ask(watch, "GET", f"/v1/events?limit={limit}{after}", who)).json()
