"""An edge on a real PostgreSQL: a raw record that it cannot take holds up nothing."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID, uuid5

import asyncpg
import pytest

from shared import lanes, outbox
from shared.dead_letters import Record
from shared.deliver import Delivered, Place
from shared.edge import take_edge
from shared.messages import NAMESPACE, Message
from shared.upkeep import keep_partitions
from tests.integration.toy import withdraw

TOPIC = "upstream.registrations"
PLACE = Place(lambda _: "cn", 4)


class Counter:
    """One reminder for each record; fails as its body says."""

    topic = TOPIC

    async def take(
        self, db: asyncpg.Connection, bodies: Sequence[bytes], at: datetime
    ) -> Sequence[tuple[UUID, Message]]:
        assert at.tzinfo
        out: list[tuple[UUID, Message]] = []
        for body in bodies:
            if body == b"database":
                await db.execute("SELECT $1::text::int", "zhang-wei")
            if body == b"fault":
                raise ValueError("zhang-wei cannot be taken")
            if body == b"connection":
                raise ConnectionResetError("the world is unwell")
            large = "x" * 1_000_000 if body == b"large" else None
            message = withdraw("p").model_copy(update={"reason": large})
            out.append((uuid5(NAMESPACE, body.decode()), message))
        return out


def record(offset: int, body: bytes) -> Record:
    return Record(TOPIC, 0, offset, 1_767_225_600_000, "13800000000", {"name": b"zhang-wei"}, body)


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(database)
    await db.execute("SET search_path = enrollment")
    await keep_partitions(db, 14, 14)
    yield db
    await db.close()


async def take(db: asyncpg.Connection, *bodies: bytes, apart: bool) -> Delivered:
    [lane] = await lanes.take_over(db, [f"{TOPIC}/0"], "me")
    batch = [record(n, body) for n, body in enumerate(bodies)]
    return await take_edge(Counter(), PLACE, db, {lane.name: lane.epoch}, {}, batch, apart)


@pytest.mark.parametrize(
    ("bad", "code"), [(b"fault", "fault"), (b"database", "database"), (b"large", "too_large")]
)
async def test_a_record_that_cannot_be_taken_is_set_aside_and_the_others_go_on(
    db: asyncpg.Connection, bad: bytes, code: str
) -> None:
    done = await take(db, b"1", bad, b"2", apart=True)

    letters = await db.fetch("SELECT key, code, state FROM dead_letters")
    assert [tuple(row) for row in letters] == [(f"{TOPIC}/0/1", code, "refused")]
    assert [row.id for row in done.sent] == [uuid5(NAMESPACE, n) for n in ("1", "2")]
    assert await db.fetchval("SELECT next_offset FROM lanes") == 3


async def test_nothing_of_what_was_set_aside_is_kept_since_it_is_in_the_clear(
    db: asyncpg.Connection,
) -> None:
    await take(db, b"fault", b"database", apart=True)

    for row in await db.fetch("SELECT * FROM dead_letters"):
        assert "zhang-wei" not in str(row)
        assert "13800000000" not in str(row)
        assert row["body"] == b""


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (b"fault", ValueError),
        (b"database", asyncpg.DataError),
        (b"large", outbox.TooLarge),
        (b"connection", ConnectionResetError),
    ],
)
async def test_a_batch_is_first_tried_whole_and_nothing_of_it_is_kept(
    db: asyncpg.Connection, bad: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await take(db, b"1", bad, apart=False)

    assert await db.fetchval("SELECT count(*) FROM outbox") == 0
    assert await db.fetchval("SELECT next_offset FROM lanes") == 0


async def test_while_the_world_is_unwell_nothing_is_set_aside(db: asyncpg.Connection) -> None:
    with pytest.raises(ConnectionResetError):
        await take(db, b"1", b"connection", apart=True)

    assert await db.fetchval("SELECT count(*) FROM dead_letters") == 0
