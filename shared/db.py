"""PostgreSQL: one pool per process, one schema and one role per service."""

import socket
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
from asyncpg.pgproto import pgproto
from asyncpg.protocol import protocol

from shared.settings import Settings

_PLAN_SECONDS = 20
# Nobody waits longer for an answer than this; asyncpg gives up by it what it has given up.
_STATEMENT_SECONDS = 900
# A way that was cut without a word is noticed by then, before the watch ends the process; the
# system's own bounds are two hours, and fifteen minutes where something was sent.
_GONE_SECONDS, _PROBE_SECONDS = 45, 15

Fence = Callable[[asyncpg.Connection], Awaitable[None]]

# asyncpg asks each element of an array whether it is an array, of abstract classes written in
# Python: a thousand times a transfer. What is an array here is one of these, which C knows.
assert hasattr(protocol, "IterableABC")
protocol.IterableABC = (list, tuple, set, frozenset)

Id: Callable[[str | bytes], UUID] = pgproto.UUID
"""An id as asyncpg reads it: equal to `uuid.UUID` and hashed alike, but read, hashed, compared and
written by C, ten times for each message.
"""


async def connect(
    settings: Settings, schema: str, size: int | None = None, fence: Fence | None = None
) -> asyncpg.Pool:
    """A pool whose connections act as the role of `schema` and find its tables first.

    Each new connection is shown to `fence` before it is used.
    """

    async def init(db: asyncpg.Connection) -> None:
        _probed(db)
        if fence:
            await fence(db)

    return await asyncpg.create_pool(
        settings.database,
        min_size=1,
        max_size=size or settings.pool_size,
        init=init,
        reset=_as_it_is,
        command_timeout=_STATEMENT_SECONDS,
        # So long a plan is kept that was made while a table was empty.
        max_cached_statement_lifetime=_PLAN_SECONDS,
        server_settings={
            "role": f"jiexu_{schema}",
            "search_path": schema,
            "application_name": f"jiexu-{schema}-{settings.worker}",
            "timezone": "UTC",
            # A process that stands still inside a transaction must not hold its lanes for ever.
            "idle_in_transaction_session_timeout": "30s",
        },
    )


async def _as_it_is(db: asyncpg.Connection) -> None:
    """Nothing is set for a whole session, so that nothing needs a statement to be put back."""


def _probed(db: asyncpg.Connection) -> None:
    """Has the system ask whether the other end is still there, and how long it may say nothing."""
    way = db._transport.get_extra_info("socket")  # noqa: SLF001 - asyncpg has no setting for it
    if way.family == socket.AF_UNIX:
        return
    way.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBE_SECONDS)
    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_SECONDS)
    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GONE_SECONDS * 1000)
