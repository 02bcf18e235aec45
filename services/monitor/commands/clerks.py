"""Who acts: the token of the person named by `--by`, on this machine or in JIEXU_TOKEN."""

import fcntl
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.monitor.commands.client import Client, Refused, connect, tokens_file


@contextmanager
def acting(by: str) -> Iterator[Client]:
    """A client with the token of `by`. Raises Refused where there is none, and Unreachable.

    In a sandbox a name that is new gets a token with every role; elsewhere people are given
    theirs, and the service refuses another's.
    """
    client = connect(_token_of(by))
    try:
        yield client
    finally:
        client.close()


def _token_of(by: str) -> str:
    from shared.settings import Settings

    settings = Settings()
    if settings.token:
        return settings.token
    path = tokens_file(settings)
    known = _read(path)
    if by in known.values():
        return next(token for token, holder in known.items() if holder == by)
    if not known or not _sandbox():
        message = f"没有 {by} 的令牌 / there is no token of {by} here: set JIEXU_TOKEN to theirs"
        raise Refused("no_token_of", message)
    return _add(path, by)


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError:
        return {}
    return {token: str(who.get("holder")) for token, who in found.items()}


def _sandbox() -> bool:
    client = connect()
    try:
        return bool(client.get("monitor", "/v1/clock")["sandbox"])
    finally:
        client.close()


def _add(path: Path, by: str) -> str:
    from deploy.embedded.home import ROLES, clerk, write_json

    with path.with_suffix(".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = _read(path)
        if by in known.values():
            return next(token for token, holder in known.items() if holder == by)
        token = secrets.token_urlsafe(32)
        found = json.loads(path.read_text("utf-8"))
        write_json(path, {**found, token: clerk(by, ROLES)})
        return token
