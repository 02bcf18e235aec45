"""Two systems that must be caught: each does what ours never does, with the rest as it is."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
from confluent_kafka import Consumer, TopicPartition

from shared import chassis, deliver, inbox, outbox
from shared.dead_letters import Record
from shared.deliver import Delivered, Place
from shared.reader import Reader
from shared.service import Service


class CommitsFirst(Reader):
    """Tells Kafka that a batch is handled, and handles it then. It starts where Kafka says, and
    knows of no other position: what was lost is not waited for.
    """

    async def assign(self, partitions: Sequence[tuple[str, int]], fed: Sequence[str]) -> None:
        await super().assign(partitions, fed)
        asked = [TopicPartition(*where) for where in partitions]
        # Beside the member of the group, which waits for us just now.
        group = {"bootstrap.servers": os.environ["JIEXU_KAFKA"], "group.id": f"cn.{self.name}"}
        known = await asyncio.to_thread(Consumer(group).committed, asked, 30)
        self.offsets |= {(tp.topic, tp.partition): max(0, tp.offset) for tp in known}
        rows = [(f"{topic}/{n}", offset) for (topic, n), offset in self.offsets.items()]
        async with self._pool.acquire() as db:
            await db.executemany("UPDATE lanes SET next_offset = $2 WHERE name = $1", rows)

    async def take(self, batch: Sequence[Record]) -> None:
        ends: dict[tuple[str, int], int] = {}
        for record in batch:
            ends[record.topic, record.partition] = record.offset + 1
        positions = [TopicPartition(*where, offset) for where, offset in ends.items()]
        await asyncio.to_thread(self._kafka.commit, offsets=positions, asynchronous=False)
        await super().take(batch)

    @property
    def _kafka(self) -> Any:  # noqa: ANN401 - the client has no types
        return vars(self.position)["_consumer"]


async def without_outbox(
    service: Service,
    place: Place,
    db: asyncpg.Connection,
    epochs: dict[str, int],
    published: dict[str, int],
    batch: Sequence[Record],
    apart: bool = False,  # noqa: FBT001, FBT002 - the reader's signature
) -> Delivered:
    """Delivers; what is to be sent is known to this process alone."""
    async with db.transaction():
        done = await deliver.deliver(service, place, db, epochs, published, batch, apart)
        await db.execute(
            "UPDATE lanes SET published = seq WHERE name = ANY($1)",
            sorted({record.lane for record in batch}),
        )
    return done


def commit_first() -> None:
    """Kafka's offset before the database, and publishing after it without an outbox."""

    async def keep_nothing(db: asyncpg.Connection, rows: Sequence[outbox.Sent]) -> None:
        pass

    vars(deliver)["outbox"] = SimpleNamespace(add=keep_nothing, real_now=outbox.real_now)
    vars(chassis).update(Reader=CommitsFirst, deliver=without_outbox)


def no_inbox() -> None:
    """Everything that comes is handled, whether it was handled before or not."""
    note = inbox.claim

    async def claim(
        db: asyncpg.Connection, messages: Sequence[tuple[date, UUID, int]]
    ) -> tuple[set[UUID], set[UUID]]:
        await note(db, messages)
        return {id_ for _, id_, _ in messages}, set()

    vars(inbox)["claim"] = claim


CONTROLS: Mapping[str, Callable[[], None]] = {"commit-first": commit_first, "no-inbox": no_inbox}
