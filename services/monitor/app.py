"""The monitor: the event log and the timelines over HTTP, and the sandbox's business clock."""

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import structlog
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, StringConstraints

from services.monitor import queries, store
from services.monitor.codes import CODES
from services.monitor.store import Cursor, Monitor
from services.monitor.timeline import Place, timeline
from shared.asking import Refusal, Who, everywhere
from shared.calendar import SHANGHAI
from shared.money import yuan
from shared.outbox import real_now
from shared.reader import UNWELL
from shared.regions import Regions
from shared.service import App, Runtime
from shared.settings import Holder

log = structlog.get_logger()

_MINUTE_SECONDS = 60
_RETRY_SECONDS = 5
_MOST_ROWS = 1000
_EVERYWHERE = "*"
# Beyond, arithmetic on time ends somewhere in every service; nothing in a sandbox needs it.
_CLOCK_YEARS = range(2000, 2101)
_SEALED = frozenset({"sealed", "name_keys"})

Limit = Annotated[int, Query(ge=1, le=_MOST_ROWS)]


class Whose(BaseModel):
    """Whose events are asked for."""

    person_key: Annotated[str, StringConstraints(max_length=200)]


class Clock(BaseModel):
    """The business time to set."""

    at: datetime


def build(runtime: Runtime) -> App:
    """The copier, its interface, and the loop that makes partitions ahead."""

    async def keep_partitions() -> None:
        while True:
            try:
                async with runtime.pool.acquire() as db:
                    await store.ensure_partitions(db, real_now().date())
                await asyncio.sleep(_MINUTE_SECONDS)
            except asyncpg.LockNotAvailableError as error:  # of who follows the log for long
                log.warning("partitions.later", error=repr(error))
                await asyncio.sleep(_MINUTE_SECONDS)
            except UNWELL as error:
                log.warning("partitions.unwell", error=repr(error))
                await asyncio.sleep(_RETRY_SECONDS)

    router = APIRouter(prefix="/v1")
    _events(router, runtime)
    _timelines(router, runtime)
    _clock(router, runtime)
    return App(Monitor(), router, tasks=(keep_partitions,), patience=0.1)


def _events(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/events")
    async def events(
        who: Who,
        transfer: UUID | None = None,
        key: str | None = None,
        after: str | None = None,
        limit: Limit = 500,
    ) -> dict[str, Any]:
        """Events after the cursor `after`, oldest first; `next` is the cursor to go on with."""
        cursor = _cursor(after)
        shown: list[asyncpg.Record] = []
        # A page is full unless the log ends: what a reader may not see does not shorten it.
        while len(shown) < limit:
            asked = limit - len(shown)
            if transfer is None and key is None:
                rows = await store.after(runtime.pool, cursor, asked)
            else:
                rows = await store.about(runtime.pool, cursor, asked, transfer=transfer, key=key)
            if not rows:
                break
            cursor = cursor.past(rows)
            shown += [row for row in rows if _may_see(who, row)]
        return {"events": [_shown(row) for row in shown], "next": cursor.text()}

    @router.get("/log")
    async def log_of(who: Who, streams: str) -> StreamingResponse:
        """All messages of some streams (`settlement.commands,settlement.events`) as they were
        sent, one in a line, each partition in its order: what an audit makes the books from again.
        """
        everywhere(who)
        lines = queries.lines(runtime.pool, streams.split(","))
        return StreamingResponse(lines, media_type="application/x-ndjson")

    @router.post("/events/search")
    async def search(whose: Whose, who: Who) -> dict[str, Any]:
        """The events of a person."""
        rows = await store.about(runtime.pool, Cursor(), store.MOST_EVENTS, key=whose.person_key)
        return {"events": [_shown(row) for row in rows if _may_see(who, row)]}


def _timelines(router: APIRouter, runtime: Runtime) -> None:
    names = _names(runtime.regions)

    @router.get("/timeline/{transfer}")
    async def of_transfer(transfer: UUID, who: Who) -> dict[str, Any]:
        """What happened to a transfer, in sentences."""
        rows = await store.about(runtime.pool, Cursor(), store.MOST_EVENTS, transfer=transfer)
        seen = [store.event(row) for row in rows if _may_see(who, row)]
        if not seen:
            raise _refusal(404, "unknown_transfer")
        return {"transfer": str(transfer), "timeline": timeline(seen, names)}

    @router.get("/latency")
    async def latency(who: Who, since: datetime | None = None) -> dict[str, float]:
        """How long advances took, in ms of real time: registration to credit."""
        if since is not None and since.tzinfo is None:
            raise _refusal(422, "time_without_offset")
        _ = who
        return dict(await store.latency(runtime.pool, since))


def _clock(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/clock")
    async def clock(_: Who) -> dict[str, Any]:
        """The business time."""
        async with runtime.pool.acquire() as db:
            at = await runtime.now(db)
        return {"at": at.isoformat(), "sandbox": runtime.settings.sandbox}

    @router.post("/clock")
    async def set_clock(asked: Clock, who: Who) -> dict[str, Any]:
        """Puts the business clock forward, in a sandbox; anywhere while nothing has happened."""
        if not who.may_see(_EVERYWHERE):
            raise _refusal(403, "not_your_clock")
        if not runtime.settings.sandbox:
            raise _refusal(409, "not_a_sandbox")
        if asked.at.tzinfo is None:
            raise _refusal(422, "time_without_offset")
        if asked.at.year not in _CLOCK_YEARS:
            raise _refusal(422, "clock_out_of_range")
        at = await store.set_clock(runtime.pool, asked.at)
        if at is None:
            raise _refusal(409, "clock_goes_forward")
        return {"at": at.astimezone(SHANGHAI).isoformat(), "sandbox": True}


def _refusal(status: int, code: str) -> Refusal:
    zh, en = CODES[code]
    return Refusal(status, code, f"{zh} / {en}")


def _cursor(text: str | None) -> Cursor:
    try:
        return Cursor.parse(text) if text else Cursor()
    except ValueError:
        raise _refusal(422, "not_a_cursor") from None


def _may_see(who: Holder, row: asyncpg.Record) -> bool:
    """An event without a region belongs to none of them: only who sees all may see it."""
    return who.may_see(row["region"] or _EVERYWHERE)


def _names(regions: Regions) -> Place:
    def names(code: str) -> tuple[str, str]:
        region = regions.get(code)
        return (region.name, region.name_en) if region else (code, code)

    return names


def _in_yuan(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Amounts as they are published: `amount_fen` 408412 on the bus is `amount` "4084.12" here."""
    if isinstance(value, list):
        return [_in_yuan(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return dict(_named(name, inner) for name, inner in value.items())


def _named(name: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401 - any JSON
    if name.endswith("_fen") and isinstance(value, int):
        return name.removesuffix("_fen"), yuan(value)
    return name, _in_yuan(value)


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    """The event without what is sealed: it would tell a reader nothing."""
    ids = ("id", "transfer", "correlation", "causation")
    plain = ("topic", "partition", "offset", "type", "key", "region", "lane", "seq")
    try:
        body = json.loads(row["body"])
    except ValueError:
        body = None
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in _SEALED}
    body = _in_yuan(body)
    return {
        **{name: row[name] for name in plain},
        **{name: str(row[name]) if row[name] else None for name in ids},
        "at": row["at"].astimezone(SHANGHAI).isoformat(),
        "sent_at": row["sent_at"].isoformat(),
        "body": body,
    }
