"""The books made again from the messages: what settlement handled, through its own three functions,
into empty tables; the entries of both must be the same.

The tables are temporary and stand before the real ones in the search path, so that neither `load`
nor `save` knows the difference, and memory holds one batch. The order is that of the entries: they
are numbered under the locks of what they touch, so that messages which could see each other come in
the order in which they did; a message without an entry comes before the next of its partition.
"""

import json
from collections.abc import AsyncIterator, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared import db as database
from shared.calendar import SHANGHAI
from shared.decision import Delivery, Unexpected
from shared.messages import Message
from shared.messages.catalogue import read
from shared.service import Service
from shared.settings import Settings

_BATCH = 500
_SHOWN = 20
# What delivers messages is not the books.
_CHASSIS = frozenset({"lanes", "inbox", "outbox", "timers", "dead_letters"})
_FIELDS = ("partition", "offset", "id", "type", "key", "sent_at", "at", "correlation", "body")

_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'settlement' AND c.relkind = 'r' AND NOT c.relispartition
   AND c.relname <> ALL($1) ORDER BY 1
"""
_LOG = """
CREATE TEMP TABLE log (
  partition text NOT NULL, "offset" bigint NOT NULL, id uuid NOT NULL, type text NOT NULL,
  key text NOT NULL, sent_at timestamptz NOT NULL, at timestamptz NOT NULL, correlation uuid,
  body bytea NOT NULL);
CREATE TEMP TABLE caused (cause uuid NOT NULL, at timestamptz NOT NULL);
"""
# When it was handled: as what it led to says, else as its entry, else when it was said.
_ORDERED = """
CREATE TEMP TABLE handled AS
WITH once AS (
  SELECT DISTINCT ON (id) * FROM log ORDER BY id, partition, "offset"),
told AS (SELECT cause, min(at) AS at FROM caused GROUP BY 1),
made AS (
  SELECT cause, min(n) AS n, min(business_date) FILTER (WHERE late IS NULL) AS day
    FROM settlement.entries WHERE n <= $1 GROUP BY 1),
placed AS (
  SELECT o.*, m.n AS own, coalesce(t.at,
           CASE WHEN m.day > (o.at AT TIME ZONE 'Asia/Shanghai')::date
                THEN m.day::timestamp AT TIME ZONE 'Asia/Shanghai' ELSE o.at END) AS done,
         min(m.n) OVER (PARTITION BY o.partition ORDER BY o."offset"
                        ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next
    FROM once o LEFT JOIN made m ON m.cause = o.id LEFT JOIN told t ON t.cause = o.id)
SELECT row_number() OVER (ORDER BY coalesce(own, next) NULLS LAST, partition, "offset") AS seq,
       id, type, key, body, sent_at, done AS at, correlation
  FROM placed WHERE coalesce(own, next) IS NOT NULL OR $2
"""
_PAGE = "SELECT * FROM handled WHERE seq > $1 AND seq <= $2 ORDER BY seq"
# An entry with all that it says, but for its number: a text, so that two can be compared.
_WHOLE = """
SELECT e.person, e.id, e.cause, e.kind, e.region,
       concat_ws(' ', e.region, e.kind, e.subject, e.version, e.transfer, e.business_date,
         e.reverses,
         (SELECT string_agg(concat_ws('>', p.debit, p.credit, p.amount_fen), ' ' ORDER BY p.line)
            FROM {schema}.postings p WHERE p.person = e.person AND p.entry = e.id)) AS whole
  FROM {schema}.entries e WHERE {which}
"""
_COMPARED = f"""
SELECT coalesce(k.id, m.id) AS id, coalesce(k.kind, m.kind) AS kind,
       coalesce(k.region, m.region) AS region, coalesce(k.cause, m.cause) AS cause,
       CASE WHEN m.id IS NULL THEN 'not_made_again' WHEN k.id IS NULL THEN 'not_in_the_books'
            ELSE 'differs' END AS code,
       k.whole AS kept, m.whole AS made, count(*) OVER () AS count
  FROM ({_WHOLE.format(schema="settlement", which="e.n <= $1")}) k
  FULL JOIN ({_WHOLE.format(schema="pg_temp", which="true")}) m USING (person, id)
 WHERE k.whole IS DISTINCT FROM m.whole
 ORDER BY 5, 1 LIMIT $2
"""  # noqa: S608 - our own text


@dataclass
class Replayed:
    """What came of it: how much was read and made again, and where the two differ."""

    messages: int = 0
    refused: int = 0
    entries: int = 0
    differences: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


async def mark(db: asyncpg.Connection) -> int:
    """The number of the last entry: the messages that made it are in the log."""
    return int(await db.fetchval("SELECT coalesce(max(n), 0) FROM entries"))


async def replay(
    settings: Settings, service: Service, lines: AsyncIterator[bytes], upto: int
) -> Replayed:
    """Makes the entries up to a number again from the lines of the event log, and compares."""
    pool = await database.connect(settings, service.name, size=1)
    try:
        async with pool.acquire() as db:
            await _empty(db)
            await _read(db, service, lines)
            await db.execute("ANALYZE log")
            await db.execute("ANALYZE caused")
            await db.execute(_ORDERED.replace("$1", str(upto)).replace("$2", "false"))
            await db.execute("CREATE UNIQUE INDEX ON handled (seq)")
            found = Replayed()
            await _handle(db, service, found)
            await _compare(db, upto, found)
            return found
    finally:
        # With the connection all of it is gone.
        pool.terminate()


async def _empty(db: asyncpg.Connection) -> None:
    await db.execute("SET search_path = pg_temp, settlement")
    for row in await db.fetch(_TABLES, list(_CHASSIS)):
        await db.execute(
            f"CREATE TEMP TABLE {row['relname']} (LIKE settlement.{row['relname']} INCLUDING ALL)"
        )
    await db.execute(_LOG)


async def _read(db: asyncpg.Connection, service: Service, lines: AsyncIterator[bytes]) -> None:
    """What the service hears goes to `log`; of whatever was said because of it, when."""
    streams = tuple(f".{topic}" for topic in {f"{service.name}.commands", *service.topics})
    log: list[tuple[object, ...]] = []
    caused: list[tuple[object, ...]] = []
    async for line in lines:
        row = json.loads(line)
        at = datetime.fromisoformat(row["at"])
        if row["causation"]:
            caused.append((row["causation"], at))
        if row["topic"].endswith(streams):
            sent_at = datetime.fromisoformat(row["sent_at"])
            log.append(
                (
                    f"{row['topic']}/{row['partition']}",
                    *(row["offset"], row["id"], row["type"], row["key"], sent_at, at),
                    row["correlation"],
                    row["body"].encode(),
                )
            )
        if len(log) + len(caused) >= 2 * _BATCH:
            await _keep(db, log, caused)
    await _keep(db, log, caused)


async def _keep(
    db: asyncpg.Connection, log: list[tuple[object, ...]], caused: list[tuple[object, ...]]
) -> None:
    await db.copy_records_to_table("log", columns=_FIELDS, records=log)
    await db.copy_records_to_table("caused", columns=("cause", "at"), records=caused)
    log.clear()
    caused.clear()


async def _handle(db: asyncpg.Connection, service: Service, found: Replayed) -> None:
    seq = 0
    while rows := await db.fetch(_PAGE, seq, seq + _BATCH):
        deliveries = [_delivery(row) for row in rows]
        known = [delivery for delivery in deliveries if delivery is not None]
        found.messages += len(rows)
        found.refused += len(rows) - len(known)
        async with db.transaction():
            found.refused += await _batch(db, service, known)
        seq += _BATCH


def _delivery(row: asyncpg.Record) -> Delivery | None:
    try:
        message: Message = read(row["type"], row["body"])
    except Unexpected:
        return None
    id_ = UUID(int=row["id"].int)
    at = row["at"].astimezone(SHANGHAI)
    return Delivery(id_, row["key"], message, at, row["sent_at"], row["correlation"] or id_)


async def _batch(db: asyncpg.Connection, service: Service, batch: Sequence[Delivery]) -> int:
    """As a batch is handled, without what delivers it; how many messages meant nothing."""
    states = await service.load(db, batch)
    changes: dict[Hashable, object] = {}
    refused = 0
    for delivery in batch:
        try:
            decision = service.decide(states, delivery)
        except Unexpected:
            refused += 1
            continue
        states.update(decision.changes)
        changes.update(decision.changes)
    if changes:
        await service.save(db, changes)
    return refused


async def _compare(db: asyncpg.Connection, upto: int, found: Replayed) -> None:
    found.entries = await db.fetchval("SELECT count(*) FROM pg_temp.entries")
    rows = await db.fetch(_COMPARED, upto, _SHOWN)
    found.differences = rows[0]["count"] if rows else 0
    found.examples = [
        {
            "entry": str(row["id"]),
            "region": row["region"],
            "kind": row["kind"],
            "cause": str(row["cause"]),
            "code": row["code"],
            "kept": row["kept"],
            "made": row["made"],
        }
        for row in rows
    ]
