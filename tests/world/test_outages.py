"""PostgreSQL and Kafka killed, standing still, out of space; and brokers lost one after another."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.embedded import stack as embedded
from tests.world.cluster import cluster
from tests.world.disk import Disk, small_disk
from tests.world.machine import Machine
from tests.world.office import Office, office_of

pytestmark = pytest.mark.world
BURST = 2000
DISK_MB = 500
STILL_SECONDS = (20, 40)


async def burst(office: Office) -> float:
    """How fast it is now: messages handled and answered, a second."""
    rows = [office.next_to(office.person(n % 20)) for n in range(BURST)]
    office.send(rows)
    return BURST / await office.settled()


async def survives(office: Office, what: str, happen: Callable[[], Awaitable[None]]) -> None:
    """Under load, something happens; then all is there, and it works on as before."""
    office.start()
    await burst(office)
    before = await burst(office)
    async with office.pouring():
        await office.some_more()
        await happen()
    caught_up = await office.settled()
    after = await burst(office)
    print(
        f"{what}: {office.sent.total()} messages, caught up {caught_up:.1f} s after it, "
        f"{before:.0f}/s before and {after:.0f}/s after, {office.restarts} restarts"
    )
    await office.assert_all_once_in_order()


@pytest.mark.parametrize("name", ["postgres", "kafka"])
async def test_killed_three_times(machine: Machine, office: Office, name: str) -> None:
    async def happen() -> None:
        for _ in range(3):
            machine.kill(name)
            await office.some_more(100)

    await survives(office, f"SIGKILL of {name}, three times", happen)


@pytest.mark.parametrize("seconds", STILL_SECONDS)
@pytest.mark.parametrize("name", ["postgres", "kafka"])
async def test_standing_still(machine: Machine, office: Office, name: str, seconds: int) -> None:
    async def happen() -> None:
        with machine.standing_still(name):
            await asyncio.sleep(seconds)

    await survives(office, f"SIGSTOP of {name} for {seconds} s", happen)


@contextmanager
def stack_on_small_disk(part: str) -> Iterator[tuple[Machine, Disk]]:
    """A stack of its own, of which this folder has a small disk."""
    folder = Path(tempfile.mkdtemp(prefix="jiexu-full-"))
    home = folder / "home"
    home.mkdir()
    try:
        embedded.up(home, services=(), report=lambda _: None)
        embedded.down(home, lambda _: None)
        with small_disk(home / part, DISK_MB) as disk:
            try:
                running = embedded.up(home, services=(), report=lambda _: None)
                yield Machine(home, running.database, running.kafka), disk
            finally:
                embedded.down(home, lambda _: None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("part", ["postgres", "."])
async def test_a_full_disk_until_there_is_room_again(tmp_path: Path, part: str) -> None:
    with stack_on_small_disk(part) as (machine, disk):
        async with office_of(machine.dsn, machine.kafka, tmp_path) as office:

            async def happen() -> None:
                disk.fill(but_mb=1)
                await disk.until_refused(machine.home / "logs" / "postgres.log")
                await asyncio.sleep(10)
                disk.free()

            await survives(office, f"a full disk under {part}", happen)


async def test_a_broker_of_three_is_lost_and_then_another(machine: Machine, tmp_path: Path) -> None:
    async with (
        cluster(tmp_path / "brokers") as brokers,
        office_of(machine.dsn, brokers.addresses, tmp_path, replication=3) as office,
    ):

        async def happen() -> None:
            brokers.kill(0)
            await office.some_more(400)  # two of three go on
            brokers.kill(1)
            await asyncio.sleep(20)  # one alone acknowledges nothing
            await brokers.start(1)
            await office.some_more(400)
            await brokers.start(0)

        await survives(office, "one and then two of three brokers killed", happen)
