"""The event log in a real database: whole, unchangeable, told in sentences; and the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import randbelow, token_urlsafe
from uuid import uuid4

import asyncpg
import pytest

from services.monitor import store
from shared.dead_letters import Record
from shared.messages import enrollment as e
from shared.settings import Holder
from tests.integration.monitor_desk import (
    NOW,
    PERSON,
    SECOND,
    Watch,
    accepted,
    advanced,
    ask,
    declined,
    follow,
    record,
    watch,
)

__all__ = ["watch"]


async def test_a_record_is_kept_as_it_came(watch: Watch) -> None:
    transfer = uuid4()
    came = record(accepted(transfer), 7, partition=3)

    await watch.copy(came)

    (row,) = await watch.rows()
    assert (row["topic"], row["partition"], row["offset"]) == ("cn.enrollment.events", 3, 7)
    assert (row["key"], row["transfer"], row["region"]) == (PERSON, transfer, "450100")
    assert row["body"] == came.body
    assert row["type"] == "enrollment.release-accepted.v1"
    assert str(row["id"]) == came.said("ce_id")
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


async def test_what_a_restore_sends_again_is_kept_where_it_is_not_there_yet(watch: Watch) -> None:
    came, lost = record(accepted(uuid4()), 7), record(accepted(uuid4()), 8)
    await watch.copy(came)

    again = [
        replace(one, topic="cn.g2.enrollment.events", offset=n,
                headers={**one.headers, "republished": b"cn.g2"})
        for n, one in enumerate((came, lost))
    ]  # fmt: skip
    await watch.copy(*again)

    kept = {(row["topic"], row["offset"]) for row in await watch.rows()}
    assert kept == {("cn.enrollment.events", 7), ("cn.g2.enrollment.events", 1)}


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
    lines = {name: text.encode() for name, text in headers.items()}
    await watch.copy(Record("cn.transfer.events", 0, 1, 0, "k\x00", lines, b"\xff\x00{"))

    (row,) = await watch.rows()
    page = await follow(watch, None, 10)
    assert row["body"] == b"\xff\x00{"
    assert [shown["body"] for shown in page["events"]] == [None]


async def test_a_key_longer_than_any_index_takes_is_kept_like_any_other(watch: Watch) -> None:
    longest = "".join(chr(0x20000 + randbelow(0xA000)) for _ in range(512))
    keys = (token_urlsafe(3000), longest, "k")

    await watch.copy(
        *(Record("cn.transfer.events", 0, n, 0, k, {}, b"") for n, k in enumerate(keys))
    )

    assert [len(row["key"]) for row in await watch.rows()] == [64, 512, 1]


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


async def test_amounts_are_shown_in_yuan(watch: Watch) -> None:
    await watch.copy(record(advanced(uuid4()), 1))

    body = (await ask(watch, "GET", "/v1/events")).json()["events"][0]["body"]

    assert (body["amount"], body["credited"], body["open"]) == ("4084.12",) * 3
    assert not [name for name in body if name.endswith("_fen")]


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
    await watch.copy(record(accepted(uuid4()), 1))
    at = datetime.fromisoformat((await ask(watch, "GET", "/v1/clock")).json()["at"])
    target = at + timedelta(days=3)

    moved = await ask(watch, "POST", "/v1/clock", json={"at": target.isoformat()})
    back = await ask(watch, "POST", "/v1/clock", json={"at": at.isoformat()})
    now = datetime.fromisoformat((await ask(watch, "GET", "/v1/clock")).json()["at"])

    assert moved.status_code == 200
    assert (back.status_code, back.json()["code"]) == (409, "clock_goes_forward")
    assert now >= target


async def test_a_stack_on_which_nothing_has_happened_may_begin_at_any_time(watch: Watch) -> None:
    begin = datetime(2026, 2, 1, tzinfo=UTC)

    answer = await ask(watch, "POST", "/v1/clock", json={"at": begin.isoformat()})

    assert begin <= datetime.fromisoformat(answer.json()["at"]) < begin + timedelta(hours=1)


@pytest.mark.parametrize(
    "at",
    [
        "2101-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "1999-12-31T23:59:59+08:00",
    ],
)
async def test_the_clock_stays_between_the_years_2000_and_2100(watch: Watch, at: str) -> None:
    answer = await ask(watch, "POST", "/v1/clock", json={"at": at})

    assert (answer.status_code, answer.json()["code"]) == (422, "clock_out_of_range")


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
