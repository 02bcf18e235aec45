"""What a service is to the chassis: a name, three functions, and what it offers besides."""

from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from uuid import UUID

import asyncpg

from shared.dead_letters import Record
from shared.decision import Decision, Delivery, States
from shared.messages import Message
from shared.sealing import Keyring
from shared.settings import Settings

if TYPE_CHECKING:
    from fastapi import APIRouter

    from shared.regions import Regions


class Service(Protocol):
    """A name and three functions. Only `decide` thinks, and it does no I/O.

    `topics` are read without their cell (`"enrollment.events"`); messages whose type is not in
    `handles` are skipped by their header alone.
    """

    name: str
    topics: tuple[str, ...]
    handles: frozenset[str]

    async def load(self, db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
        """The states that `batch` needs, their rows locked in one order, in a few statements."""
        ...

    def decide(self, states: States, delivery: Delivery) -> Decision:
        """What one message leads to. Pure. Raises Unexpected for what means nothing."""
        ...

    async def save(self, db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
        """Writes the changed states, as sets."""
        ...


class Runtime(Protocol):
    """What the chassis gives to a service's `app.build`."""

    name: str
    settings: Settings
    regions: "Regions"
    keyring: Keyring
    pool: asyncpg.Pool

    async def now(self, db: asyncpg.Connection) -> datetime:
        """The business time (Asia/Shanghai)."""
        ...

    async def send(self, db: asyncpg.Connection, messages: Sequence[tuple[UUID, Message]]) -> None:
        """Puts messages with their ids into the outbox, in the caller's transaction.

        They are handled like any other message once the transaction has committed. An id that is
        there already with the same content is left alone.
        """
        ...

    def holding(self, seconds: float) -> AbstractContextManager[None]:
        """While this lasts, for so long at most, what `send` puts there is not handled yet."""
        ...


@dataclass(frozen=True, slots=True)
class App:
    """What `services.<name>.app.build(runtime)` returns.

    `router` is the HTTP interface (under `/v1`); `tasks` are loops that run beside it, restarted
    by the process's supervisor when they fail; `pending` counts the service's own unfinished work
    (letters to deliver), for `jiexu wait`; `edge`, if any, handles raw upstream messages. While
    messages keep coming a batch waits `patience` seconds for more: long where no advance waits.
    """

    service: "Service | Copier"
    router: "APIRouter"
    tasks: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    pending: Callable[[asyncpg.Connection], Awaitable[int]] | None = None
    edge: "Edge | None" = None
    patience: float = 0.01


class Edge(Protocol):
    """A reader of a topic that is not ours (`upstream.registrations`): raw bytes in.

    It runs in the same transaction as the lane's position, so a record is taken once.
    """

    topic: str

    async def take(
        self, db: asyncpg.Connection, bodies: Sequence[bytes], at: datetime
    ) -> Sequence[tuple[UUID, Message]]:
        """What the raw messages become, with ids, in their order."""
        ...


@runtime_checkable
class Copier(Protocol):
    """A reader that copies raw records (the monitor): no inbox, no `decide`.

    `topics` are read without their cell, but for `upstream.…`.
    """

    name: str
    topics: tuple[str, ...]

    async def copy(self, db: asyncpg.Connection, records: Sequence[Record]) -> None:
        """Keeps the records, as a set."""
        ...
