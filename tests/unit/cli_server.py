"""A small HTTP server that answers what a test tells it, to see how the command line behaves."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SERVICES = ("enrollment", "transfer", "settlement", "notification", "monitor")
TRANSFER = "8c1f2a52-6a38-5b58-9a0e-3f3f0d1f4a01"

ROW: dict[str, Any] = {
    "transfer_id": TRANSFER,
    "origin": "410100",
    "destination": "450100",
    "scheme": "310>310",
    "trigger": "auto",
    "record": "joined",
    "money": "funded",
    "closed": True,
    "overdue": False,
    "released": "4084.12",
    "advanced": "4084.12",
    "opened_at": "2026-03-02T09:30:00.000+08:00",
    "due_at": "2026-03-24T00:00:00+08:00",
    "reason": None,
}


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    method: str
    path: str
    query: dict[str, str]
    token: str | None
    body: bytes

    @property
    def json(self) -> object:
        return json.loads(self.body)


Answer = tuple[int, object]
Answers = Callable[[Asked], Answer]


@dataclass
class Server:
    """The path of a request starts with the name of the service that it was sent to."""

    url: str = ""
    answers: dict[str, Answers] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def on(self, path: str, answer: object, status: int = 200) -> None:
        """Answer every request to `path` with this."""
        self.answers[path] = lambda _: (status, answer)

    def bodies(self, path: str) -> list[object]:
        """What was sent to `path`."""
        return [asked.json for asked in self.asked if asked.path == path]

    def quiet(self, progress: int = 1) -> None:
        """Let nothing be pending anywhere."""
        for name in SERVICES:
            self.on(f"{name}/v1/pending", pending(progress=progress))

    def environment(self) -> dict[str, str]:
        """The settings under which a command finds this server."""
        urls = {f"JIEXU_{name.upper()}_URL": f"{self.url}/{name}" for name in SERVICES}
        return {**urls, "JIEXU_TOKEN": "secret"}


def pending(**counts: object) -> dict[str, object]:
    """What a service says that has nothing to do, but for `counts`."""
    idle = {"ready": True, "lag": 0, "unpublished": 0, "due": 0, "own": 0, "parked": 0}
    return {**idle, "progress": 1, **counts}


@contextmanager
def serving() -> Iterator[Server]:
    """The server, on a port of its own."""
    server = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self) -> None:
            target = urlsplit(self.path)
            asked = Asked(
                self.command,
                target.path.lstrip("/"),
                dict(parse_qsl(target.query)),
                self.headers["Authorization"],
                _body(self),
            )
            server.asked.append(asked)
            unknown: Answers = lambda _: (404, {"code": "not_found", "message": "没有 / none"})  # noqa: E731
            status, content = server.answers.get(asked.path, unknown)(asked)
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**server.headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers["Transfer-Encoding"] != "chunked":
        return request.rfile.read(int(request.headers["Content-Length"] or 0))
    body = b""
    while size := int(request.rfile.readline(), 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body
