"""Dead letters over HTTP: list and show, edit and redrive, discard, redrive a whole filter.

Whatever is ordered becomes a message on the letter's own key, so that it is handled in its turn.
"""

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID, uuid4, uuid5

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field

from shared import timers
from shared.asking import Limit, Refusal, Who, everywhere, reasoned
from shared.calendar import SHANGHAI
from shared.cells import NOWHERE
from shared.decision import Timer
from shared.messages import CATALOGUE
from shared.messages.chassis import Redrive
from shared.settings import Holder

if TYPE_CHECKING:
    import asyncpg

    from shared.chassis import Process

_COLUMNS = (
    "letter, key, n, id, type, code, reason, state, recorded_at, settled_by, settled_why, acts"
)
_WHICH = (
    " state = ANY($1) AND ($2::text IS NULL OR code = $2) AND ($3::text IS NULL OR type = $3)"
    " AND ($4::text IS NULL OR key = $4) AND ($5::interval IS NULL OR recorded_at <= now() - $5)"
)
_MOST_AT_ONCE = 10_000
_HIDDEN = frozenset({"sealed", "name_keys"})
_PLAIN = re.compile(r"[0-9A-Za-z_.:>+/-]{0,64}")
_LONG_NUMBER = re.compile(r"\d{11,}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,64}")
UNSHOWN = "…"

Plain = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Action = Literal["redrive", "discard"]


class Edit(BaseModel):
    """What an operator orders for one letter; `body` and `type` take the place of its own."""

    body: dict[str, Any] | None = None
    type: Plain | None = None
    reason: str = ""


class Which(BaseModel):
    """Letters that fit all that is given; `older` is in seconds."""

    code: Plain | None = None
    type: Plain | None = None
    key: Plain | None = None
    older: Annotated[float, Field(ge=0, le=1e9)] | None = None

    def values(self) -> tuple[str | None, str | None, str | None, timedelta | None]:
        """The values for `_WHICH`."""
        older = None if self.older is None else timedelta(seconds=self.older)
        return self.code, self.type, self.key, older


class Whole(Which):
    """Redrive every refused letter that fits, `rate` of them a second."""

    rate: Annotated[float, Field(gt=0, le=1000)] = 20
    reason: str = ""


def routes(api: FastAPI, process: "Process") -> None:
    """The dead letters of one service."""

    @api.get("/v1/dead-letters")
    async def listed(
        who: Who, which: Annotated[Which, Query()], *, settled: bool = False, limit: Limit = 100
    ) -> list[dict[str, Any]]:
        everywhere(who)
        states = ["refused", "parked"] + (["redriven", "discarded"] if settled else [])
        async with process.pool.acquire() as db:
            rows = await db.fetch(
                f"SELECT {_COLUMNS} FROM dead_letters WHERE {_WHICH} ORDER BY key, n LIMIT $6",  # noqa: S608
                states,
                *which.values(),
                limit,
            )
        return [_listed(process.name, row) for row in rows]

    @api.get("/v1/dead-letters/{letter}")
    async def shown(who: Who, letter: UUID) -> dict[str, Any]:
        everywhere(who)
        return _shown(process.name, await _find(process, letter))

    @api.post("/v1/dead-letters/redrive", status_code=202)
    async def redriven(who: Who, asked: Whole) -> dict[str, Any]:
        everywhere(who)
        return await _redrive_all(process, who, asked)

    @api.post("/v1/dead-letters/{letter}/{action}", status_code=202)
    async def ordered(who: Who, letter: UUID, action: Action, edit: Edit) -> dict[str, str]:
        everywhere(who)
        return {"message_id": str(await _order(process, who, letter, action, edit))}


async def _order(process: "Process", who: Holder, letter: UUID, action: Action, edit: Edit) -> UUID:
    """The operator's order as a message on the letter's own key; its id. Raises Refusal."""
    edited = edit.body is not None or edit.type is not None
    if action == "discard" or edit.reason:
        reasoned(edit.reason)
    if edited and action == "discard":
        raise Refusal(422, "not_edited", "丢弃时不能修改 / what is discarded is not edited")
    if edit.type is not None and edit.type not in CATALOGUE:
        raise Refusal(422, "unknown_type", "没有此消息类型 / no message is of this type")
    row = await _find(process, letter)
    async with process.pool.acquire() as db, db.transaction():
        head = await db.fetchval(
            "SELECT letter FROM dead_letters WHERE key = $1 AND state IN ('refused', 'parked')"
            " ORDER BY n LIMIT 1",
            row["key"],
        )
        if head != letter:
            raise Refusal(409, "not_at_head", "它不在队首 / it is not at the head of its key")
        body = json.dumps(edit.body) if edit.body is not None else None
        order = _redrive(process, who, row["key"], letter, action, edit.reason)
        order = order.model_copy(update={"body": body, "edited_type": edit.type})
        id_ = uuid4()
        await process.send(db, [(id_, order)])
    return id_


def _redrive(
    process: "Process", who: Holder, key: str, letter: UUID, action: Action, why: str
) -> Redrive:
    return Redrive(
        to=NOWHERE,
        service=process.name,
        waiting=key,
        letter=letter,
        action=action,
        by=who.holder,
        why=why,
    )


async def _redrive_all(process: "Process", who: Holder, asked: Whole) -> dict[str, Any]:
    """Orders for all letters that fit, as timers `1/rate` apart: they are kept like any other
    timer, whatever happens to this process. Asked again, each letter is still ordered once.
    """
    reasoned(asked.reason)
    if all(value is None for value in asked.values()):
        raise Refusal(422, "no_filter", "须指定筛选条件 / say which: code, type, key or older")
    async with process.pool.acquire() as db, db.transaction():
        rows = await db.fetch(
            f"SELECT key, letter FROM dead_letters WHERE {_WHICH} ORDER BY n LIMIT $6",  # noqa: S608
            ["refused"],
            *asked.values(),
            _MOST_AT_ONCE,
        )
        at: datetime = await process.now(db)
        until = at
        orders = []
        for n, row in enumerate(rows):
            until = at + timedelta(seconds=n / asked.rate)
            order = _redrive(process, who, row["key"], row["letter"], "redrive", asked.reason)
            orders.append(Timer(row["key"], uuid5(row["letter"], "redrive"), until, order))
        await timers.keep(db, orders, process.settings.partitions)
    return {
        "letters": len(rows),
        "until": until.astimezone(SHANGHAI).isoformat(),
        "more": len(rows) == _MOST_AT_ONCE,
    }


async def _find(process: "Process", letter: UUID) -> "asyncpg.Record":
    async with process.pool.acquire() as db:
        row = await db.fetchrow("SELECT * FROM dead_letters WHERE letter = $1", letter)
    if row is None:
        raise Refusal(404, "not_found", "没有这条死信 / there is no such dead letter")
    return row


def _listed(service: str, row: "asyncpg.Record") -> dict[str, Any]:
    found = {**dict(row), "service": service, "acts": json.loads(row["acts"])}
    return {**found, "type": _value(row["type"]), "key": _value(row["key"])}


def _shown(service: str, row: "asyncpg.Record") -> dict[str, Any]:
    headers = {name: _inside(value) for name, value in json.loads(row["headers"]).items()}
    return {**_listed(service, row), "headers": headers, "body": body_shown(row["body"])}


def body_shown(body: bytes) -> Any:  # noqa: ANN401 any JSON
    """The body as far as it can be read, and nothing of it that may be somebody's: a text that is
    no code, number, date or id is not shown, nor what is sealed.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {"unreadable": True, "bytes": len(body)}
    return _inside(found)


def _inside(value: Any) -> Any:  # noqa: ANN401 any JSON
    if isinstance(value, dict):
        kept = ((name, inner) for name, inner in value.items() if name not in _HIDDEN)
        return {_value(name): _inside(inner) for name, inner in kept}
    if isinstance(value, list):
        return [_inside(inner) for inner in value]
    if isinstance(value, str):
        return _value(value)
    return UNSHOWN if _LONG_NUMBER.search(str(value)) else value


def _value(text: str) -> str:
    if _UUID.fullmatch(text):
        return text
    shown = _PLAIN.fullmatch(text) and not _LONG_NUMBER.search(text)
    return text if shown else UNSHOWN
