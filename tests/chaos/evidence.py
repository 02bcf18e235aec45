"""What a run left behind in PostgreSQL, in Kafka and in the file of letters: plain data."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from deploy.embedded.stack import SERVICES
from shared.dead_letters import Record
from tests.chaos.bus import Bus, Where
from tests.chaos.load import transfer_of
from tests.chaos.people import Mover

THINKING = ("enrollment", "transfer", "settlement", "notification")


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane's row."""

    next_offset: int
    seq: int
    published: int


@dataclass(frozen=True, slots=True)
class Out:
    """An outbox row."""

    lane: str
    seq: int
    id: UUID
    key: str
    causation: UUID | None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a transfer, in the order of its handling."""

    transfer: UUID
    type: str


@dataclass(frozen=True, slots=True)
class End:
    """What became of one person: all of it must be as in a run in which nothing crashed."""

    kind: str
    records: Mapping[str, int]
    verdicts: Sequence[str]
    transfers: Sequence[str]
    letters: Mapping[str, int]
    entries: Mapping[str, int]


@dataclass(slots=True)
class Evidence:
    """Everything since the marks."""

    lanes_before: Mapping[str, Mapping[str, Lane]]
    lanes_after: Mapping[str, Mapping[str, Lane]]
    ends: Mapping[Where, int]
    records: Sequence[Record]
    outbox: Mapping[str, Sequence[Out]]
    handled: Mapping[str, set[UUID]]
    monitored: Mapping[tuple[str, int, int], int]
    steps: Sequence[Step]
    people: Sequence[End]
    letters: Mapping[str, int]
    open_letters: Sequence[str]
    versions: Mapping[str, Sequence[int]] = field(default_factory=dict)


async def lanes(db: asyncpg.Pool) -> dict[str, dict[str, Lane]]:
    """The lanes of every service."""
    found: dict[str, dict[str, Lane]] = {}
    for service in SERVICES:
        rows = await db.fetch(f"SELECT name, next_offset, seq, published FROM {service}.lanes")
        found[service] = {name: Lane(*rest) for name, *rest in rows}
    return found


async def gather(
    db: asyncpg.Pool,
    bus: Bus,
    home: Path,
    marks: Mapping[Where, int],
    before: Mapping[str, Mapping[str, Lane]],
    movers: Sequence[Mover],
    keys: Mapping[str, str],
) -> Evidence:
    """Reads it all; `keys` are the person keys by ID number."""
    records = await bus.since(marks)
    ids = {UUID(r.said("ce_id")) for r in records if "ce_id" in r.headers}
    return Evidence(
        lanes_before=before,
        lanes_after=await lanes(db),
        ends=await bus.ends(),
        records=records,
        outbox={s: await _outbox(db, s, before[s]) for s in SERVICES},
        handled={s: await _handled(db, s, ids) for s in THINKING},
        monitored=await _monitored(db, marks),
        steps=await _steps(db, movers),
        people=[await _end(db, mover, keys[mover.id_no]) for mover in movers],
        letters=_letters(home, {transfer_of(mover) for mover in movers}),
        open_letters=await _open_letters(db),
        versions=await _versions(db, sorted(keys.values())),
    )


async def _outbox(db: asyncpg.Pool, service: str, before: Mapping[str, Lane]) -> list[Out]:
    rows = await db.fetch(
        f"SELECT o.lane, o.seq, o.id, o.key, o.causation FROM {service}.outbox o"
        " LEFT JOIN unnest($1::text[], $2::bigint[]) AS b (lane, seq) ON b.lane = o.lane"
        " WHERE o.seq > coalesce(b.seq, 0) ORDER BY o.lane, o.seq",
        list(before),
        [lane.seq for lane in before.values()],
    )
    return [Out(row[0], row[1], _uuid(row[2]), row[3], row[4] and _uuid(row[4])) for row in rows]


def _uuid(found: UUID) -> UUID:
    """The driver has a class of its own, which is slower to compare."""
    return UUID(int=found.int)


async def _handled(db: asyncpg.Pool, service: str, ids: set[UUID]) -> set[UUID]:
    rows = await db.fetch(f"SELECT id FROM {service}.inbox WHERE id = ANY($1)", list(ids))
    return {_uuid(row[0]) for row in rows}


async def _monitored(
    db: asyncpg.Pool, marks: Mapping[Where, int]
) -> dict[tuple[str, int, int], int]:
    rows = await db.fetch(
        'SELECT e.topic, e.partition, e."offset", count(*) FROM monitor.events e'
        " JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS m (topic, partition, first)"
        ' ON m.topic = e.topic AND m.partition = e.partition AND e."offset" >= m.first'
        " GROUP BY 1, 2, 3",
        [topic for topic, _ in marks],
        [partition for _, partition in marks],
        list(marks.values()),
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


async def _steps(db: asyncpg.Pool, movers: Sequence[Mover]) -> list[Step]:
    rows = await db.fetch(
        "SELECT id, type FROM transfer.steps WHERE id = ANY($1) ORDER BY n",
        [transfer_of(mover) for mover in movers],
    )
    return [Step(_uuid(row[0]), row[1]) for row in rows]


_TRANSFERS = """
SELECT concat_ws(' ', record, money, closed, state->>'reason') FROM transfer.transfers
 WHERE person = $1 ORDER BY 1
"""
_LETTERS = """
SELECT concat_ws(' ', kind, region, state) FROM notification.letters WHERE person = $1
"""
_ENTRIES = """
SELECT concat_ws(' ', e.region, e.kind, p.debit, p.credit, p.amount_fen)
  FROM settlement.entries e JOIN settlement.postings p
    ON p.person = e.person AND p.entry = e.id WHERE e.person = $1
"""


async def _end(db: asyncpg.Pool, mover: Mover, person: str) -> End:
    records = await _about(db, mover, "count(*)::text", "enrollment.records", "GROUP BY 1, 2")
    verdict = "concat_ws(' ', decision, code)"
    verdicts = await _about(db, mover, verdict, "enrollment.verdicts", "")
    return End(
        kind=mover.kind,
        records={action: int(count) for action, count in records},
        verdicts=sorted(" ".join(one) for one in verdicts),
        transfers=await _words(db, _TRANSFERS, person),
        letters=Counter(await _words(db, _LETTERS, person)),
        entries=Counter(await _words(db, _ENTRIES, person)),
    )


async def _about(
    db: asyncpg.Pool, mover: Mover, what: str, table: str, grouped: str
) -> list[tuple[str, str]]:
    """What a table says of each record that was sent, beside what the record was."""
    sent = {
        (row["source"], row["record_id"]): f"{row['action']} {row['region']}"
        for row in mover.everything
    }
    rows = await db.fetch(
        f"SELECT source, record_id, {what} FROM {table}"
        f" JOIN unnest($1::text[], $2::text[]) AS s (source, record_id)"
        f" USING (source, record_id) {grouped}",
        [source for source, _ in sent],
        [record for _, record in sent],
    )
    return [(sent[source, record], found) for source, record, found in rows]


async def _words(db: asyncpg.Pool, query: str, *arguments: Any) -> list[str]:  # noqa: ANN401
    return [row[0] for row in await db.fetch(query, *arguments)]


def _letters(home: Path, transfers: set[UUID]) -> Counter[str]:
    """How often each letter about these transfers stands in the file outbox."""
    found: Counter[str] = Counter()
    for file in (home / "letters").rglob("*.jsonl"):
        for line in file.read_text("utf-8").splitlines():
            letter = json.loads(line)
            if letter.get("transfer") and UUID(letter["transfer"]) in transfers:
                found[letter["key"]] += 1
    return found


async def _open_letters(db: asyncpg.Pool) -> list[str]:
    found = []
    for service in THINKING:
        rows = await db.fetch(
            f"SELECT key, type, code, reason FROM {service}.dead_letters WHERE"
            " state IN ('refused', 'parked') OR key NOT LIKE 'poison-%'"
        )
        found += [f"{service}: {' '.join(row)}" for row in rows]
    return found


async def _versions(db: asyncpg.Pool, persons: Sequence[str]) -> dict[str, list[int]]:
    """The versions of everything that has versions, by what it is of."""
    found: dict[str, list[int]] = defaultdict(list)
    rows = await db.fetch(
        "SELECT concat_ws(' ', 'claim', transfer) AS what, unnest(versions) AS version"
        " FROM settlement.claims WHERE person = ANY($1)"
        " UNION ALL SELECT concat_ws(' ', 'entry', person, region, kind, subject), version"
        " FROM settlement.entries WHERE person = ANY($1)"
        " UNION ALL SELECT concat_ws(' ', 'funds', transfer), generate_series(1, version)"
        " FROM settlement.releases WHERE person = ANY($1)"
        " UNION ALL SELECT concat_ws(' ', 'record', transfer), generate_series(1, version)"
        " FROM enrollment.releases WHERE person = ANY($1)",
        persons,
    )
    for row in rows:
        found[row["what"]].append(row["version"])
    return found
