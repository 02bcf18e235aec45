"""The way to PostgreSQL breaks or is slow; cheap enough for every run of the tests."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain, repeat
from pathlib import Path

import pytest

from deploy.embedded import postgres
from deploy.embedded.home import Home
from tests.world.machine import Machine
from tests.world.office import Office
from tests.world.proxy import Fate, way_to

SOCKET = ".s.PGSQL.5432"


def socket_of(machine: Machine) -> Path:
    return postgres.socket_folder(Home.at(machine.home)) / SOCKET


async def test_a_connection_cut_in_the_middle_of_commit_loses_and_doubles_nothing(
    machine: Machine, office: Office
) -> None:
    async with way_to(socket_of(machine)) as way:
        office.start(dsn=way.dsn("jiexu"))
        await office.some_more(0)
        every: tuple[Fate, ...] = ("pass", "pass", "cut after", "pass", "cut before")
        async with office.pouring():
            await office.some_more()
            way.fates = chain(list(every) * 6, repeat("pass"))
            while way.seen["cut after"] + way.seen["cut before"] < 12:
                await office.some_more(50)
        await office.settled()

    assert (way.seen["cut after"], way.seen["cut before"]) == (6, 6)
    await office.assert_all_once_in_order()


async def test_answers_of_the_last_batch_are_published_though_its_commit_was_not_heard_of(
    machine: Machine, office: Office
) -> None:
    async with way_to(socket_of(machine)) as way:
        office.start(dsn=way.dsn("jiexu"))
        office.send([office.next_to(office.person(0))])
        await office.settled()
        way.fates = chain(["cut after"], repeat("pass"))

        # Nothing comes behind it on its lane that would tell of the gap.
        office.send([office.next_to(office.person(0))])
        await office.settled()

    assert way.seen["cut after"] == 1
    await office.assert_all_once_in_order()


async def test_a_slow_way_that_breaks_again_and_again_is_only_slow(
    machine: Machine, office: Office
) -> None:
    async with way_to(socket_of(machine)) as way:
        office.start(dsn=way.dsn("jiexu"))
        async with office.pouring(a_second=100):
            await office.some_more()
            for delay in (0.05, 0.2):
                way.delay = delay
                await office.some_more(100)
                way.break_all()
            way.delay = 0.0
        await office.settled()

    await office.assert_all_once_in_order()


@asynccontextmanager
async def silent(machine: Machine, office: Office) -> AsyncIterator[None]:
    """A worker has handled something, its way falls silent, and there is something more to do."""
    async with way_to(socket_of(machine)) as way:
        office.start(dsn=way.dsn("jiexu"))
        office.send([office.next_to(office.person(0))])
        await office.settled()
        way.fall_silent()
        office.send([office.next_to(office.person(0))])
        yield


async def test_a_worker_told_to_end_on_a_silent_way_ends_by_itself(
    machine: Machine, office: Office
) -> None:
    async with silent(machine, office):
        begun = time.monotonic()
        await office.stop(0)
        took = time.monotonic() - begun
        office.start()
        await office.settled()

    assert took < 20
    await office.assert_all_once_in_order()


@pytest.mark.world
async def test_a_way_that_falls_silent_ends_the_worker_and_loses_nothing(
    machine: Machine, office: Office
) -> None:
    async with silent(machine, office):
        await office.settled()

    assert office.restarts == 1
    await office.assert_all_once_in_order()
