"""Moving a province between two embedded cells: both come up without services, and go down."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO

import asyncpg

from deploy.embedded import cells, postgres, stack
from deploy.embedded.home import Home, StackFailed
from deploy.provinces import Handover, move


def give(home: Home, target: Home, province: str, report: Callable[[str], None]) -> dict[str, int]:
    """Moves a province with its rows to the cell of another home; how many rows of each table.

    All stacks of the network are down before and after. Run again, it completes what was cut
    short. Raises StackFailed and MoveRefused.
    """
    for place in (home, target):
        place.refuse_half_restored()
    cell, served = cells.cell_of(target), cells.provinces(home)
    if cells.network_of(target) != home or served.get(province, cell) != cell:
        raise StackFailed(
            f"{target.folder} has not joined the Kafka of {home.folder}, or {province} has moved "
            "to another cell already: only the first cell gives provinces away"
        )
    for place in (home, target):
        if stack.find(place.folder) is not None:
            raise _runs(place)
    handover = Handover(
        province,
        assigned=province in served,
        serves_others=cell in {c for p, c in served.items() if p != province},
        assign=lambda: cells.assign(home, {province: cell}),
    )
    others = [o for o in cells.joined(home) if o.folder.resolve() != target.folder.resolve()]
    unknown = {*served.values()} - {cell, *map(cells.cell_of, others)}
    if unknown:
        report(
            f"not known here is where {', '.join(unknown)} runs: stop it, and start it after this"
        )
    with ExitStack() as held:
        for other in others:
            held.enter_context(_kept_down(other))
        for place in (home, target):
            held.callback(stack.down, place.folder, report)
        kafka = stack.up(home.folder, services=(), report=report).kafka
        stack.up(target.folder, services=(), report=report)
        return asyncio.run(_move(home, target, kafka, handover))


def _runs(home: Home) -> StackFailed:
    return StackFailed(f"a stack runs in {home.folder}: stop it (`jiexu down`) first")


def _kept_down(home: Home) -> "IO[bytes]":
    """Nothing starts there until this is closed: the map is read at the start alone."""
    lock = home.hold()
    if lock is None:
        raise _runs(home)
    return lock


async def _move(home: Home, target: Home, kafka: str, handover: Handover) -> dict[str, int]:
    source = await asyncpg.connect(postgres.dsn(home))
    try:
        there = await asyncpg.connect(postgres.dsn(target))
        try:
            return await move(source, there, kafka, handover)
        finally:
            await there.close()
    finally:
        await source.close()
