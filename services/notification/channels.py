"""How letters leave: a file outbox, or a webhook to the region's message gateway.

A kill between sending and recording repeats the sending, so both are idempotent. The file outbox
writes one file per run and attempt, named by them: a repetition overwrites the same file with the
same letters. One file per letter would cost a synchronous write for each, one file per day a
repeated line that every reader has to look out for. The webhook repeats the same Idempotency-Key.
"""

import asyncio
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

import httpx
import structlog
from pydantic_core import to_json

log = structlog.get_logger()

Result = Literal["sent", "refused", "again"]

_AT_ONCE = 16
_TIMEOUT_SECONDS = 5.0
_TRY_AGAIN = frozenset({408, 409, 425, 429})
"""Client errors that a later attempt may overcome; every other 4xx is a refusal."""


class Addressed(NamedTuple):
    """A letter with its recipient in the clear: it exists in memory and on the channel only."""

    letter: UUID
    run: UUID
    attempt: int
    decided_on: date
    medium: str
    name: str
    phone: str
    transfer: UUID | None
    kind: str
    region: str
    zh: str
    en: str
    decided_at: datetime

    @property
    def payload(self) -> dict[str, object]:
        """What the gateway is given; `key` is the same at every attempt."""
        return {
            "key": str(self.letter),
            "to": {"medium": self.medium, "name": self.name, "phone": self.phone},
            "region": self.region,
            "kind": self.kind,
            "transfer": str(self.transfer) if self.transfer else None,
            "decided_at": self.decided_at.isoformat(),
            "text": {"zh": self.zh, "en": self.en},
        }


class Channel(Protocol):
    """Delivers letters, and says of each what became of it."""

    name: str
    at_once: int
    """So many letters are claimed for it together, and runs are taken whole."""

    async def send(self, letters: Sequence[Addressed]) -> list[Result]:
        """The results, in the order of `letters`."""
        ...


class FileOutbox:
    """`<folder>/<date>/<run>-<attempt>.jsonl`, one letter a line, for its owner's eyes only."""

    name = "file"
    at_once = 1000

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, letters: Sequence[Addressed]) -> list[Result]:
        """Writes each run's letters whole or not at all. Raises OSError when the disk refuses."""
        runs: dict[tuple[date, UUID, int], list[bytes]] = {}
        for letter in letters:
            run = letter.decided_on, letter.run, letter.attempt
            runs.setdefault(run, []).append(to_json(letter.payload))
        files = {
            self._folder / day.isoformat() / f"{run}-{attempt}.jsonl": lines
            for (day, run, attempt), lines in runs.items()
        }
        await asyncio.to_thread(_write, files)
        return ["sent"] * len(letters)


def _write(files: dict[Path, list[bytes]]) -> None:
    for path, lines in files.items():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
            file.write(b"\n".join(lines) + b"\n")
            file.flush()
            os.fsync(descriptor)
        partial.rename(path)
    # The names too are to outlast a power cut: of the files, of their day and of the outbox.
    for folder in {above for path in files for above in path.parents[:3]}:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Webhook:
    """One POST per letter to the gateway, signed where a secret is set."""

    name = "webhook"
    at_once = 10 * _AT_ONCE  # the transaction that claims them stays open meanwhile

    def __init__(self, url: str, secret: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._secret = secret.encode()
        self._client = client

    async def send(self, letters: Sequence[Addressed]) -> list[Result]:
        """Posts some at once. Once the gateway cannot be reached, the rest is left for later."""
        slots = asyncio.Semaphore(_AT_ONCE)
        reachable = asyncio.Event()
        reachable.set()

        async def post(letter: Addressed) -> Result:
            async with slots:
                if not reachable.is_set():
                    return "again"
                try:
                    async with asyncio.timeout(_TIMEOUT_SECONDS):
                        return await self._post(letter)
                except (httpx.TransportError, TimeoutError):
                    reachable.clear()
                except httpx.HTTPError as error:  # it answered, and that cannot be read
                    log.warning("letters.answer", error=repr(error))
                return "again"

        return list(await asyncio.gather(*map(post, letters)))

    async def _post(self, letter: Addressed) -> Result:
        body = to_json(letter.payload)
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(letter.letter)}
        if self._secret:
            signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
            headers["Jiexu-Signature"] = f"sha256={signature}"
        answer = await self._client.post(self._url, content=body, headers=headers)
        if answer.is_success:
            return "sent"
        if answer.is_client_error and answer.status_code not in _TRY_AGAIN:
            return "refused"
        return "again"
