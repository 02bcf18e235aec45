"""A TCP proxy before PostgreSQL: it makes the way slow or silent, or breaks it amid COMMIT."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import repeat
from pathlib import Path
from typing import Literal

COMMIT = b"COMMIT;\x00"
Fate = Literal["pass", "cut before", "cut after"]
"""What happens to a COMMIT: `after` means that the server has it and its answer is lost."""


class Way:
    """All connections that go through the proxy. `fates` are those of the next COMMITs."""

    def __init__(self, socket: Path) -> None:
        self.port = 0
        self.delay = 0.0
        self.fates: Iterator[Fate] = repeat("pass")
        self.seen: Counter[Fate] = Counter()
        self._socket = socket
        self._open: set[asyncio.StreamWriter] = set()
        self._silent: set[asyncio.StreamWriter] = set()

    def dsn(self, database: str) -> str:
        """The database by this way."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def break_all(self) -> None:
        """Every connection ends without a word."""
        for writer in self._open:
            writer.transport.abort()

    def fall_silent(self) -> None:
        """Whatever is connected stays so, and nothing goes either way any more; new ones do."""
        self._silent |= self._open

    async def connect(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection, until one of the two ends it."""
        try:
            server, on = await asyncio.open_unix_connection(self._socket)
        except OSError:
            back.transport.abort()
            return
        self._open |= {on, back}
        doomed = asyncio.Event()
        ways = (self._requests(client, on, doomed), self._answers(server, back, doomed))
        tasks = [asyncio.ensure_future(way) for way in ways]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for writer in (on, back):
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._open -= {on, back}
        self._silent -= {on, back}

    async def _requests(
        self, client: asyncio.StreamReader, on: asyncio.StreamWriter, doomed: asyncio.Event
    ) -> None:
        while data := await client.read(65536):
            if on in self._silent:
                continue
            fate: Fate | None = next(self.fates, "pass") if COMMIT in data else None
            if fate:
                self.seen[fate] += 1
            if fate == "cut before":
                return
            if fate == "cut after":
                doomed.set()
            await asyncio.sleep(self.delay)
            on.write(data)
            await on.drain()

    async def _answers(
        self, server: asyncio.StreamReader, back: asyncio.StreamWriter, doomed: asyncio.Event
    ) -> None:
        while data := await server.read(65536):
            if doomed.is_set():
                return  # the server has committed and nobody hears of it
            if back in self._silent:
                continue
            await asyncio.sleep(self.delay)
            back.write(data)
            await back.drain()
        if back in self._silent:
            await back.wait_closed()  # nor does it hear that the server has gone


@asynccontextmanager
async def way_to(socket: Path) -> AsyncIterator[Way]:
    """A proxy on a port of its own before the server that listens on this socket."""
    way = Way(socket)
    server = await asyncio.start_server(way.connect, "127.0.0.1", 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
        way.break_all()
        await server.wait_closed()
