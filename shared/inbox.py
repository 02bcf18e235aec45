"""The inbox: what this service has handled already, so that nothing is handled twice."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from uuid import UUID

import asyncpg


def content_hash(kind: str, body: bytes) -> int:
    """A signed 64-bit hash of a message's type and body."""
    hashed = _of_type(kind).copy()
    hashed.update(body)
    return int.from_bytes(hashed.digest(), "big", signed=True)


@lru_cache(maxsize=256)
def _of_type(kind: str) -> blake2b:
    """A hash that has taken in the type; types are few."""
    return blake2b(digest_size=8, key=kind.encode()[:64])


async def claim(
    db: asyncpg.Connection, messages: Sequence[tuple[date, UUID, int]]
) -> tuple[set[UUID], set[UUID]]:
    """Claims messages (date in the envelope, id, content hash), each id once.

    Gives the fresh ids, and those that were handled before with another content.
    """
    ordered = sorted(messages, key=itemgetter(1))
    days = [message[0] for message in ordered]
    ids = [message[1] for message in ordered]
    hashes = [message[2] for message in ordered]
    claimed = await db.fetchval(
        "WITH claimed AS (INSERT INTO inbox (sent_on, id, hash)"
        " SELECT * FROM unnest($1::date[], $2::uuid[], $3::bigint[])"
        " ON CONFLICT DO NOTHING RETURNING id)"
        # Mostly all are: then none is named.
        " SELECT CASE WHEN count(*) < $4 THEN coalesce(array_agg(id), '{}') END FROM claimed",
        days,
        ids,
        hashes,
        len(ids),
    )
    if claimed is None:
        return set(ids), set()
    fresh: set[UUID] = set(claimed)
    known = await db.fetch(
        "SELECT i.id, i.hash FROM inbox i JOIN unnest($1::date[], $2::uuid[]) AS m (day, id)"
        " ON i.sent_on = m.day AND i.id = m.id",
        days,
        ids,
    )
    before = {row["id"]: row["hash"] for row in known}
    return fresh, {id_ for _, id_, hash_ in ordered if id_ not in fresh and before[id_] != hash_}
