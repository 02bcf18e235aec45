"""The books made again from their messages: the same, and whatever was done to them is found."""

import json
from collections.abc import AsyncIterator, Hashable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

import asyncpg
import pytest

from services.settlement.app import Settlement
from services.settlement.closing import replay
from services.settlement.closing.replay import Replayed
from services.settlement.exposure import Limits
from shared.decision import Delivery, Unexpected
from shared.lanes import partition_of
from shared.messages import Command, Message
from shared.messages.settlement import Contribute, FundsReleased, OpenBank
from shared.messages.settlement_closing import CloseDay
from shared.regions import load
from shared.sealing import Keyring
from shared.settings import Settings, read_secrets, settings
from tests.integration.drive import START, connect
from tests.unit.settlement_world import (
    A,
    B,
    announced,
    detail,
    open_account,
    receipt,
    release_funds,
    some_id,
)

PARTITIONS = 3
TODAY = START.date()
Numbered = tuple[UUID, Message]


class Story:
    """Batches through the service, and the log that a monitor would have kept of them."""

    def __init__(self, db: asyncpg.Connection, service: Settlement) -> None:
        self.db = db
        self.service = service
        self.lines: list[bytes] = []
        self.number = 0

    async def send(self, *batch: Message, at: datetime = START) -> list[Message]:
        """Handles messages and the commands that follow from them; gives the events."""
        known: list[Numbered] = []
        for message in batch:
            self.number += 1
            known.append((some_id(f"replayed {self.number}"), message))
            self._log(*known[-1], at - timedelta(hours=3), None)
        events: list[Message] = []
        while known:
            said = await self._handle(known, at)
            known = [(id_, message) for id_, message in said if isinstance(message, Command)]
            events += [message for _, message in said if not isinstance(message, Command)]
        return events

    async def _handle(self, batch: Sequence[Numbered], at: datetime) -> list[Numbered]:
        deliveries = [Delivery(id_, m.key, m, at, at, id_) for id_, m in batch]
        said: list[Numbered] = []
        async with self.db.transaction():
            states = await self.service.load(self.db, deliveries)
            changes: dict[Hashable, object] = {}
            for delivery in deliveries:
                try:
                    decision = self.service.decide(states, delivery)
                except Unexpected:
                    continue
                states.update(decision.changes)
                changes.update(decision.changes)
                for index, message in enumerate(decision.out):
                    said.append((uuid5(delivery.id, str(index)), message))
                    self._log(*said[-1], at, delivery.id)
            await self.service.save(self.db, changes)
        return said

    def _log(self, id_: UUID, message: Message, at: datetime, cause: UUID | None) -> None:
        line = {
            "topic": message.topic("cn"),
            "partition": partition_of(message.key, PARTITIONS),
            "offset": len(self.lines),
            "id": str(id_),
            "type": message.type,
            "key": message.key,
            "at": at.isoformat(),
            "sent_at": at.isoformat(),
            "correlation": None,
            "causation": str(cause) if cause else None,
            "body": message.model_dump_json(),
        }
        self.lines.append(json.dumps(line).encode())

    async def sorted_lines(self) -> AsyncIterator[bytes]:
        """As the monitor gives them: partition by partition, each in its order."""
        read = [json.loads(line) for line in self.lines]
        for row in sorted(read, key=lambda row: (row["topic"], row["partition"], row["offset"])):
            yield json.dumps(row).encode()


class Narrow(Settlement):
    """With room for one advance and a half in each corridor: who comes first matters."""

    def _limits(self, origin: str, destination: str, day: date) -> Limits:  # noqa: ARG002
        return Limits(150, 150)


@pytest.fixture
async def story(database: str, secrets: Path) -> AsyncIterator[Story]:
    keyring = Keyring(read_secrets(secrets))
    db = await connect(database)
    yield Story(db, Narrow(load(settings().regions), keyring))
    await db.close()


async def tell(story: Story) -> None:
    """Persons of three partitions compete for the corridor's limit; receipts free it again; a day
    is closed early, something is late, and a message means nothing.
    """
    bank = OpenBank(to=A, account=f"{A}:expense", bank="expense", balance_fen=500, booked_on=TODAY)
    await story.send(bank)
    persons = [f"{n:032x}" for n in range(1, 7)]
    transfers = [some_id(f"transfer {person}") for person in persons]
    for n, (person, transfer) in enumerate(zip(persons, transfers, strict=True)):
        at = START + timedelta(hours=n)
        opened = [
            open_account(
                region, 100 * (region == A), person=person, record=some_id(region + person)
            )
            for region in (A, B)
        ]
        await story.send(*opened, at=at)
        released = await story.send(release_funds(transfer, person=person), at=at)
        assert any(isinstance(event, FundsReleased) for event in released)
        await story.send(*announced(released), at=at)
        if n == 2:
            await story.send(CloseDay(to=B, day=at.date(), by="an-wei"), at=at)
            await story.send(CloseDay(to=B, day=at.date() + timedelta(days=9)), at=at)
    for n, transfer in enumerate(transfers[:4]):
        paid = receipt(f"paid {n}", detail(100 - n, transfer, payer_region=A))
        await story.send(paid, at=START + timedelta(days=1, hours=n))
    late = Contribute(to=A, person=persons[0], record=some_id("late"), amount_fen=30)
    await story.send(*announced(await story.send(late)))


async def replayed(story: Story, database: str) -> Replayed:
    upto = await replay.mark(story.db)
    where = Settings(database=database)
    return await replay.replay(where, story.service, story.sorted_lines(), upto)


async def test_the_same_messages_make_the_same_entries(story: Story, database: str) -> None:
    await tell(story)

    found = await replayed(story, database)

    kept = await story.db.fetchval("SELECT count(*) FROM entries")
    assert found.examples == []
    assert (found.differences, found.entries, found.refused) == (0, kept, 1)
    assert await story.db.fetchval("SELECT count(*) FROM entries WHERE late IS NOT NULL") > 0


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (
            "UPDATE postings SET amount_fen = amount_fen + 1 WHERE credit LIKE 'payable:%'",
            "differs",
        ),
        ("UPDATE entries SET business_date = business_date - 1 WHERE kind = 'release'", "differs"),
        (
            "WITH gone AS (DELETE FROM entries WHERE kind = 'receipt' RETURNING person, id)"
            " DELETE FROM postings p USING gone g WHERE p.person = g.person AND p.entry = g.id",
            "not_in_the_books",
        ),
        (
            "INSERT INTO entries SELECT person, gen_random_uuid(), region, kind, 'x', 9, transfer,"
            " business_date, gen_random_uuid() FROM entries WHERE kind = 'open' LIMIT 1",
            "not_made_again",
        ),
    ],
)
async def test_what_was_done_to_the_books_is_found(
    story: Story, database: str, damage: str, code: str
) -> None:
    await tell(story)
    owner = await asyncpg.connect(database)
    await owner.execute("SET search_path = settlement")
    await owner.execute(damage)
    await owner.close()

    found = await replayed(story, database)

    assert found.differences > 0
    # The order is that of the entries: where one is gone, others may come out otherwise too.
    assert code in {example["code"] for example in found.examples}


async def test_the_books_themselves_are_not_touched(story: Story, database: str) -> None:
    await tell(story)
    tables = ("entries", "postings", "holders", "claims", "days", "balances")
    sums = " UNION ALL ".join(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {t} t"
                              for t in tables)  # fmt: skip
    before = await story.db.fetch(sums)

    await replayed(story, database)

    assert await story.db.fetch(sums) == before
