"""Where the services are, and one way of asking them.

The settings `JIEXU_<SERVICE>_URL` and `JIEXU_TOKEN` come first; without them the embedded stack of
`JIEXU_HOME` is asked. httpx is imported when something is asked, so that `--help` stays quick.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from shared.settings import Settings

SERVICES = ("enrollment", "transfer", "settlement", "notification", "monitor")
EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
PAGE_ROWS = 1000
_ANSWER_SECONDS = 60.0
# A file of a million rows is spooled whole before its first row is answered.
_FILE_SECONDS = 900.0
NOT_FOUND = 404
_UNAUTHORISED = 401
_TOO_MUCH = 429
_PAUSE_SECONDS = 5.0
_NOT_WELL = frozenset({502, 503, 504})
_FAILED = 400
_LONGEST_MESSAGE = 500
# What a header can carry.
_TOKEN = re.compile(r"[!-~]*")


class Refused(Exception):
    """What was asked is refused, or a check failed: exit 1."""

    def __init__(
        self, code: str, message: str, status: int = 0, details: Mapping[str, Any] | None = None
    ) -> None:
        """`status` is that of HTTP, 0 where the refusal is our own; `details` are for programs."""
        super().__init__(message)
        self.details = details or {}
        self.code = code
        self.message = message
        self.status = status


class Later(Refused):
    """Too much waits there: to be sent again after `seconds`."""

    def __init__(self, code: str, message: str, seconds: float) -> None:
        super().__init__(code, message, _TOO_MUCH)
        self.seconds = seconds


class Unreachable(Exception):
    """The stack, or the service asked, cannot be reached: exit 3."""


class Client:
    """Asks the services by their names. Raises Refused and Unreachable."""

    def __init__(self, urls: Mapping[str, str], token: str) -> None:
        import httpx

        if _TOKEN.fullmatch(token) is None:
            # Without the token: it is a secret even when it is wrong.
            message = "a bearer token has ASCII letters, digits and signs only: look at JIEXU_TOKEN"
            raise Refused("bad_token", message)
        # A proxy of the environment is for the world outside, and the token is not.
        self._http = httpx.Client(
            timeout=_ANSWER_SECONDS,
            trust_env=False,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        self._urls = dict(urls)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def url(self, service: str) -> str:
        """The base URL of a service. Raises Unreachable for one that does not run here."""
        if not self._urls.get(service):
            raise Unreachable(f"{service} has no address: set JIEXU_{service.upper()}_URL")
        return self._urls[service].rstrip("/")

    def get(self, service: str, path: str, **params: object) -> Any:  # noqa: ANN401 any JSON
        """The JSON answer; parameters that are None are left out."""
        return self._ask("GET", service, path, params=_given(params))

    def post(
        self,
        service: str,
        path: str,
        body: object = None,
        **params: object,
    ) -> Any:  # noqa: ANN401 any JSON
        """Send `body` as JSON (bytes as they are); the answer is JSON."""
        if isinstance(body, bytes):
            return self._ask("POST", service, path, params=_given(params), content=body)
        return self._ask("POST", service, path, params=_given(params), json=body)

    def post_for_bytes(self, service: str, path: str, body: object) -> "httpx.Response":
        """Send `body` as JSON; the answer is a document of its own kind."""
        with self._watched(service):
            return _accepted(service, self._http.post(self.url(service) + path, json=body))

    @contextmanager
    def upload(
        self, service: str, path: str, chunks: Iterable[bytes], **params: object
    ) -> Iterator["httpx.Response"]:
        """Send a file of any size; the response is open, its body read as it comes."""
        with (
            self._watched(service),
            self._http.stream(
                "POST",
                self.url(service) + path,
                params=_given(params),
                content=chunks,
                timeout=_FILE_SECONDS,
            ) as response,
        ):
            if response.status_code >= _FAILED:
                response.read()
            yield _accepted(service, response)

    @contextmanager
    def download(self, service: str, path: str, **params: object) -> Iterator[Iterator[bytes]]:
        """The answer of any size, as it comes."""
        with (
            self._watched(service),
            self._http.stream(
                "GET", self.url(service) + path, params=_given(params), timeout=_FILE_SECONDS
            ) as response,
        ):
            if response.status_code >= _FAILED:
                response.read()
            yield _accepted(service, response).iter_bytes()

    def pages(
        self, service: str, path: str, id_field: str, limit: int | None, after: str | None,
        **params: object,
    ) -> Iterator[Any]:  # fmt: skip
        """The rows of a list, page by page, up to `limit`; `after` is the id of the last one."""
        left = limit
        while left is None or left > 0:
            rows = PAGE_ROWS if left is None else min(left, PAGE_ROWS)
            page = self.get(service, path, limit=rows, after=after, **params)
            yield from page
            if len(page) < rows:
                return
            after = page[-1][id_field]
            left = None if left is None else left - len(page)

    def _ask(self, method: str, service: str, path: str, **options: Any) -> Any:  # noqa: ANN401
        with self._watched(service):
            response = self._http.request(method, self.url(service) + path, **options)
        return _accepted(service, response).json() if response.content else None

    @contextmanager
    def _watched(self, service: str) -> Iterator[None]:
        import httpx

        try:
            yield
        except httpx.TransportError as error:
            # Not the error's own text: it may hold the request.
            raise Unreachable(
                f"{service} does not answer at {self.url(service)} ({type(error).__name__})"
            ) from error


def _given(params: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _accepted(service: str, response: "httpx.Response") -> "httpx.Response":
    if response.status_code < _FAILED:
        return response
    code, message = _refusal(response)
    if response.status_code in _NOT_WELL:
        raise Unreachable(f"{service} is not ready ({response.status_code}): {message}")
    if response.status_code == _UNAUTHORISED:
        message = f"{message}; the bearer token comes from JIEXU_TOKEN or JIEXU_HOME/tokens.json"
    if response.status_code == _TOO_MUCH:
        raise Later(code, f"{service}: {message}", _pause(response.headers.get("Retry-After", "")))
    raise Refused(code, f"{service}: {message}", response.status_code)


def _pause(text: str) -> float:
    """The seconds of a Retry-After; a date is what our services never say."""
    return float(text) if text.isdecimal() else _PAUSE_SECONDS


def _refusal(response: "httpx.Response") -> tuple[str, str]:
    """The code and sentence of a refusal, whatever gave it."""
    code = f"http_{response.status_code}"
    try:
        body = response.json()
    except ValueError:
        return code, response.reason_phrase
    if isinstance(body, dict) and isinstance(body.get("detail"), dict):
        body = body["detail"]
    if not isinstance(body, dict):
        return code, response.reason_phrase
    message = body.get("message") or body.get("detail")
    if not isinstance(message, str):
        # A validation error repeats what was sent, which may be an ID number.
        message = response.reason_phrase
    if where := body.get("where"):
        message = f"{message} ({where})"
    return str(body.get("code", code)), message[:_LONGEST_MESSAGE]


def connect(token: str | None = None) -> Client:
    """A client of the stack that the environment names, with its token or another one.

    Raises Unreachable.
    """
    from shared.settings import Settings

    settings = Settings()
    urls = {name: settings.url(name) for name in SERVICES}
    if all(urls.values()):
        return Client(urls, token or settings.token or _token(settings))
    from deploy.embedded import stack

    found = stack.find(settings.home)
    if found is None:
        raise Unreachable(
            f"no stack runs in {settings.home.absolute()}: start one with `jiexu up --embedded`, "
            "or name another by JIEXU_HOME or by JIEXU_ENROLLMENT_URL and the other addresses"
        )
    # What the environment names goes before what the home holds.
    known = {name: url for name, url in urls.items() if url}
    return Client({**found.urls, **known}, token or settings.token or _token(settings))


def _token(settings: "Settings") -> str:
    """The operator's token in JIEXU_TOKENS or JIEXU_HOME; empty where there is none."""
    try:
        tokens = json.loads(tokens_file(settings).read_text("utf-8"))
    except OSError:
        return ""
    ranked = sorted(tokens, key=lambda token: tokens[token].get("holder") != "operator")
    return str(ranked[0]) if ranked else ""


def tokens_file(settings: "Settings") -> Path:
    """Where the tokens of a stack on this machine are."""
    own = settings.home / "tokens.json"
    return settings.tokens if "tokens" in settings.model_fields_set else own


@contextmanager
def connected() -> Iterator[Client]:
    """A client for the length of one command."""
    client = connect()
    try:
        yield client
    finally:
        client.close()


def dead_letters(
    client: Client,
    limit: int,
    *,
    service: str | None = None,
    settled: bool = False,
    **which: object,
) -> list[dict[str, Any]]:
    """Those of every service, at most `limit` of each; with the settled ones where asked."""
    asked = {**which, "limit": limit, "settled": "true" if settled else None}
    names = SERVICES if service is None else (service,)
    rows = ((name, client.get(name, "/v1/dead-letters", **asked)) for name in names)
    return [{**row, "service": name} for name, found in rows for row in found]
