"""Messages that come several times, between others, from another hour; workers that come and go."""

import asyncio
import random
from datetime import timedelta

import asyncpg
import pytest

from tests.world.machine import Machine
from tests.world.office import Office, shuffled_between_keys

PEOPLE = 20


def chance() -> random.Random:
    return random.Random(7)


async def test_every_message_delivered_two_to_five_times_counts_once(office: Office) -> None:
    dice = chance()
    office.start()
    for _ in range(5):
        fresh = [office.next_to(office.person(n % PEOPLE)) for n in range(200)]
        # A copy comes at once, behind later ones of its key, or in another batch.
        copies = [row for row in fresh for _ in range(dice.randint(1, 4))]
        office.send(shuffled_between_keys(fresh, dice))
        office.send(dice.sample(copies, len(copies)))
    await office.settled()

    await office.assert_all_once_in_order()


async def test_an_order_shuffled_between_keys_is_the_same_for_each_key(office: Office) -> None:
    dice = chance()
    office.start()
    for _ in range(5):
        fresh = [office.next_to(office.person(n % PEOPLE)) for n in range(200)]
        office.send(shuffled_between_keys(fresh, dice))
    await office.settled()

    await office.assert_all_once_in_order()


async def test_senders_and_workers_whose_clocks_jump_by_an_hour_lose_nothing(
    office: Office,
) -> None:
    for hours in (0, 1, -1, 0):
        office.start(ahead_hours=hours)
        for jump in (0, 1, -1):
            rows = [
                office.next_to(office.person(n % PEOPLE), timedelta(hours=jump)) for n in range(60)
            ]
            office.send(rows)
            await office.settled()
            office.send(rows)
        await office.stop(0)
    office.start()
    await office.settled()

    await office.assert_all_once_in_order()


@pytest.mark.world
async def test_workers_that_come_and_go_every_two_seconds_take_over_from_each_other(
    machine: Machine, office: Office
) -> None:
    office.start(0)
    async with office.pouring():
        await office.some_more()
        for _ in range(8):
            office.start(1)
            await asyncio.sleep(2)
            await office.stop(1)
        office.start(1)
        await office.some_more(500)
        await office.stop(0)
        await office.some_more(100)
    await office.settled()

    db = await asyncpg.connect(machine.dsn)
    takings = await db.fetchval(
        "SELECT max(epoch) FROM transfer.lanes WHERE name LIKE $1", f"{office.cell}.%"
    )
    await db.close()
    assert takings > 3, "nothing was handed over"
    await office.assert_all_once_in_order()
