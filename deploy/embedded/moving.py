"""Moving a province between two embedded cells: both come up without services, and go down."""

import asyncio
from collections.abc import Callable

import asyncpg

from deploy.embedded import cells, postgres, stack
from deploy.embedded.home import Home, StackFailed
from deploy.provinces import move


def give(home: Home, target: Home, province: str, report: Callable[[str], None]) -> dict[str, int]:
    """Moves a province with its rows to the cell of another home; how many rows of each table.

    Both stacks are down before and after. Raises StackFailed and MoveRefused.
    """
    for place in (home, target):
        place.refuse_half_restored()
    if cells.network_of(target) != home or cells.provinces(home).get(province):
        raise StackFailed(
            f"{target.folder} has not joined the Kafka of {home.folder}, or {province} has moved "
            "already: only the first cell gives provinces away"
        )
    for place in (home, target):
        if stack.find(place.folder) is not None:
            raise StackFailed(f"a stack runs in {place.folder}: stop it (`jiexu down`) first")
    try:
        kafka = stack.up(home.folder, services=(), report=report).kafka
        stack.up(target.folder, services=(), report=report)
        moved = asyncio.run(_move(home, target, kafka, province))
        cells.assign(home, {province: cells.cell_of(target)})
    finally:
        stack.down(target.folder, report)
        stack.down(home.folder, report)
    return moved


async def _move(home: Home, target: Home, kafka: str, province: str) -> dict[str, int]:
    source = await asyncpg.connect(postgres.dsn(home))
    try:
        there = await asyncpg.connect(postgres.dsn(target))
        try:
            return await move(source, there, kafka, province)
        finally:
            await there.close()
    finally:
        await source.close()
