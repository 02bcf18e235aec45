"""What is asked of the transfers: read-only, apart from the path of the messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from services.transfer.states import Transfer
from services.transfer.statistics import Moved, Took

_TRANSFER = TypeAdapter(Transfer)
_SILENCE = timedelta(hours=1)
"""What a machine answers comes in a second; after an hour somebody should look."""

# Late, or paused, or a machine has not answered one of the legs for an hour.
_STUCK = (
    "((NOT closed AND (overdue OR (state->>'due_at')::timestamptz < $5))"
    " OR state->'paused' IS NOT NULL OR (NOT closed"
    " AND (record = 'released' OR money = 'released'"
    " OR (money = 'pending' AND record IN ('joined', 'disputed')))"
    " AND NOT EXISTS (SELECT FROM steps s WHERE s.person = t.person AND s.id = t.id"
    " AND s.kind = 'goes' AND s.at > $6)))"
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which transfers: what is None does not matter. `regions` is what the asker may see."""

    regions: Sequence[str] | None = None
    person: str | None = None
    state: str | None = None
    region: str | None = None
    origin: str | None = None
    destination: str | None = None
    stuck_at: datetime | None = None
    closed: bool | None = None
    paused: bool | None = None


async def find(db: asyncpg.Connection, id_: UUID) -> Transfer | None:
    """One transfer by its id."""
    state = await db.fetchval("SELECT state FROM transfers WHERE id = $1", id_)
    return _TRANSFER.validate_json(state) if state else None


async def listed(
    db: asyncpg.Connection, which: Filter, limit: int, after: UUID | None
) -> list[Transfer]:
    """Transfers by opening time and id, after one that was seen."""
    rows = await db.fetch(
        "SELECT state FROM transfers t WHERE ($1::text IS NULL OR person = $1)"  # noqa: S608 - constants
        " AND ($2::text IS NULL OR $2 IN (record, money))"
        " AND ($3::text[] IS NULL OR origin = ANY($3) OR destination = ANY($3))"
        " AND ($4::text IS NULL OR $4 IN (origin, destination))"
        f" AND ($5::timestamptz IS NULL OR {_STUCK})"
        " AND ($7::text IS NULL OR origin = $7) AND ($8::text IS NULL OR destination = $8)"
        " AND ($9::bool IS NULL OR closed = $9)"
        " AND ($10::bool IS NULL OR (state->'paused' IS NOT NULL) = $10)"
        " AND ($12::uuid IS NULL OR (opened_at, id) >"
        " (SELECT opened_at, id FROM transfers WHERE id = $12 LIMIT 1))"
        " ORDER BY opened_at, id LIMIT $11",
        which.person,
        which.state,
        which.regions,
        which.region,
        which.stuck_at,
        which.stuck_at - _SILENCE if which.stuck_at else None,
        which.origin,
        which.destination,
        which.closed,
        which.paused,
        limit,
        after,
    )
    return [_TRANSFER.validate_json(row["state"]) for row in rows]


async def since(
    db: asyncpg.Connection, transfers: Sequence[Transfer]
) -> dict[UUID, dict[str, datetime]]:
    """Since when the record and the money of each are as they are."""
    rows = await db.fetch(
        "SELECT s.id, s.at, s.record, s.money FROM steps s"
        " JOIN unnest($1::text[], $2::uuid[]) AS k (person, id)"
        " ON s.person = k.person AND s.id = k.id WHERE s.kind = 'goes'"
        " ORDER BY s.person, s.id, s.n",
        [t.person for t in transfers],
        [t.id for t in transfers],
    )
    began: dict[UUID, dict[str, datetime]] = {t.id: {} for t in transfers}
    before: dict[tuple[UUID, str], str] = {}
    for row in rows:
        id_ = UUID(int=row["id"].int)
        for leg in ("record", "money"):
            if before.get((id_, leg)) != row[leg]:
                before[id_, leg] = row[leg]
                began[id_][leg] = row["at"]
    return began


async def steps_of(db: asyncpg.Connection, id_: UUID) -> list[dict[str, Any]]:
    """Each step of a transfer, in order, with its why."""
    rows = await db.fetch(
        "SELECT s.at, s.type, s.kind, s.why, s.record, s.money FROM steps s"
        " JOIN transfers t ON t.person = s.person AND t.id = s.id WHERE t.id = $1 ORDER BY s.n",
        id_,
    )
    return [dict(row) for row in rows]


async def counted(db: asyncpg.Connection) -> list[dict[str, Any]]:
    """How many transfers are in each pair of states."""
    rows = await db.fetch(
        "SELECT record, money, closed, overdue, count(*) AS count FROM transfers"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    return [dict(row) for row in rows]


# When each transfer first came to be accepted, released and joined, and when it closed; of those
# to which something happened from $1 until $2.
_TIMES = """
WITH times AS (
  SELECT person, id,
         min(at) FILTER (WHERE type = 'enrollment.release-accepted.v1') AS accepted,
         min(at) FILTER (WHERE type = 'enrollment.record-released.v1') AS released,
         min(at) FILTER (WHERE type = 'enrollment.record-joined.v1') AS joined
    FROM steps WHERE kind = 'goes' AND at < $2
     AND (person, id) IN (SELECT person, id FROM steps WHERE at >= $1 AND at < $2) GROUP BY 1, 2),
cases AS (
  SELECT t.origin, t.destination, t.opened_at, x.*,
         t.state->>'scheme' || '>' || (t.state->>'new_scheme') AS pair,
         (t.state->>'closed_at')::timestamptz AS closed
    FROM transfers t JOIN times x USING (person, id))
"""
_MOVED = f"""{_TIMES}
SELECT direction, origin, destination, pair, count(*) AS count
  FROM cases CROSS JOIN LATERAL (VALUES ('in', joined), ('out', released)) AS v (direction, at)
 WHERE at >= $1 AND at < $2 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""  # noqa: S608 - our own text
_TOOK = f"""{_TIMES}
SELECT step, origin, destination, (began AT TIME ZONE 'Asia/Shanghai')::date AS began_on,
       (ended AT TIME ZONE 'Asia/Shanghai')::date AS ended_on, count(*) AS count
  FROM cases CROSS JOIN LATERAL (VALUES
         ('answer', opened_at, accepted), ('transfer-out', accepted, released),
         ('transfer-in', released, joined), ('whole', coalesce(accepted, released), closed)
       ) AS v (step, began, ended)
 WHERE began IS NOT NULL AND ended >= $1 AND ended < $2
 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""  # noqa: S608 - our own text


async def moved(db: asyncpg.Connection, first: datetime, end: datetime) -> list[Moved]:
    """Transfers released or joined from `first` until `end`, by corridor and pair of schemes."""
    return [Moved(*row) for row in await db.fetch(_MOVED, first, end)]


async def took(db: asyncpg.Connection, first: datetime, end: datetime) -> list[Took]:
    """Steps that ended from `first` until `end`, by the days on which they began and ended."""
    return [Took(*row) for row in await db.fetch(_TOOK, first, end)]
