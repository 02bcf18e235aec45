"""What a process finds in Kafka and in its timers that nobody has meant for it."""

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
from confluent_kafka import Producer

from shared.ends import Ends
from shared.messages.transfer import Withdraw
from shared.settings import Settings
from tests.integration.process_desk import Desk, desk, only_this_cells_topics, until
from tests.integration.toy import envelope, withdraw

__all__ = ["desk", "only_this_cells_topics"]

HERE = Path(__file__).parents[2]


async def test_marks_of_transactions_behind_the_last_record_are_passed_over(desk: Desk) -> None:
    await desk.start()
    producer = Producer({"bootstrap.servers": desk.kafka, "transactional.id": desk.cell})
    await asyncio.to_thread(producer.init_transactions, 60)
    for key in ("a", "b"):
        sent = envelope(withdraw(key))
        producer.begin_transaction()
        producer.produce(
            f"{desk.head}.transfer.commands", sent.body, sent.key.encode(), 0,
            headers=sent.headers("test"),
        )  # fmt: skip
        await asyncio.to_thread(producer.commit_transaction, 60)

    async def stands() -> int:
        db = await asyncpg.connect(desk.dsn)
        at = await db.fetchval(
            "SELECT next_offset FROM transfer.lanes WHERE name = $1",
            f"{desk.head}.transfer.commands/0",
        )
        await db.close()
        return at or 0

    async def all_passed() -> bool:
        return await stands() == 4

    await until("both records and both marks to be behind us", all_passed)
    assert await desk.counts() == {"a": 1, "b": 1}
    await desk.publish(withdraw("a"))

    async def third_handled() -> bool:
        return await stands() == 5

    await until("the next record to be handled", third_handled)
    assert await desk.counts() == {"a": 2, "b": 1}


async def test_what_an_open_transaction_holds_is_not_there_yet(desk: Desk) -> None:
    where = (f"{desk.head}.transfer.commands", 0)
    producer = Producer({"bootstrap.servers": desk.kafka, "transactional.id": desk.cell})
    await asyncio.to_thread(producer.init_transactions, 60)
    producer.begin_transaction()
    producer.produce(where[0], b"{}", b"a", 0)
    await asyncio.to_thread(producer.flush, 60)
    ends = Ends(Settings(kafka=desk.kafka), "test")

    assert await ends.bounds([where]) == {where: (0, 0)}

    await asyncio.to_thread(producer.commit_transaction, 60)

    async def there() -> bool:
        return await ends.bounds([where]) == {where: (0, 2)}

    await until("the record and its mark", there)


async def test_a_timer_that_cannot_be_read_is_set_aside_and_its_service_goes_on(desk: Desk) -> None:
    await desk.start()
    db = await asyncpg.connect(desk.dsn)
    await db.execute(
        "INSERT INTO transfer.timers (key, id, lane, due_at, type, body)"
        " VALUES ('p', $1, 0, now(), $2, $3)",
        uuid4(), Withdraw.type, b'{"to": "450100", "of": "an older program"}',
    )  # fmt: skip

    async def set_aside() -> bool:
        return bool(await db.fetchval("SELECT count(*) FROM transfer.dead_letters"))

    await until("the timer to be set aside", set_aside)
    letter = await db.fetchrow("SELECT key, code, state FROM transfer.dead_letters")
    await db.close()
    await desk.publish(withdraw("a"))

    async def handled() -> bool:
        return await desk.counts() == {"a": 1}

    await until("another message to be handled", handled)
    assert tuple(letter) == ("p", "unreadable", "refused")
