"""A small service on the real chassis: it counts reminders per person, and fails on demand.

`python -m tests.integration.toy` runs it as a process; what a message does is in its `reason`.
"""

import asyncio
import os
import signal
from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
from fastapi import APIRouter
from pydantic import BaseModel

from shared import outbox
from shared.decision import Decision, Delivery, States, Unexpected
from shared.messages import Message
from shared.messages.transfer import Withdraw, WithdrawalRefused
from shared.outbox import Sent
from shared.service import App, Runtime

TABLE = "CREATE TABLE IF NOT EXISTS transfer.counts (person text PRIMARY KEY, n int NOT NULL)"


class Toy:
    """Counts `withdraw` messages per person and answers each."""

    name = "transfer"
    topics: tuple[str, ...] = ("enrollment.events",)
    handles: frozenset[str] = frozenset({Withdraw.type})

    async def load(self, db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
        people = sorted({delivery.key for delivery in batch})
        rows = await db.fetch(
            "SELECT person, n FROM counts WHERE person = ANY($1) ORDER BY person FOR UPDATE", people
        )
        return {**dict.fromkeys(people, 0), **{row["person"]: row["n"] for row in rows}}

    def decide(self, states: States, delivery: Delivery) -> Decision:
        message = delivery.message
        assert isinstance(message, Withdraw)
        fail(message.reason or "")
        count = states[delivery.key]
        assert isinstance(count, int)
        text = {"database": "nul\x00", "large": "x" * 1_000_000}.get(
            message.reason or "", str(count)
        )
        told = WithdrawalRefused(
            to=message.to, person=message.person, transfer=message.transfer, code=text
        )
        changed = count + 1 if message.reason != "database" else "\x00"
        return Decision({delivery.key: changed}, (told,))

    async def save(self, db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
        await db.execute(
            "INSERT INTO counts SELECT p, n::int FROM unnest($1::text[], $2::text[]) AS t (p, n)"
            " ON CONFLICT (person) DO UPDATE SET n = excluded.n",
            list(changes),
            [str(n) for n in changes.values()],
        )


def fail(how: str) -> None:
    """Fails in the way asked for."""
    match how:
        case "unexpected":
            raise Unexpected("meaningless", "it was asked to mean nothing")
        case "exception":
            raise RuntimeError("asked to fail")
        case "validation":
            BaseModel.model_validate(3)
        case "cancelled":
            raise asyncio.CancelledError
        case "exit":
            raise SystemExit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)


def build(_: Runtime) -> App:
    return App(Toy(), APIRouter())


def withdraw(person: str, reason: str | None = None) -> Withdraw:
    return Withdraw(to="450100", person=person, transfer=uuid4(), reason=reason)


def envelope(message: Message, id_: UUID | None = None, seq: int = 1) -> Sent:
    """The message as its sender would publish it."""
    now = datetime.now(UTC)
    id_ = id_ or uuid4()
    return Sent(
        "test/0", seq, id_, message.topic("cn"), 0, message.key, message.type, now, now, id_, None,
        message.model_dump_json().encode(),
    )  # fmt: skip


def put_clock(hours: int) -> None:
    """Lets this process live in another hour."""
    outbox.real_now = lambda: datetime.now(UTC) + timedelta(hours=hours)


if __name__ == "__main__":
    from shared.chassis import Process
    from shared.settings import Settings

    put_clock(int(os.environ.get("TOY_AHEAD_HOURS", "0")))
    asyncio.run(Process("transfer", Settings()).run(build))
