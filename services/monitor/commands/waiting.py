"""When everything so far is handled: what each service still has to do, asked in rounds."""

import time
from collections.abc import Callable
from typing import Any

from services.monitor.commands.client import SERVICES, Client, Refused, Unreachable

UNFINISHED = ("lag", "unpublished", "due", "own")
_ROUND_SECONDS = 0.03
# One machine writes, another has not read yet: only the second look at the same state is final.
_ROUNDS_ALIKE = 2


def survey(client: Client) -> list[dict[str, Any]]:
    """What each service has pending; one that does not answer is not ready."""
    return [_ask(client, name) for name in SERVICES]


def _ask(client: Client, name: str) -> dict[str, Any]:
    try:
        found = client.get(name, "/v1/pending")
    except Unreachable as unreachable:
        return {"service": name, "ready": False, "unreachable": str(unreachable)}
    return {**found, "service": name}


def unfinished(row: dict[str, Any]) -> bool:
    """Whether this service still has something to do, or cannot say."""
    return not row.get("ready") or any(row.get(name, 0) for name in UNFINISHED)


def settle(
    client: Client,
    seconds: float,
    report: Callable[[list[dict[str, Any]]], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Wait until every message so far is handled.

    What is quiet when the time is over gets the second look that it needs. Raises Refused with
    what is pending when the time is over, Unreachable when not one service answers at first. A
    process that restarts meanwhile is waited for.
    """
    deadline = time.monotonic() + seconds
    before, alike, late = None, 0, False
    while True:
        rows = survey(client)
        report(rows)
        if before is None and all("unreachable" in row for row in rows):
            raise Unreachable(f"{rows[0]['unreachable']}, nor do the others")
        quiet = not any(map(unfinished, rows))
        progress = sum(row.get("progress", 0) for row in rows)
        alike = (alike + 1 if progress == before else 1) if quiet else 0
        if alike >= _ROUNDS_ALIKE:
            return rows
        before = progress
        over = time.monotonic() >= deadline
        if over and (late or not quiet):
            pending = [row for row in rows if unfinished(row)]
            message = f"after {seconds:g} s: {told(rows)}"
            raise Refused("pending", message, details={"pending": pending})
        late = over
        time.sleep(_ROUND_SECONDS)


def told(rows: list[dict[str, Any]]) -> str:
    """What is pending, in words: `transfer lag=3 due=1; monitor not ready`."""
    return "; ".join(_told(row) for row in rows if unfinished(row)) or "something still moves"


def _told(row: dict[str, Any]) -> str:
    counts = [f"{name}={row[name]}" for name in (*UNFINISHED, "parked") if row.get(name)]
    state = [] if row.get("ready") else ["does not answer" if "unreachable" in row else "not ready"]
    return " ".join([row["service"], *state, *counts])
