"""PostgreSQL: one pool per process, one schema and one role per service."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
from asyncpg.pgproto import pgproto
from asyncpg.protocol import protocol

from shared.settings import Settings

_PLAN_SECONDS = 20

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
    return await asyncpg.create_pool(
        settings.database,
        min_size=1,
        max_size=size or settings.pool_size,
        init=fence,
        reset=_as_it_is,
        command_timeout=None,
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
