"""The event log in PostgreSQL: copied from every topic, read by transfer, key or cursor."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from operator import itemgetter
from uuid import UUID

import asyncpg

from services.monitor.rows import Row, packed, row_of
from services.monitor.timeline import Event
from shared.copying import copied
from shared.dead_letters import Record
from shared.messages.catalogue import OWNERS
from shared.messages.enrollment import Answered

MOST_EVENTS = 10_000
"""More than any transfer or person has; a bound all the same."""
_AHEAD = timedelta(days=3)
_FOREVER = date(1970, 1, 1)
_SHOWN = ", ".join(f'"{column}"' for column in Row._fields[1:])
# Spelled out for each case, so that the planner sees which index serves it.
_ABOUT = {
    (False, True): "transfer = $5 AND $6::text IS NULL",
    (True, False): "$5::uuid IS NULL AND key = $6",
    (False, False): "transfer = $5 AND key = $6",
}
_KNOWN = (
    "known AS (SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])"
    ' AS k (topic, partition, "offset"))'
)
_NEXT = (
    f'SELECT {_SHOWN} FROM next JOIN events USING (topic, partition, "offset", day)'  # noqa: S608
    ' ORDER BY latest, topic, partition, "offset"'
)
_CLOCK = "clock_timestamp() + offset_us * interval '1 microsecond'"

Where = dict[str, dict[int, int]]
"""The last offset that was read, by topic and partition."""


class Monitor:
    """What the chassis copies every topic through, but for upstream records: they are outside."""

    name = "monitor"
    topics: tuple[str, ...] = (
        *(f"{owner}.{stream}" for owner in OWNERS for stream in ("commands", "events")),
        Answered.answers,
    )

    async def copy(self, db: asyncpg.Connection, records: Sequence[Record]) -> None:
        """Keeps the records as they came. One that is here already, or unreadable, is no error."""
        again = [row_of(record) for record in records if "republished" in record.headers]
        logged = await _logged(db, again) if again else set()
        if logged:
            records = [record for record in records if row_of(record).id not in logged]
        try:
            async with db.transaction():
                source = copied(map(packed, records))
                await db.copy_to_table(
                    "events", source=source, columns=Row._fields, format="binary"
                )
        except asyncpg.UniqueViolationError:
            # Only where positions were set back: COPY is quicker, but knows no ON CONFLICT.
            await _copy_what_is_new(db, [row_of(record) for record in records])


async def _logged(db: asyncpg.Connection, rows: Sequence[Row]) -> set[UUID]:
    """Which of these are here under another place: a restore sends again what a reader lacks."""
    found = await db.fetch(
        "SELECT e.id FROM events e JOIN unnest($1::date[], $2::text[], $3::uuid[])"
        " AS r (day, key, id) ON e.day = r.day AND e.key = r.key AND e.id = r.id",
        [row.day for row in rows],
        [row.key for row in rows],
        [row.id for row in rows],
    )
    return {row["id"] for row in found}


async def _copy_what_is_new(db: asyncpg.Connection, rows: Sequence[Row]) -> None:
    await db.execute(
        f"INSERT INTO events (day, {_SHOWN}) SELECT * FROM unnest($1::date[],"  # noqa: S608
        " $2::text[], $3::int[], $4::bigint[], $5::uuid[], $6::text[], $7::text[],"
        " $8::uuid[], $9::text[], $10::timestamptz[], $11::timestamptz[], $12::uuid[],"
        " $13::uuid[], $14::text[], $15::bigint[], $16::bytea[]) ON CONFLICT DO NOTHING",
        *zip(*sorted(rows, key=itemgetter(1, 2, 3)), strict=True),
    )


async def ensure_partitions(db: asyncpg.Connection, today: date) -> None:
    """Makes the partitions of these days. Nothing is dropped: what happened is kept.

    A day of which the default partition holds something stays there.
    """
    for day in (today + timedelta(days=n) for n in range(-1, _AHEAD.days + 1)):
        if not await db.fetchval("SELECT EXISTS (SELECT FROM events_other WHERE day = $1)", day):
            await db.execute(
                "SELECT cell.keep_partitions('events'::regclass, $1, $1, $2)", day, _FOREVER
            )


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has come in every partition of every topic.

    Rows of one partition are committed in the order of their offsets, so that nothing is skipped,
    which a number over all rows could not promise.
    """

    where: Where = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor in `text`. Raises ValueError."""
        try:
            raw = json.loads(urlsafe_b64decode(text.encode()))
            where = {t: {int(p): int(o) for p, o in places.items()} for t, places in raw.items()}
        except (BadBase64, AttributeError, TypeError, ValueError) as error:
            raise ValueError("this is no cursor") from error
        return cls(where)

    @property
    def columns(self) -> tuple[list[str], list[int], list[int]]:
        """Its topics, partitions and offsets, for `_KNOWN`."""
        places = [(t, p, o) for t, ps in self.where.items() for p, o in ps.items()]
        return [t for t, _, _ in places], [p for _, p, _ in places], [o for _, _, o in places]

    def text(self) -> str:
        """The cursor as it goes into a URL."""
        return urlsafe_b64encode(json.dumps(self.where, separators=(",", ":")).encode()).decode()

    def past(self, rows: Sequence[asyncpg.Record]) -> "Cursor":
        """The cursor after these rows."""
        where = {topic: dict(places) for topic, places in self.where.items()}
        for row in rows:
            places = where.setdefault(row["topic"], {})
            places[row["partition"]] = max(places.get(row["partition"], -1), row["offset"])
        return Cursor(where)


async def about(
    db: asyncpg.Connection,
    cursor: Cursor,
    limit: int,
    *,
    transfer: UUID | None = None,
    key: str | None = None,
) -> list[asyncpg.Record]:
    """The next events of a transfer, or of a key, or of both, in the order of the log (`after`)."""
    rows: list[asyncpg.Record] = await db.fetch(
        f"WITH {_KNOWN}, next AS ("  # noqa: S608 - constants
        ' SELECT topic, partition, e."offset", day, max(sent_at) OVER'
        ' (PARTITION BY topic, partition ORDER BY e."offset") AS latest'
        " FROM events e LEFT JOIN known k USING (topic, partition)"
        f" WHERE {_ABOUT[transfer is None, key is None]}"
        ' AND e."offset" > coalesce(k."offset", -1)'
        ' ORDER BY latest, topic, partition, "offset" LIMIT $4)'
        f" {_NEXT}",
        *cursor.columns,
        limit,
        transfer,
        key,
    )
    return rows


async def after(db: asyncpg.Connection, cursor: Cursor, limit: int) -> list[asyncpg.Record]:
    """The next events of the whole log, each partition in its order, about by the time of sending.

    Every partition offers its next `limit` rows at the latest time seen so far in it, so that the
    merged order never takes a row before an earlier one of its partition.
    """
    rows: list[asyncpg.Record] = await db.fetch(
        "WITH RECURSIVE places AS ("  # noqa: S608 - constants
        " (SELECT topic, partition FROM events ORDER BY topic, partition LIMIT 1)"
        " UNION ALL SELECT n.topic, n.partition FROM places p CROSS JOIN LATERAL"
        " (SELECT topic, partition FROM events WHERE (topic, partition) > (p.topic, p.partition)"
        " ORDER BY topic, partition LIMIT 1) n),"
        f" {_KNOWN},"
        " next AS (SELECT n.* FROM places p LEFT JOIN known k USING (topic, partition)"
        ' CROSS JOIN LATERAL (SELECT topic, partition, "offset", day,'
        ' max(sent_at) OVER (ORDER BY "offset") AS latest FROM'
        ' (SELECT topic, partition, "offset", day, sent_at FROM events'
        " WHERE topic = p.topic AND partition = p.partition"
        ' AND "offset" > coalesce(k."offset", -1) ORDER BY "offset" LIMIT $4) AS r) AS n'
        ' ORDER BY latest, topic, partition, "offset" LIMIT $4)'
        f" {_NEXT}",
        *cursor.columns,
        limit,
    )
    return rows


def event(row: asyncpg.Record) -> Event:
    """The row as the timeline takes it."""
    return Event(
        row["id"],
        row["type"],
        row["at"],
        row["sent_at"],
        row["lane"] or "",
        row["seq"] or 0,
        row["body"],
    )


async def latency(db: asyncpg.Connection, since: datetime | None) -> asyncpg.Record:
    """From the first message of a transfer to its advance, in ms of real time, over all transfers.

    What waited for a limit (an advance that was declined first) or for a clerk (a release that was
    completed later) did not wait for the system: it is left out.
    """
    return await db.fetchrow(
        "SELECT count(*) AS transfers, coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms), 0)"
        " AS p50, coalesce(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms), 0) AS p99,"
        " coalesce(max(ms), 0) AS max FROM (SELECT (extract(epoch FROM min(sent_at)"
        " FILTER (WHERE type LIKE 'settlement.advance-credited.%') - min(sent_at)) * 1000)::float8"
        " AS ms FROM events WHERE transfer IS NOT NULL GROUP BY transfer HAVING"
        " bool_or(type LIKE 'settlement.advance-credited.%')"
        " AND NOT bool_or(type LIKE 'settlement.advance-declined.%')"
        " AND NOT bool_or(type LIKE 'enrollment.complete-release.%')"
        " AND min(sent_at) >= coalesce($1::timestamptz, '-infinity')) AS each",
        since,
    )


async def set_clock(db: asyncpg.Connection, at: datetime) -> datetime | None:
    """Puts the business clock to `at`; None where it is later already and something has happened.

    A stack on which nothing has happened yet may begin at any time.
    """
    now: datetime | None = await db.fetchval(
        "UPDATE cell.clock SET offset_us ="  # noqa: S608 - constants
        " extract(epoch FROM $1 - clock_timestamp()) * 1000000"
        f" WHERE {_CLOCK} <= $1 OR NOT EXISTS (SELECT FROM events) RETURNING {_CLOCK}",
        at,
    )
    return now
