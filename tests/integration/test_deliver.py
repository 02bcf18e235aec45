"""Inbox, state, outbox and position commit together, on a real PostgreSQL."""

import json
from dataclasses import replace
from secrets import token_urlsafe
from uuid import uuid4

import pytest

from shared import outbox
from shared.lanes import Fenced
from shared.messages.chassis import Redrive
from tests.integration.driver import TOPIC, Driver
from tests.integration.toy import withdraw


async def test_a_redelivered_batch_changes_nothing(driver: Driver) -> None:
    batch = [driver.record(withdraw("a")), driver.record(withdraw("b"))]
    await driver.take(batch)
    again = [replace(record, offset=record.offset + 2) for record in batch]

    done = await driver.take(again)

    assert done.sent == []
    assert await driver.counts() == {"a": 1, "b": 1}
    assert await driver.db.fetchval("SELECT next_offset FROM lanes") == 4


async def test_messages_below_the_position_are_not_even_looked_at(driver: Driver) -> None:
    batch = [driver.record(withdraw("a"))]
    await driver.take(batch)
    await driver.db.execute("TRUNCATE inbox")

    await driver.take(batch)

    assert await driver.counts() == {"a": 1}


async def test_outgoing_messages_are_numbered_without_a_gap(driver: Driver) -> None:
    for _ in range(3):
        await driver.take([driver.record(withdraw("a")), driver.record(withdraw("b"))])

    rows = await driver.db.fetch("SELECT lane, seq FROM outbox ORDER BY seq")

    assert [tuple(row) for row in rows] == [(f"{TOPIC}/0", n) for n in range(1, 7)]


async def test_a_poison_message_blocks_its_key_and_nothing_else(driver: Driver) -> None:
    batch = [
        driver.record(withdraw("a")),
        driver.record(withdraw("p", "unexpected")),
        driver.record(withdraw("p")),
        driver.record(withdraw("b")),
    ]

    await driver.take(batch)
    await driver.take([driver.record(withdraw("p")), driver.record(withdraw("a"))])

    assert await driver.counts() == {"a": 2, "b": 1}
    assert await driver.letters() == [
        ("p", "meaningless", "refused"),
        ("p", "parked", "parked"),
        ("p", "parked", "parked"),
    ]


async def test_a_message_that_the_database_refuses_is_found_and_set_aside(driver: Driver) -> None:
    batch = [driver.record(withdraw(f"k{n}")) for n in range(9)]
    batch.insert(4, driver.record(withdraw("k5", "database")))
    batch = [replace(record, offset=n) for n, record in enumerate(batch)]

    done = await driver.take(batch, apart=True)

    assert done.refused == 2
    counts = await driver.counts()
    assert set(counts) == {f"k{n}" for n in range(9)} - {"k5"}
    assert [letter[2] for letter in await driver.letters()] == ["refused", "parked"]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"{}", b'{"to": "450100"}'])
async def test_bytes_that_cannot_be_read_are_set_aside(driver: Driver, body: bytes) -> None:
    bad = replace(driver.record(withdraw("p")), body=body)

    await driver.take([bad, driver.record(withdraw("a"))])

    assert await driver.counts() == {"a": 1}
    assert await driver.letters() == [("p", "unreadable", "refused")]


async def test_a_record_without_an_envelope_is_set_aside(driver: Driver) -> None:
    bad = replace(driver.record(withdraw("p")), headers={"ce_type": b"transfer.withdraw.v1"})

    await driver.take([bad, driver.record(withdraw("a"))])

    assert await driver.letters() == [("p", "no_envelope", "refused")]


async def test_the_same_id_with_other_content_is_refused(driver: Driver) -> None:
    id_ = uuid4()
    await driver.take([driver.record(withdraw("a"), id_)])

    await driver.take([driver.record(withdraw("a"), id_)])

    assert await driver.counts() == {"a": 1}
    assert await driver.letters() == [("a", "conflict", "discarded")]


async def test_a_message_older_than_the_inbox_is_not_handled(driver: Driver) -> None:
    old = driver.record(withdraw("a"))
    old.headers["sentat"] = b"2020-01-01T00:00:00+00:00"

    await driver.take([old])

    assert await driver.counts() == {}
    assert await driver.letters() == [("a", "too_old", "refused")]


async def test_what_is_older_than_the_inbox_is_refused_in_its_turn(driver: Driver) -> None:
    batch = [driver.record(withdraw("a")) for _ in range(3)]
    batch[1].headers["sentat"] = b"2020-01-01T00:00:00+00:00"

    await driver.take(batch)

    assert await driver.counts() == {"a": 1}
    assert await driver.letters() == [("a", "too_old", "refused"), ("a", "parked", "parked")]
    offsets = "SELECT headers #>> '{jiexu-where,offset}' AS o FROM dead_letters ORDER BY n"
    assert [row["o"] for row in await driver.db.fetch(offsets)] == ["1", "2"]


async def test_what_is_older_than_the_inbox_waits_once_however_often_it_comes(
    driver: Driver,
) -> None:
    old = driver.record(withdraw("p"))
    old.headers["sentat"] = b"2020-01-01T00:00:00+00:00"
    copies = [old, *(replace(old, offset=driver.record(withdraw("p")).offset) for _ in range(3))]

    await driver.take(copies[:2])
    await driver.take(copies[2:3])
    assert await driver.letters() == [("p", "too_old", "refused")]
    again = (await order(driver)).model_copy(update={"action": "redrive"})
    await driver.take([driver.record(again)])
    await driver.take([replace(copies[3], offset=driver.offset)])

    assert await driver.counts() == {"p": 1}
    assert await driver.letters() == [("p", "too_old", "redriven")]


async def test_a_key_longer_than_any_index_takes_is_set_aside_like_any_other(
    driver: Driver,
) -> None:
    key = token_urlsafe(3000)
    batch = [replace(driver.record(withdraw("p")), key=key, body=b"?") for _ in range(2)]

    await driver.take([*batch, driver.record(withdraw("a"))])

    assert await driver.counts() == {"a": 1}
    short = batch[0].key
    assert len(short) < len(key)
    assert await driver.letters() == [(short, "unreadable", "refused"), (short, "parked", "parked")]


async def test_a_former_owner_is_fenced_and_changes_nothing(driver: Driver) -> None:
    before = driver.epoch
    await driver.own()
    driver.epoch = before

    with pytest.raises(Fenced):
        await driver.take([driver.record(withdraw("a"))])

    assert await driver.counts() == {}


async def test_a_successor_finds_what_was_committed_and_not_published(driver: Driver) -> None:
    sent = (await driver.take([driver.record(withdraw("a")), driver.record(withdraw("b"))])).sent

    lane = (await driver.own())[0]
    left = await outbox.beyond(driver.db, {lane.name: lane.published})

    assert [row.id for row in left] == [row.id for row in sent]


async def test_a_redriven_message_is_handled_before_what_waits_behind_it(driver: Driver) -> None:
    poison = withdraw("p", "unexpected")
    await driver.take([driver.record(poison), driver.record(withdraw("p"))])
    letter = await driver.db.fetchval("SELECT letter FROM dead_letters WHERE state = 'refused'")
    mended = poison.model_copy(update={"reason": None}).model_dump_json()
    order = Redrive(
        to="000000", service="transfer", waiting="p", letter=letter, action="redrive", by="op",
        body=mended,
    )  # fmt: skip

    done = await driver.take([driver.record(order)])
    await driver.take([driver.record(order)])

    assert await driver.counts() == {"p": 2}
    assert [json.loads(row.body)["code"] for row in done.sent] == ["0", "1"]
    assert [letter[2] for letter in await driver.letters()] == ["redriven", "redriven"]


async def test_a_discarded_message_lets_the_others_through(driver: Driver) -> None:
    await driver.take([driver.record(withdraw("p", "unexpected")), driver.record(withdraw("p"))])
    letter = await driver.db.fetchval("SELECT letter FROM dead_letters WHERE state = 'refused'")
    order = Redrive(
        to="000000", service="transfer", waiting="p", letter=letter, action="discard", by="op",
        why="sent by mistake",
    )  # fmt: skip

    await driver.take([driver.record(order)])
    await driver.take([driver.record(withdraw("p"))])

    assert await driver.counts() == {"p": 2}
    settled = await driver.db.fetchrow(
        "SELECT settled_by, settled_why FROM dead_letters WHERE state = 'discarded'"
    )
    assert tuple(settled) == ("op", "sent by mistake")


async def test_a_second_poison_behind_the_first_becomes_the_head(driver: Driver) -> None:
    await driver.take(
        [driver.record(withdraw("p", "unexpected")), driver.record(withdraw("p", "unexpected"))]
    )
    letter = await driver.db.fetchval("SELECT letter FROM dead_letters WHERE state = 'refused'")
    order = Redrive(
        to="000000", service="transfer", waiting="p", letter=letter, action="discard", by="op",
        why="x",
    )  # fmt: skip

    await driver.take([driver.record(order)])

    assert await driver.letters() == [
        ("p", "meaningless", "discarded"),
        ("p", "meaningless", "refused"),
    ]


async def order(driver: Driver) -> Redrive:
    letter = await driver.db.fetchval("SELECT letter FROM dead_letters WHERE state = 'refused'")
    return Redrive(
        to="000000", service="transfer", waiting="p", letter=letter, action="discard",
        by="op", why="x",
    )  # fmt: skip


async def test_what_comes_with_an_order_on_its_key_is_not_left_behind(driver: Driver) -> None:
    await driver.take([driver.record(withdraw("p", "unexpected"))])

    await driver.take([driver.record(withdraw("p")), driver.record(await order(driver))])
    await driver.take([driver.record(withdraw("p"))])

    assert await driver.counts() == {"p": 2}


async def test_a_key_refused_before_an_order_in_the_same_batch_waits_all_the_same(
    driver: Driver,
) -> None:
    await driver.take([driver.record(withdraw("p", "unexpected"))])

    await driver.take(
        [
            driver.record(withdraw("a", "unexpected")),
            driver.record(await order(driver)),
            driver.record(withdraw("a")),
        ]
    )

    assert await driver.counts() == {}


async def test_nul_in_an_envelope_is_set_aside_and_blocks_nothing(driver: Driver) -> None:
    bad = driver.record(withdraw("p"))
    bad.headers["ce_type"] = b"x\x00y"
    bad.headers["a\x00b"] = b"c\x00d"

    await driver.take([bad, driver.record(withdraw("a"))])

    assert await driver.counts() == {"a": 1}
