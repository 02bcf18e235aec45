"""HTTP of every service: who may ask, health that means progress, metrics, dead letters."""

import hmac
import json
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID, uuid4

import asyncpg
import structlog
import uvicorn
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shared import timers
from shared.calendar import SHANGHAI
from shared.cells import NOWHERE
from shared.messages.chassis import Redrive
from shared.reader import UNWELL
from shared.settings import Holder, read_tokens

if TYPE_CHECKING:
    from shared.chassis import Process
    from shared.service import App


log = structlog.get_logger()


class Refusal(Exception):
    """An HTTP answer of status 4xx: a code, and a sentence in Chinese and English."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def holder(request: Request) -> Holder:
    """Who holds the bearer token of this request. Raises Refusal (401)."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        for token, who in request.app.state.tokens.items():
            if hmac.compare_digest(token.encode(), given.strip().encode()):
                found: Holder = who
                return found
    raise Refusal(401, "no_token", "需要有效的访问令牌 / a valid bearer token is needed")


Who = Annotated[Holder, Depends(holder)]
Limit = Annotated[int, Query(ge=1, le=10_000)]


def _everywhere(who: Holder) -> None:
    """A dead letter may be about any region: only who may see all may see, or settle, it."""
    if not who.may_see("*"):
        raise Refusal(403, "not_your_region", "需要全网权限 / only for holders of all regions")


class Health:
    """What the process says of itself."""

    def __init__(self, process: "Process", app: "App") -> None:
        self._process = process
        self._app = app

    @property
    def ready(self) -> bool:
        return bool(self._process.readers) and all(r.ready for r in self._process.readers)

    async def pending(self) -> dict[str, Any]:
        """What is not handled yet; `progress` grows with everything handled or sent."""
        process = self._process
        async with process.pool.acquire() as db:
            lanes = await db.fetch("SELECT name, next_offset, seq, published FROM lanes")
            row = await db.fetchrow(
                "SELECT (SELECT count(*) FROM timers WHERE due_at <= cell.business_now()) AS due,"
                " (SELECT count(*) FROM dead_letters WHERE state IN ('refused', 'parked'))"
                " AS parked"
            )
            own = await self._app.pending(db) if self._app.pending else 0
        # `published` is written late; what Kafka acknowledged to us since counts as out.
        out = process.relay.published
        behind = sum(
            lane["seq"] - max(lane["published"], out.get(lane["name"], 0)) for lane in lanes
        )
        stands = {lane["name"]: lane["next_offset"] for lane in lanes}
        lag = sum([await reader.lag_of_all(stands) for reader in process.readers])
        return {
            "service": process.name,
            "ready": self.ready,
            "lag": lag,
            "unpublished": max(behind, process.relay.waiting),
            "due": row["due"],
            "own": own,
            "parked": row["parked"],
            "progress": sum(lane["next_offset"] + lane["seq"] for lane in lanes),
        }


class _Edit(BaseModel):
    body: dict[str, Any] | None = None
    reason: str = ""


async def serve(process: "Process", app: "App", health: Health) -> None:
    """Serves the service's HTTP interface until cancelled."""
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    api.state.tokens = read_tokens(process.settings.tokens)
    routes(api, process, health)
    api.include_router(app.router)

    _answers_to_errors(api)
    config = uvicorn.Config(
        api,
        host=process.settings.http_host,
        port=process.settings.http_port,
        log_config=None,
        access_log=False,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    await server._serve()  # noqa: SLF001 - the public `serve` takes over the process's signals


_SENTENCES = {
    401: ("no_token", "需要有效的访问令牌 / a valid bearer token is needed"),
    404: ("not_found", "没有这个地址 / there is no such address"),
    405: ("not_allowed", "此地址不支持该方法 / this address does not take that method"),
    422: ("bad_request", "请求格式有误 / the request is not of the form that is expected"),
    500: ("fault", "系统内部错误 / an error of ours; it is in the log"),
    503: ("later", "系统暂时繁忙，请稍后重试 / busy for the moment, please try again later"),
}


def _error(status: int, detail: str = "") -> JSONResponse:
    code, sentence = _SENTENCES.get(status, ("refused", "请求被拒绝 / the request is refused"))
    headers = {503: {"Retry-After": "2"}, 401: {"WWW-Authenticate": "Bearer"}}.get(status)
    message = f"{sentence}: {detail}" if detail else sentence
    return JSONResponse({"code": code, "message": message}, status, headers)


def _answers_to_errors(api: FastAPI) -> None:
    """Every error is `{"code", "message"}`; none repeats what was sent, which may be personal."""

    @api.exception_handler(Refusal)
    async def refused(_: Request, why: Refusal) -> JSONResponse:
        if why.status == 401:
            return _error(401)
        return JSONResponse({"code": why.code, "message": why.message}, why.status)

    @api.exception_handler(RequestValidationError)
    async def malformed(_: Request, why: RequestValidationError) -> JSONResponse:
        fields = {".".join(str(part) for part in error["loc"]) for error in why.errors()}
        return _error(422, ", ".join(sorted(fields)))

    @api.exception_handler(HTTPException)
    async def unanswered(_: Request, why: HTTPException) -> JSONResponse:
        return _error(why.status_code)

    @api.exception_handler(Exception)
    @api.exception_handler(OSError)
    @api.exception_handler(asyncpg.PostgresError)
    @api.exception_handler(asyncpg.InterfaceError)
    async def failed(_: Request, why: Exception) -> JSONResponse:
        if isinstance(why, asyncpg.DataError):
            return _error(422)
        if isinstance(why, UNWELL):
            return _error(503)
        log.error("http.fault", exc_info=why)
        return _error(500)


def routes(api: FastAPI, process: "Process", health: Health) -> None:
    """What every service answers besides its own interface."""
    _dead_letters(api, process)

    @api.get("/health/live")
    async def live() -> dict[str, str]:
        return {"service": process.name}

    @api.get("/health/ready")
    async def ready() -> JSONResponse:
        readers = {r.name: r.ready for r in process.readers}
        return JSONResponse({"readers": readers}, 200 if health.ready else 503)

    @api.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @api.get("/v1/pending")
    async def pending(_: Who) -> dict[str, Any]:
        return await health.pending()

    @api.get("/v1/due")
    async def due(_: Who) -> dict[str, str | None]:
        async with process.pool.acquire() as db:
            at = await timers.next_due(db)
        return {"next": at.astimezone(SHANGHAI).isoformat() if at else None}


def _dead_letters(api: FastAPI, process: "Process") -> None:
    columns = "letter, key, n, id, type, code, reason, state, recorded_at, settled_by, settled_why"

    @api.get("/v1/dead-letters")
    async def listed(
        who: Who, *, settled: bool = False, limit: Limit = 100
    ) -> list[dict[str, Any]]:
        _everywhere(who)
        states = ["refused", "parked"] + (["redriven", "discarded"] if settled else [])
        async with process.pool.acquire() as db:
            rows = await db.fetch(
                f"SELECT {columns} FROM dead_letters WHERE state = ANY($1)"  # noqa: S608
                " ORDER BY key, n LIMIT $2",
                states,
                limit,
            )
        return [{"service": process.name, **dict(row)} for row in rows]

    @api.get("/v1/dead-letters/{letter}")
    async def shown(who: Who, letter: UUID) -> dict[str, Any]:
        _everywhere(who)
        return _letter(await _find(process, letter))

    @api.post("/v1/dead-letters/{letter}/{action}", status_code=202)
    async def settled(who: Who, letter: UUID, action: str, edit: _Edit) -> dict[str, str]:
        return {"message_id": str(await _order(process, who, letter, action, edit))}


async def _order(process: "Process", who: Holder, letter: UUID, action: str, edit: _Edit) -> UUID:
    """The operator's order as a message on the letter's own key; its id. Raises Refusal."""
    _everywhere(who)
    row = await _find(process, letter)
    if action not in ("redrive", "discard"):
        raise Refusal(404, "unknown_action", "没有此操作 / redrive or discard")
    if action == "discard" and not edit.reason:
        raise Refusal(422, "reason_missing", "请说明原因 / say why it is discarded")
    async with process.pool.acquire() as db:
        head = await db.fetchval(
            "SELECT letter FROM dead_letters WHERE key = $1 AND state IN ('refused', 'parked')"
            " ORDER BY n LIMIT 1",
            row["key"],
        )
    if head != letter:
        raise Refusal(409, "not_at_head", "它不在队首 / it is not at the head of its key")
    order = Redrive(
        to=NOWHERE,
        service=process.name,
        waiting=row["key"],
        letter=letter,
        action=action,  # type: ignore[arg-type]  # checked above
        by=who.holder,
        why=edit.reason,
        body=json.dumps(edit.body) if edit.body is not None else None,
    )
    id_ = uuid4()
    async with process.pool.acquire() as db, db.transaction():
        await process.send(db, [(id_, order)])
    return id_


async def _find(process: "Process", letter: UUID) -> Any:  # noqa: ANN401 - an asyncpg row
    async with process.pool.acquire() as db:
        row = await db.fetchrow("SELECT * FROM dead_letters WHERE letter = $1", letter)
    if row is None:
        raise Refusal(404, "not_found", "没有这条死信 / there is no such dead letter")
    return row


def _letter(row: Any) -> dict[str, Any]:  # noqa: ANN401 - an asyncpg row
    shown = dict(row)
    shown["headers"] = json.loads(shown["headers"])
    body = shown["body"]
    try:
        shown["body"] = json.loads(body)
    except ValueError:
        shown["body"] = body.hex()
    return shown
