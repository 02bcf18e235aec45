"""HTTP of every service: health that means progress, metrics, and answers to errors."""

from typing import TYPE_CHECKING, Any

import asyncpg
import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import HTTPException as Unanswered
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import redriving, timers
from shared.asking import Refusal, Who
from shared.calendar import SHANGHAI
from shared.outbox import TooLarge
from shared.overload import Overload, backlog
from shared.reader import UNWELL
from shared.settings import Tokens

if TYPE_CHECKING:
    from shared.chassis import Process
    from shared.service import App


log = structlog.get_logger()

MOST_BYTES = 8 * 1024 * 1024


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
            row = await db.fetchrow(
                "SELECT (SELECT count(*) FROM timers WHERE due_at <= cell.business_now()) AS due,"
                " (SELECT count(*) FROM dead_letters WHERE state IN ('refused', 'parked'))"
                " AS parked"
            )
            own = await self._app.pending(db) if self._app.pending else 0
        waiting = await backlog(process)
        return {
            "service": process.name,
            "ready": self.ready,
            "lag": waiting.lag,
            "unpublished": waiting.unpublished,
            "due": row["due"],
            "own": own,
            "parked": row["parked"],
            "progress": waiting.progress,
        }


class Bounded:
    """Bounds the bodies that are read whole. Who reads a stream knows how long it may be."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            # The route is there by now: nobody reads a body before it has been found.
            if size > MOST_BYTES and scope["route"].body_field:
                raise Unanswered(413)  # of any other exception FastAPI would make 400
            return message

        await self._app(scope, counted, send)


async def serve(process: "Process", app: "App", health: Health) -> None:
    """Serves the service's HTTP interface until cancelled."""
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    api.add_middleware(Bounded)
    api.state.tokens = Tokens(process.settings.tokens)
    api.state.overload = Overload(process)
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
    413: ("too_large", "内容过大 / too large: it is more than one message can hold"),
    422: ("bad_request", "请求格式有误 / the request is not of the form that is expected"),
    500: ("fault", "系统内部错误 / an error of ours; it is in the log"),
    503: ("later", "系统暂时繁忙，请稍后重试 / busy for the moment, please try again later"),
}
_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": "5"},
    503: {"Retry-After": "2"},
}


def _error(status: int, detail: str = "") -> JSONResponse:
    code, sentence = _SENTENCES.get(status, ("refused", "请求被拒绝 / the request is refused"))
    message = f"{sentence}: {detail}" if detail else sentence
    return JSONResponse({"code": code, "message": message}, status, _HEADERS.get(status))


def _answers_to_errors(api: FastAPI) -> None:
    """Every error is `{"code", "message"}`; none repeats what was sent, which may be personal."""

    @api.exception_handler(Refusal)
    async def refused(_: Request, why: Refusal) -> JSONResponse:
        body = {"code": why.code, "message": why.message}
        return JSONResponse(body, why.status, _HEADERS.get(why.status))

    @api.exception_handler(RequestValidationError)
    async def malformed(_: Request, why: RequestValidationError) -> JSONResponse:
        fields = {".".join(str(part) for part in error["loc"]) for error in why.errors()}
        return _error(422, ", ".join(sorted(fields)))

    @api.exception_handler(TooLarge)
    async def too_large(_: Request, why: TooLarge) -> JSONResponse:
        log.warning("http.too-large", error=str(why))
        return _error(413)

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
            log.warning("http.unwell", error=repr(why))
            return _error(503)
        log.error("http.fault", exc_info=why)
        return _error(500)


def routes(api: FastAPI, process: "Process", health: Health) -> None:
    """What every service answers besides its own interface."""
    redriving.routes(api, process)

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
