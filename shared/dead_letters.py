"""Dead letters: messages refused as meaningless, and what waits behind them, key by key."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import sha256
from uuid import UUID

import asyncpg

_LONGEST_KEY = 512


@dataclass(slots=True)
class Record:
    """One Kafka record as it came. `timestamp` is Kafka's, in ms; headers are bytes, since most
    readers need few of them. In place of a key that no index would take stands its hash.

    Not frozen, which takes three times as long to make; nobody changes one.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: str
    headers: dict[str, bytes]
    body: bytes
    lane: str = field(init=False)

    def __post_init__(self) -> None:
        if len(self.key) > _LONGEST_KEY:
            self.key = sha256(self.key.encode()).hexdigest()
        self.lane = _lane(self.topic, self.partition)

    @property
    def type(self) -> str:
        """The type that its envelope names."""
        return _text(self.headers.get("ce_type", b""))

    def said(self, header: str) -> str:
        """What a header says, as text; "" where there is none."""
        return self.headers.get(header, b"").decode("utf-8", "replace")


@cache
def _lane(topic: str, partition: int) -> str:
    return f"{topic}/{partition}"


@lru_cache(maxsize=512)
def _text(value: bytes) -> str:
    """A type as text; types are few."""
    return value.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that is set aside: refused (`code` says why), or parked behind a refused one."""

    record: Record
    id: UUID | None
    code: str
    reason: str
    state: str


async def parked_keys(db: asyncpg.Connection, keys: Iterable[str]) -> set[str]:
    """Those of `keys` that have a message waiting; waits for an operator's order under way."""
    rows = await db.fetch(
        "SELECT key FROM dead_letters WHERE key = ANY($1)"
        " AND state IN ('refused', 'parked') ORDER BY key, n FOR SHARE",
        list(set(keys)),
    )
    return {row["key"] for row in rows}


async def kept(db: asyncpg.Connection, records: Sequence[tuple[Record, UUID]]) -> set[UUID]:
    """Those of these ids that were set aside before with the same body, settled or not."""
    rows = await db.fetch(
        "SELECT d.id FROM unnest($1::text[], $2::uuid[], $3::bytea[]) AS r (key, id, body)"
        " JOIN dead_letters d ON d.key = r.key AND d.id = r.id AND d.body = r.body",
        [record.key for record, _ in records],
        [id_ for _, id_ in records],
        [record.body for record, _ in records],
    )
    return {row["id"] for row in rows}


async def put(db: asyncpg.Connection, letters: Sequence[Letter]) -> None:
    """Sets letters aside, in order."""
    if not letters:
        return
    await db.execute(
        "INSERT INTO dead_letters (key, id, type, headers, body, code, reason, state)"
        " SELECT key, id, type, headers::jsonb, body, code, reason, state FROM"
        " unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::text[],"
        " $7::text[], $8::text[]) WITH ORDINALITY"
        " AS l (key, id, type, headers, body, code, reason, state, n) ORDER BY n",
        [letter.record.key for letter in letters],
        [letter.id for letter in letters],
        [_clean(letter.record.type) for letter in letters],
        [_headers(letter.record) for letter in letters],
        [letter.record.body for letter in letters],
        [letter.code for letter in letters],
        [_clean(letter.reason)[:1000] for letter in letters],
        [letter.state for letter in letters],
    )


def _clean(text: str) -> str:
    """PostgreSQL holds no NUL; a bad message must not be refused for its envelope as well."""
    return text.replace("\x00", "")


def _headers(record: Record) -> str:
    where = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp),
    }
    text = {_clean(name): _clean(record.said(name)) for name in record.headers}
    return json.dumps({**text, "jiexu-where": where})


async def waiting(db: asyncpg.Connection, key: str) -> list[tuple[int, UUID, Record, str]]:
    """What waits on a key, in order: number, letter, record, state."""
    # Two statements: what the first one waited for may have put more on the key.
    await db.execute(
        "SELECT FROM dead_letters WHERE key = $1 AND state IN ('refused', 'parked')"
        " ORDER BY n FOR UPDATE",
        key,
    )
    rows = await db.fetch(
        "SELECT n, letter, headers, body, state FROM dead_letters WHERE key = $1"
        " AND state IN ('refused', 'parked') ORDER BY n FOR UPDATE",
        key,
    )
    return [
        (row["n"], row["letter"], _record(key, row["headers"], row["body"]), row["state"])
        for row in rows
    ]


def _record(key: str, headers: str, body: bytes) -> Record:
    lines = json.loads(headers)
    where = lines.pop("jiexu-where")
    return Record(
        where["topic"],
        int(where["partition"]),
        int(where["offset"]),
        int(where["timestamp"]),
        key,
        {name: value.encode() for name, value in lines.items()},
        body,
    )


@dataclass(frozen=True, slots=True)
class Acted:
    """What an operator ordered: kept with every letter that it concerned."""

    act: str
    by: str
    why: str


_ACT = (
    "acts = acts || jsonb_build_object('at', clock_timestamp(), 'act', $4::text, 'by', $5::text,"
    " 'why', $6::text, 'outcome', $3::text)"
)


async def settle(db: asyncpg.Connection, key: str, number: int, state: str, acted: Acted) -> None:
    """Marks a letter as redriven or discarded, by whom and why."""
    await db.execute(
        f"UPDATE dead_letters SET state = $3, settled_by = $5, settled_why = $6, {_ACT}"  # noqa: S608
        " WHERE key = $1 AND n = $2",
        key,
        number,
        state,
        acted.act,
        acted.by,
        acted.why,
    )


async def refuse(
    db: asyncpg.Connection, key: str, number: int, code: str, reason: str, acted: Acted
) -> None:
    """The letter is at the head of its key now, and refused in its turn."""
    await db.execute(
        f"UPDATE dead_letters SET state = 'refused', code = $3, reason = $7, {_ACT}"  # noqa: S608
        " WHERE key = $1 AND n = $2",
        key,
        number,
        code,
        acted.act,
        acted.by,
        acted.why,
        _clean(reason)[:1000],
    )
