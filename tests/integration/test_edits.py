"""Redriven messages: edited, edited again, mended; and what would say too much."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from shared import outbox
from shared.messages.chassis import Redrive
from tests.integration.driver import Driver
from tests.integration.toy import withdraw


async def test_a_message_that_would_say_too_much_is_set_aside_and_the_others_go_on(
    driver: Driver,
) -> None:
    batch = [driver.record(withdraw(key, how)) for key, how in (("a", None), ("p", "large"))]
    with pytest.raises(outbox.TooLarge):
        await driver.take(batch)

    done = await driver.take(batch, apart=True)

    assert await driver.counts() == {"a": 1}
    assert await driver.letters() == [("p", "too_large", "refused")]
    assert [row.key for row in done.sent] == ["a"]


async def test_an_edit_that_is_refused_can_be_edited_again_and_each_is_kept(
    driver: Driver,
) -> None:
    poison = withdraw("p", "unexpected")
    await driver.take([driver.record(poison), driver.record(withdraw("p"))])
    letter = await driver.db.fetchval("SELECT letter FROM dead_letters WHERE state = 'refused'")

    for reason in ("unexpected", None):
        body = poison.model_copy(update={"reason": reason}).model_dump_json()
        await driver.take([driver.record(_edit(letter, body=body))])

    assert await driver.counts() == {"p": 2}
    acts = json.loads(await driver.db.fetchval("SELECT acts FROM dead_letters ORDER BY n LIMIT 1"))
    assert [(act["act"], act["by"], act["outcome"]) for act in acts] == [
        ("edit", "op", "meaningless"),
        ("edit", "op", "redriven"),
    ]
    assert all(act["why"] == "as the sender says" and act["at"] for act in acts)


def _edit(letter: UUID, body: str | None = None, kind: str | None = None) -> Redrive:
    return Redrive(
        to="000000", service="transfer", waiting="p", letter=letter, action="redrive", by="op",
        why="as the sender says", body=body, edited_type=kind,
    )  # fmt: skip


@pytest.mark.parametrize("broken", ["ce_id", "sentat", "correlationid", "ce_type", "body"])
async def test_whatever_is_broken_of_a_message_can_be_mended(driver: Driver, broken: str) -> None:
    good = withdraw("p")
    record = driver.record(good)
    if broken == "body":
        record = replace(record, body=b"\xff not JSON")
    else:
        record.headers[broken] = b"broken"
    await driver.take([record, driver.record(withdraw("p"))])
    letter = await driver.db.fetchval("SELECT letter FROM dead_letters WHERE state = 'refused'")

    done = await driver.take([driver.record(_edit(letter, good.model_dump_json(), good.type))])

    assert await driver.counts() == {"p": 2}
    assert [json.loads(row.body)["code"] for row in done.sent] == ["0", "1"]


async def test_an_edit_cannot_move_a_message_to_another_key(driver: Driver) -> None:
    await driver.take([driver.record(withdraw("p", "unexpected"))])
    letter = await driver.db.fetchval("SELECT letter FROM dead_letters WHERE state = 'refused'")

    await driver.take([driver.record(_edit(letter, withdraw("q").model_dump_json()))])

    assert await driver.counts() == {}
    assert await driver.letters() == [("p", "other_key", "refused")]
