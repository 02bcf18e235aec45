"""Plays Kafka to the toy service on a real PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared import lanes
from shared.dead_letters import Record
from shared.deliver import Delivered, Place, deliver
from shared.messages import Message
from tests.integration.toy import Toy, envelope

TOPIC = "cn.transfer.commands"
PLACE = Place(lambda _: "cn", 4)


class Driver:
    """Plays Kafka: numbers records and delivers batches of them."""

    def __init__(self, db: asyncpg.Connection) -> None:
        self.db = db
        self.offset = 0
        self.epoch = 0

    async def own(self) -> list[lanes.Lane]:
        taken = await lanes.take_over(self.db, [f"{TOPIC}/0"], "me")
        self.epoch = taken[0].epoch
        return taken

    def record(self, message: Message, id_: UUID | None = None) -> Record:
        sent = envelope(message, id_)
        headers = dict(sent.headers("test"))
        self.offset += 1
        now_ms = int(sent.sent_at.timestamp() * 1000)
        return Record(TOPIC, 0, self.offset - 1, now_ms, sent.key, headers, sent.body)

    async def take(self, batch: Sequence[Record], *, apart: bool = False) -> Delivered:
        epochs = {f"{TOPIC}/0": self.epoch}
        return await deliver(Toy(), PLACE, self.db, epochs, {}, batch, apart)

    async def counts(self) -> dict[str, int]:
        rows = await self.db.fetch("SELECT person, n FROM counts ORDER BY person")
        return {row["person"]: row["n"] for row in rows}

    async def letters(self) -> list[tuple[str, str, str]]:
        rows = await self.db.fetch("SELECT key, code, state FROM dead_letters ORDER BY n")
        return [tuple(row) for row in rows]
