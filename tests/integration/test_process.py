"""A process on real Kafka and PostgreSQL: whatever happens in the handler, nothing is lost."""

import asyncio
import signal
from pathlib import Path

import asyncpg
import pytest

from deploy import topics
from shared.publisher import Publisher
from shared.settings import Settings
from tests.integration.process_desk import Desk, desk, only_this_cells_topics, until
from tests.integration.toy import envelope, withdraw

__all__ = ["desk", "only_this_cells_topics"]

HERE = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ("exception", "reader.fault"),
        ("validation", "reader.fault"),
        ("cancelled", "reader.died"),
        ("exit", "reader.died"),
        ("kill", None),
    ],
)
async def test_what_fails_in_the_handler_leaves_the_offset_where_it_was(
    desk: Desk, how: str, seen: str | None
) -> None:
    child = await desk.start()
    await desk.publish(withdraw("a"))

    async def first_committed() -> bool:
        return await desk.committed() == 1

    await until("the good message to be committed", first_committed)
    await desk.publish(withdraw("p", how))

    async def failed() -> bool:
        return child.returncode is not None if seen is None else seen in desk.log()

    await until(f"the handler to fail by {how}", failed)

    assert await desk.committed() == 1
    assert await desk.counts() == {"a": 1}


async def test_a_fault_is_set_aside_after_some_attempts_and_only_its_key_waits(desk: Desk) -> None:
    await desk.start()
    await desk.publish(withdraw("p", "exception"), withdraw("a"), withdraw("p"))

    async def through() -> bool:
        return await desk.committed() == 3

    await until("the batch to be handled apart", through)

    assert await desk.counts() == {"a": 1}


async def test_killed_at_any_time_every_message_is_handled_once(desk: Desk) -> None:
    child = await desk.start()
    for round_ in range(3):
        await desk.publish(*(withdraw(f"k{n}") for n in range(20)))

        async def some(rounds: int = round_) -> bool:
            return sum((await desk.counts()).values()) > rounds * 20

        await until("some to be handled", some)
        child.send_signal(signal.SIGKILL)
        await child.wait()
        child = await desk.start()

    async def all_handled() -> bool:
        return sum((await desk.counts()).values()) >= 60

    await until("all to be handled", all_handled)

    assert set((await desk.counts()).values()) == {3}


async def test_a_process_told_to_end_leaves_nothing_unpublished(desk: Desk) -> None:
    child = await desk.start()
    await desk.publish(*(withdraw(f"k{n}") for n in range(50)))

    async def all_handled() -> bool:
        return sum((await desk.counts()).values()) == 50

    await until("all to be handled", all_handled)
    child.terminate()
    await asyncio.wait_for(child.wait(), 30)

    db = await asyncpg.connect(desk.dsn)
    left = await db.fetchval("SELECT sum(seq - published) FROM transfer.lanes")
    await db.close()
    assert (child.returncode, left) == (0, 0)


async def test_a_process_of_a_former_generation_ends_and_the_next_begins_when_it_may(
    desk: Desk,
) -> None:
    child = await desk.start()
    await desk.publish(withdraw("a"))

    async def first_committed() -> bool:
        return await desk.committed() == 1

    await until("the process to work", first_committed)
    db = await asyncpg.connect(desk.dsn)
    await db.execute("INSERT INTO cell.generations (cell, generation) VALUES ($1, 2)", desk.cell)
    await db.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'jiexu-%'"
    )
    await desk.publish(withdraw("of-the-past"))
    successor = await desk.start(worker=1)

    async def both_wait() -> bool:
        return all("not out yet" in desk.log(n) for n in (0, 1))

    await until("both to see that nothing is ready", both_wait)
    assert successor.returncode is None
    settings = Settings(kafka=desk.kafka, database=desk.dsn, cells=desk.cell, partitions=1)
    topics.create(settings, await topics.generations(settings))
    await db.execute("UPDATE cell.generations SET ready = true")
    await db.close()
    assert await asyncio.wait_for(child.wait(), 60) == 1
    assert "generation.changed" in desk.log(0)
    desk.head = f"{desk.cell}.g2"
    await desk.publish(withdraw("b"))

    async def handled() -> bool:
        return "b" in await desk.counts()

    await until("the successor to work on the new topics", handled)
    assert await desk.counts() == {"a": 1, "b": 1}
    assert topics.newest(settings) == {desk.cell: 2}


async def test_a_cell_sees_at_its_start_in_which_generation_the_others_are(desk: Desk) -> None:
    other = f"{desk.cell}-north"
    cells = f"{desk.cell},{other}"
    settings = Settings(kafka=desk.kafka, database=desk.dsn, cells=cells, partitions=1)
    for number in (2, 12):
        topics.create(settings, {desk.cell: 2, other: number})

    async def seen() -> bool:
        return topics.newest(settings) == {desk.cell: 2, other: 12}

    await until("Kafka to name the newest topics", seen)

    # Of the own cell the database alone says it.
    assert await topics.generations(settings) == {other: 12}
    assert await topics.generations(settings) == {other: 12}

    assert topics.create(settings, {other: 12}) == []
    db = await asyncpg.connect(desk.dsn)
    assert await db.fetchval("SELECT bool_and(ready) FROM cell.generations")
    await db.close()


async def test_what_kafka_refuses_is_told_and_all_else_counts_as_acknowledged(desk: Desk) -> None:
    publisher = Publisher(Settings(kafka=desk.kafka), "transfer")
    topic = f"{desk.head}.transfer.commands"
    good = [envelope(withdraw(key))._replace(lane="a", topic=topic) for key in ("p", "q")]
    nowhere = good[0]._replace(lane="b", partition=7)

    first = await publisher.publish([good[0], nowhere, good[1]])
    again = await publisher.publish([nowhere, good[1], good[0]])

    assert first == [True, False, True]
    assert again == [False, True, True]
