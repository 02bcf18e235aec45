"""Lanes: the fence around a partition's owner, its position, and how far its messages are out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

import asyncpg

from shared.calendar import SHANGHAI


class Fenced(Exception):
    """Another process owns the lane now: what we did under the old epoch rolls back."""


@dataclass(slots=True)
class Lane:
    """A lane as its owner holds it inside a transaction."""

    name: str
    epoch: int
    next_offset: int
    seq: int
    published: int


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key, the same in every topic of every cell."""
    return crc32(key.encode()) % partitions


async def take_over(db: asyncpg.Connection, names: Iterable[str], owner: str) -> list[Lane]:
    """Makes `owner` the owner of these lanes; waits for open transactions of the former one."""
    rows = await db.fetch(
        "INSERT INTO lanes (name, epoch, owner) SELECT n, 1, $2 FROM unnest($1::text[]) AS n"
        " ORDER BY n ON CONFLICT (name) DO UPDATE SET epoch = lanes.epoch + 1, owner = $2"
        " RETURNING name, epoch, next_offset, seq, published",
        sorted(names),
        owner,
    )
    return [Lane(*row) for row in rows]


async def hold(
    db: asyncpg.Connection, epochs: dict[str, int]
) -> tuple[dict[str, Lane], datetime, bool]:
    """Locks the lanes of `epochs` for this transaction.

    Gives the lanes, the business time, and whether any key is parked. Raises Fenced.
    """
    # A connection keeps the plans of its statements, those too that it made while a table was
    # still empty: in a batch none may be one that reads a whole table.
    rows = await db.fetch(
        "SELECT name, epoch, next_offset, seq, published, clock_timestamp() AS real,"
        " (SELECT offset_us FROM cell.clock) AS offset_us,"
        " EXISTS (SELECT FROM dead_letters WHERE state IN ('refused', 'parked')) AS parked,"
        " set_config('enable_seqscan', 'off', true)"
        " FROM lanes WHERE name = ANY($1) ORDER BY name FOR UPDATE OF lanes",
        sorted(epochs),
    )
    lanes = {row["name"]: Lane(*row[:5]) for row in rows}
    for name, epoch in epochs.items():
        if name not in lanes or lanes[name].epoch != epoch:
            raise Fenced(f"lane {name} has another owner")
    first = rows[0]
    at = (first["real"] + timedelta(microseconds=first["offset_us"])).astimezone(SHANGHAI)
    return lanes, at, bool(first["parked"])


async def reserve(db: asyncpg.Connection, name: str, count: int) -> int:
    """Numbers for `count` messages on a lane that is fed from outside: the first of them.

    The row stays locked until the caller commits, so numbers become visible in order.
    """
    last = await db.fetchval(
        "INSERT INTO lanes (name, seq) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET seq = lanes.seq + $2 RETURNING seq",
        name,
        count,
    )
    return int(last) - count + 1


async def advance(db: asyncpg.Connection, lanes: Sequence[Lane]) -> None:
    """Writes position, numbering and what is published, for lanes held by this transaction."""
    await db.execute(
        "UPDATE lanes SET next_offset = new.next_offset, seq = new.seq,"
        " published = greatest(lanes.published, new.published)"
        " FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])"
        " AS new (name, next_offset, seq, published) WHERE lanes.name = new.name",
        [lane.name for lane in lanes],
        [lane.next_offset for lane in lanes],
        [lane.seq for lane in lanes],
        [lane.published for lane in lanes],
    )


async def pass_over(db: asyncpg.Connection, epochs: dict[str, int], ends: dict[str, int]) -> None:
    """Moves lanes to these offsets, before which there is nothing to handle. Raises Fenced."""
    held, *_ = await hold(db, {name: epochs.get(name, -1) for name in ends})
    for name, lane in held.items():
        lane.next_offset = max(lane.next_offset, ends[name])
    await advance(db, list(held.values()))


async def acknowledge(
    db: asyncpg.Connection, published: dict[str, int], epochs: dict[str, int]
) -> list[str]:
    """Writes how far lanes are published, where we still own them; the names of those written.

    A lane that somebody holds just now is left for the next time.
    """
    rows = await db.fetch(
        "UPDATE lanes SET published = greatest(lanes.published, new.published)"
        " FROM (SELECT lanes.name, asked.published FROM lanes"
        " JOIN unnest($1::text[], $2::bigint[], $3::bigint[]) AS asked (name, published, epoch)"
        " ON lanes.name = asked.name AND lanes.epoch = asked.epoch"
        " ORDER BY lanes.name FOR UPDATE OF lanes SKIP LOCKED) AS new"
        " WHERE lanes.name = new.name RETURNING lanes.name",
        list(published),
        list(published.values()),
        [epochs.get(name, -1) for name in published],
    )
    return [row["name"] for row in rows]
