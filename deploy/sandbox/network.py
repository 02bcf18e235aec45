"""The running system as the sandbox's people, banks and operators see it: over HTTP alone."""

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import asyncpg

from deploy.embedded.stack import Stack
from deploy.sandbox import feed
from services.monitor.commands import clock, intake, query, waiting
from services.monitor.commands.client import Client

# Bounds one wait. Generous: a slow machine is no failure, a system that stands still is.
QUIET_SECONDS = 180.0


class Network:
    """Asks and tells the services. Raises the client's Refused and Unreachable."""

    def __init__(self, client: Client, folder: Path) -> None:
        """Answers to feeds are written to the folder."""
        self.client = client
        self._folder = folder
        self._files = 0

    def register(self, records: Iterable[Mapping[str, str]]) -> Counter[str]:
        """Send records as a feed file; how many had which outcome."""
        self._files += 1
        source = io.BytesIO(feed.csv_bytes(records))
        answers = self._folder / f"feed-{self._files:04d}.result.csv"
        return Counter(intake.send(self.client, source, answers)["outcomes"])

    def quiet(self, seconds: float = QUIET_SECONDS) -> None:
        """Wait until everything so far is handled."""
        waiting.settle(self.client, seconds)

    def go_to(self, at: datetime) -> None:
        """Put the clock forward, through every due date on the way."""
        clock.advance(self.client, at, seconds=QUIET_SECONDS)

    def now(self) -> datetime:
        """Business time."""
        return clock.clock_now(self.client)

    def instructions(self, region: str, day: date) -> bytes:
        """What the region tells its bank to pay, `pain.001`; empty when there is nothing."""
        body = {"region": region, "date": day.isoformat(), "lump": False}
        return self.client.post_for_bytes("settlement", "/v1/remittances", body).content

    def tell(self, statement: bytes) -> Any:  # noqa: ANN401 JSON
        """Send a bank statement."""
        return intake.patiently(lambda: self.client.post("settlement", "/v1/statements", statement))

    def transfers(self) -> Iterator[dict[str, Any]]:
        """All transfers in the form of `jiexu transfers --json`."""
        return self.client.pages("transfer", "/v1/transfers", "transfer_id", None, None)

    def timeline(self, transfer: str) -> list[dict[str, Any]]:
        """What happened to one transfer, as sentences."""
        return query.timeline_of(self.client, transfer)

    def ask(self, service: str, path: str, **params: object) -> Any:  # noqa: ANN401 JSON
        """A JSON document of a service."""
        return self.client.get(service, path, **params)


async def begin_at(running: Stack, at: datetime) -> None:
    """Set the clock of a network in which nothing has happened yet, also to a day long past.

    From then on it only goes forward, as the monitor sees to.
    """
    connection = await asyncpg.connect(running.database)
    try:
        await connection.execute(
            "UPDATE cell.clock"
            " SET offset_us = extract(epoch FROM $1 - clock_timestamp()) * 1000000",
            at,
        )
    finally:
        await connection.close()


@contextmanager
def joined(stack: Stack, folder: Path) -> Iterator[Network]:
    """The network of an embedded stack, as its operator."""
    tokens = json.loads((stack.home / "tokens.json").read_text("utf-8"))
    client = Client(stack.urls, next(iter(tokens)))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield Network(client, folder)
    finally:
        client.close()
