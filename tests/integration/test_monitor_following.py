"""Reading the event log page by page: every event once, none missed, however late."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.monitor.store import Cursor, Monitor
from shared.dead_letters import Record
from shared.settings import Holder
from tests.integration.monitor_desk import (
    NOW,
    PERSON,
    SECOND,
    Watch,
    accepted,
    ask,
    follow,
    record,
    watch,
)

__all__ = ["watch"]


async def everything(watch: Watch, limit: int, about: str = "") -> list[dict[str, Any]]:
    cursor: str | None = None
    found: list[dict[str, Any]] = []
    while page := await follow(watch, cursor, limit, about=about):
        if not page["events"]:
            return found
        found += page["events"]
        cursor = page["next"]
    return found


def places(rows: Iterable[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(row["topic"], row["partition"], row["offset"]) for row in rows]


def many(days: Sequence[int] = (0,)) -> list[Record]:
    """Three topics of two partitions; times cross, as those of different senders do."""
    return [
        record(
            accepted(uuid4()),
            offset,
            topic=topic,
            partition=partition,
            sent=NOW - timedelta(days=days[offset % len(days)]) + SECOND * ((offset * 7) % 5),
        )
        for topic in ("a", "b", "c")
        for partition in (0, 1)
        for offset in range(11)
    ]


@pytest.mark.parametrize(
    ("limit", "about"), [(1, ""), (4, ""), (66, ""), (1000, ""), (4, f"&key={PERSON}")]
)
@pytest.mark.parametrize("days", [(0,), (0, 1)])
async def test_pages_give_every_event_once_each_partition_in_its_order(
    watch: Watch, limit: int, days: Sequence[int], about: str
) -> None:
    records = many(days)
    await watch.copy(*records)

    found = places(await everything(watch, limit, about))

    assert len(found) == len(set(found)) == len(records)
    for topic, partition in {place[:2] for place in found}:
        offsets = [o for t, p, o in found if (t, p) == (topic, partition)]
        assert offsets == sorted(offsets)


async def test_a_key_of_more_events_than_a_page_can_have_is_followed_to_its_end(
    watch: Watch,
) -> None:
    count = 10_050
    await watch.copy(*(record(accepted(UUID(int=n)), n) for n in range(count)))

    found = places(await everything(watch, 1000, f"&key={PERSON}"))

    assert [offset for _, _, offset in found] == list(range(count))


async def test_a_page_is_full_unless_the_log_ends(watch: Watch) -> None:
    elsewhere = [record(accepted(uuid4(), to="130100"), n, topic="z") for n in range(50)]
    await watch.copy(*many(), *elsewhere)
    nanning = Holder(holder="nn", regions=frozenset({"450100"}))

    first = await follow(watch, None, 40, nanning)
    second = await follow(watch, first["next"], 40, nanning)
    last = await follow(watch, second["next"], 40, nanning)

    assert [len(page["events"]) for page in (first, second, last)] == [40, 26, 0]


async def test_a_follower_misses_nothing_that_is_committed_late(watch: Watch) -> None:
    """A number given on insertion would be passed before its row can be seen."""
    late, early = record(accepted(uuid4()), 1, topic="a"), record(accepted(uuid4()), 1, topic="b")

    async with watch.pool.acquire() as db:
        slow = db.transaction()
        await slow.start()
        await Monitor().copy(db, [late])
        await watch.copy(early)
        first = await follow(watch, None, 10)
        await slow.commit()
    second = await follow(watch, first["next"], 10)

    assert places(first["events"]) == [("b", 0, 1)]
    assert places(second["events"]) == [("a", 0, 1)]


async def test_a_transfer_is_followed_with_the_same_cursor(watch: Watch) -> None:
    transfer = uuid4()
    await watch.copy(*(record(accepted(transfer), n, sent=NOW - SECOND * n) for n in range(5)))
    url = f"/v1/events?transfer={transfer}&limit=3"

    first = (await ask(watch, "GET", url)).json()
    second = (await ask(watch, "GET", f"{url}&after={first['next']}")).json()

    assert [row["offset"] for row in first["events"] + second["events"]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("cursor", ["x", "bm8=", "W10=", "eyJhIjogMX0=", "ä"])
async def test_a_bad_cursor_is_refused(watch: Watch, cursor: str) -> None:
    answer = await ask(watch, "GET", f"/v1/events?after={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_cursor")


def test_a_cursor_survives_its_text() -> None:
    cursor = Cursor({"cn.a": {0: 5, 11: 0}, "cn.b": {}})

    assert Cursor.parse(cursor.text()) == cursor
