"""The event log in a real database: whole, readable by transfer, key and cursor, and never lost."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.monitor import store
from services.monitor.app import build
from services.monitor.store import Cursor, Monitor
from shared.dead_letters import Record
from shared.http import Refusal, holder
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.regions import Regions, load
from shared.sealing import Keyring
from shared.settings import Holder, Secrets, Settings

NOW = datetime.now(UTC)
PERSON = "ab" * 16
OPERATOR = Holder(holder="operator", regions=frozenset({"*"}))
SECOND = timedelta(seconds=1)
SECRETS = Secrets(person_key_secret="", blind_key_secret="22" * 32, master_key="33" * 32)


@dataclass
class Watch:
    """What the chassis gives to the monitor."""

    pool: asyncpg.Pool
    settings: Settings
    name: str = "monitor"
    keyring: Keyring = field(default_factory=lambda: Keyring(SECRETS))
    regions: Regions = field(default_factory=lambda: load(Settings().regions))

    async def now(self, db: asyncpg.Connection) -> datetime:
        at: datetime = await db.fetchval("SELECT cell.business_now()")
        return at

    async def send(self, db: asyncpg.Connection, messages: Sequence[tuple[UUID, Message]]) -> None:
        raise AssertionError(f"the monitor says nothing: {db} {messages}")

    async def copy(self, *records: Record) -> None:
        async with self.pool.acquire() as db, db.transaction():
            await Monitor().copy(db, records)

    async def rows(self) -> list[asyncpg.Record]:
        found: list[asyncpg.Record] = await self.pool.fetch(
            'SELECT * FROM events ORDER BY topic, partition, "offset"'
        )
        return found


@pytest.fixture
async def watch(database: str, tmp_path: Path) -> AsyncIterator[Watch]:
    own = {"role": "jiexu_monitor", "search_path": "monitor"}
    async with asyncpg.create_pool(database, min_size=1, max_size=4, server_settings=own) as pool:
        async with pool.acquire() as db:
            await store.ensure_partitions(db, NOW.date())
        yield Watch(pool, Settings(home=tmp_path, sandbox=True))


def record(
    message: Message,
    offset: int,
    *,
    topic: str = "cn.enrollment.events",
    partition: int = 0,
    sent: datetime = NOW,
    id_: UUID | None = None,
) -> Record:
    headers = {
        "ce_id": str(id_ or uuid4()),
        "ce_type": message.type,
        "ce_time": "2026-03-02T09:30:00+08:00",
        "sentat": sent.isoformat(),
        "lane": f"{topic}/{partition}",
        "seq": str(offset),
        "correlationid": str(uuid4()),
        "causationid": str(uuid4()),
    }
    body = message.model_dump_json(exclude_defaults=True).encode()
    return Record(topic, partition, offset, 0, message.key, headers, body)


def accepted(transfer: UUID, person: str = PERSON, to: str = "450100") -> e.ReleaseAccepted:
    return e.ReleaseAccepted(to=to, person=person, transfer=transfer, origin="410100")


def advanced(transfer: UUID) -> s.AdvanceCredited:
    fen = dict.fromkeys(("amount_fen", "credited_fen", "open_fen"), 408412)
    fields = {"to": "450100", "person": PERSON, "transfer": transfer, "origin": "410100"}
    return s.AdvanceCredited.model_validate(fields | fen | {"version": 1})


def declined(transfer: UUID) -> s.AdvanceDeclined:
    fields = {"to": "450100", "person": PERSON, "transfer": transfer, "origin": "410100"}
    return s.AdvanceDeclined.model_validate(
        fields | {"version": 1, "code": "limit_reached", "awaiting_fen": 1}
    )


async def ask(
    watch: Watch, method: str, url: str, who: Holder = OPERATOR, json: object = None
) -> httpx.Response:
    api = FastAPI()

    @api.exception_handler(Refusal)
    async def refused(_: Request, why: Refusal) -> JSONResponse:
        return JSONResponse({"code": why.code, "message": why.message}, why.status)

    api.include_router(build(watch).router)
    api.dependency_overrides[holder] = lambda: who
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.request(method, url, json=json)


async def follow(watch: Watch, cursor: str | None, limit: int, who: Holder = OPERATOR) -> Any:  # noqa: ANN401 - JSON
    after = f"&after={cursor}" if cursor else ""
    return (await ask(watch, "GET", f"/v1/events?limit={limit}{after}", who)).json()


async def test_a_record_is_kept_as_it_came(watch: Watch) -> None:
    transfer = uuid4()
    came = record(accepted(transfer), 7, partition=3)

    await watch.copy(came)

    (row,) = await watch.rows()
    assert (row["topic"], row["partition"], row["offset"]) == ("cn.enrollment.events", 3, 7)
    assert (row["key"], row["transfer"], row["region"]) == (PERSON, transfer, "450100")
    assert row["body"] == came.body
    assert row["type"] == "enrollment.release-accepted.v1"
    assert str(row["id"]) == came.headers["ce_id"]
    assert row["sent_at"] == NOW
    assert row["at"] == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert (row["lane"], row["seq"]) == ("cn.enrollment.events/3", 7)


async def test_a_record_that_comes_again_is_kept_once_and_a_new_one_beside_it(
    watch: Watch,
) -> None:
    came, new = record(accepted(uuid4()), 7), record(accepted(uuid4()), 8)

    await watch.copy(came, came)
    await watch.copy(came, new)

    assert [row["offset"] for row in await watch.rows()] == [7, 8]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ce_id": "no uuid", "ce_type": "a\x00b", "sentat": "yesterday", "seq": "-1"},
        {"sentat": "2026-03-02T09:30:00", "lane": "\x00", "seq": "9" * 30},
        {"sentat": "0001-01-01T00:00:00+14:00", "seq": "²"},
        {"sentat": "9999-12-31T23:59:59-14:00", "correlationid": "?"},
        {"ce_type": "x" * 100_000, "ce_time": "1-1-1"},
    ],
)
async def test_whatever_the_headers_are_the_record_is_kept(
    watch: Watch, headers: dict[str, str]
) -> None:
    await watch.copy(Record("cn.transfer.events", 0, 1, 0, "k\x00", headers, b"\xff\x00{"))

    (row,) = await watch.rows()
    page = await follow(watch, None, 10)
    assert row["body"] == b"\xff\x00{"
    assert [shown["body"] for shown in page["events"]] == [None]


async def test_days_have_partitions_of_their_own_and_other_days_are_kept_too(watch: Watch) -> None:
    async with watch.pool.acquire() as db:
        await store.ensure_partitions(db, NOW.date())
    await watch.copy(record(accepted(uuid4()), 1))
    await watch.copy(record(accepted(uuid4()), 2, sent=NOW + timedelta(days=400)))

    tables = await watch.pool.fetch("SELECT tableoid::regclass::text AS name FROM events")
    names = {row["name"].rsplit(".")[-1] for row in tables}
    assert names == {f"events_{NOW:%Y%m%d}", "events_other"}


async def test_a_day_that_the_default_partition_holds_does_not_stop_the_others(
    watch: Watch,
) -> None:
    later = NOW + timedelta(days=30)
    await watch.copy(record(accepted(uuid4()), 1, sent=later))

    async with watch.pool.acquire() as db:
        await store.ensure_partitions(db, later.date())
    await watch.copy(record(accepted(uuid4()), 2, sent=later + timedelta(days=1)))

    assert len(await watch.rows()) == 2


async def test_the_service_cannot_change_what_happened(watch: Watch) -> None:
    await watch.copy(record(accepted(uuid4()), 1))

    for change in ("DELETE FROM events", "UPDATE events SET key = ''", "TRUNCATE events"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await watch.pool.execute(change)


async def test_events_are_found_by_transfer_and_by_person(watch: Watch) -> None:
    transfer, other = uuid4(), uuid4()
    await watch.copy(record(accepted(transfer), 1), record(accepted(other, "cd" * 16), 2))

    by_transfer = (await ask(watch, "GET", f"/v1/events?transfer={transfer}")).json()
    by_person = (
        await ask(watch, "POST", "/v1/events/search", json={"person_key": "cd" * 16})
    ).json()

    assert [row["transfer"] for row in by_transfer["events"]] == [str(transfer)]
    assert [row["transfer"] for row in by_person["events"]] == [str(other)]
    assert (await follow(watch, by_transfer["next"], 10))["events"] == by_person["events"]


async def test_what_is_sealed_is_not_shown(watch: Watch) -> None:
    registered = e.Registered(
        to="450100", person=PERSON, record=uuid4(), action="open", occurred_at=NOW, sealed="secret"
    )
    await watch.copy(record(registered, 1))

    answer = await ask(watch, "GET", "/v1/events")

    assert answer.json()["events"][0]["body"]["action"] == "open"
    assert "secret" not in answer.text


async def everything(watch: Watch, limit: int) -> list[dict[str, Any]]:
    cursor: str | None = None
    found: list[dict[str, Any]] = []
    while page := await follow(watch, cursor, limit):
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


@pytest.mark.parametrize("limit", [1, 4, 66, 1000])
@pytest.mark.parametrize("days", [(0,), (0, 1)])
async def test_pages_give_every_event_once_each_partition_in_its_order(
    watch: Watch, limit: int, days: Sequence[int]
) -> None:
    records = many(days)
    await watch.copy(*records)

    found = places(await everything(watch, limit))

    assert len(found) == len(set(found)) == len(records)
    for topic, partition in {place[:2] for place in found}:
        offsets = [o for t, p, o in found if (t, p) == (topic, partition)]
        assert offsets == sorted(offsets)


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


async def test_the_timeline_of_a_transfer_is_in_sentences(watch: Watch) -> None:
    transfer, twice = uuid4(), uuid4()
    await watch.copy(
        record(advanced(transfer), 1, topic="cn.settlement.events", sent=NOW + SECOND),
        record(accepted(transfer), 1, id_=twice),
        record(accepted(transfer), 2, id_=twice),
    )

    answer = (await ask(watch, "GET", f"/v1/timeline/{transfer}")).json()

    assert [row["text"].split(" / ")[1] for row in answer["timeline"]] == [
        "Zhengzhou accepted the request",
        "Nanning credited 4084.12 yuan in advance",
    ]


async def test_a_transfer_of_another_region_is_as_unknown_as_none(watch: Watch) -> None:
    transfer = uuid4()
    await watch.copy(record(accepted(transfer), 1))
    elsewhere = Holder(holder="sjz", regions=frozenset({"130100"}))

    hidden = await ask(watch, "GET", f"/v1/timeline/{transfer}", elsewhere)
    unknown = await ask(watch, "GET", f"/v1/timeline/{uuid4()}")

    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json() == unknown.json()


async def test_latency_is_from_the_first_message_of_a_transfer_to_its_advance(
    watch: Watch,
) -> None:
    quick, slow, waited, open_ = (uuid4() for _ in range(4))
    await watch.copy(
        record(accepted(quick), 1),
        record(advanced(quick), 2, sent=NOW + SECOND / 10),
        record(advanced(quick), 3, sent=NOW + SECOND * 50),
        record(accepted(slow), 4),
        record(advanced(slow), 5, sent=NOW + SECOND / 2),
        record(accepted(waited), 6),
        record(declined(waited), 7),
        record(advanced(waited), 8, sent=NOW + SECOND * 90),
        record(accepted(open_), 9),
    )

    answer = (await ask(watch, "GET", "/v1/latency")).json()

    assert answer["transfers"] == 2
    assert answer["max"] == pytest.approx(500)
    assert answer["p50"] == pytest.approx(300)


async def test_without_advances_there_is_no_latency(watch: Watch) -> None:
    answer = (await ask(watch, "GET", "/v1/latency")).json()

    assert answer == {"transfers": 0, "p50": 0, "p99": 0, "max": 0}


async def test_the_clock_of_a_sandbox_goes_forward_and_never_back(watch: Watch) -> None:
    at = datetime.fromisoformat((await ask(watch, "GET", "/v1/clock")).json()["at"])
    target = at + timedelta(days=3)

    moved = await ask(watch, "POST", "/v1/clock", json={"at": target.isoformat()})
    back = await ask(watch, "POST", "/v1/clock", json={"at": at.isoformat()})
    now = datetime.fromisoformat((await ask(watch, "GET", "/v1/clock")).json()["at"])

    assert moved.status_code == 200
    assert (back.status_code, back.json()["code"]) == (409, "clock_goes_forward")
    assert now >= target


async def test_only_an_operator_sets_the_clock_and_only_in_a_sandbox(watch: Watch) -> None:
    later = {"at": (datetime.now(UTC) + timedelta(days=999)).isoformat()}
    region = Holder(holder="nn", regions=frozenset({"450100"}))

    not_theirs = await ask(watch, "POST", "/v1/clock", region, later)
    without_offset = await ask(watch, "POST", "/v1/clock", json={"at": "2030-01-01T00:00:00"})
    watch.settings = watch.settings.model_copy(update={"sandbox": False})
    outside = await ask(watch, "POST", "/v1/clock", json=later)

    assert not_theirs.status_code == 403
    assert without_offset.status_code == 422
    assert (outside.status_code, outside.json()["code"]) == (409, "not_a_sandbox")
