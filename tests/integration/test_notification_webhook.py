"""Letters to a gateway: signed, under one key for ever, tried again, given up in the end."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import asyncpg
import httpx
import pytest

from services.notification import store
from services.notification.app import Post
from services.notification.channels import Webhook
from shared.messages.notification import LetterFailed
from tests.integration.letter_office import (
    Answer,
    Dying,
    Office,
    advanced,
    office,
    person,
    registered,
)

__all__ = ["office"]


def webhook(answer: Answer, seen: list[httpx.Request]) -> Webhook:
    """A channel whose gateway is outside of the system, so it is played here."""

    def gateway(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    client = httpx.AsyncClient(transport=httpx.MockTransport(gateway))
    return Webhook("http://gateway.invalid/letters", "secret", client)


async def one_letter(office: Office) -> str:
    who = person()
    sealed = await office.sealed(who, name="张伟", phone="13800000000")
    await office.handle(registered(who, sealed), advanced(who, uuid4()))
    return who


async def test_the_webhook_repeats_its_key_and_signs(office: Office) -> None:
    who = await one_letter(office)
    seen: list[httpx.Request] = []

    with pytest.raises(ConnectionResetError):
        await Post(
            Dying(office.pool, office.owner, office.settings), webhook(202, seen)
        ).deliver_due()
    await Post(office, webhook(202, seen)).deliver_due()

    (row,) = await office.letters(who)
    first, again = seen
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"]
    assert first.headers["Idempotency-Key"] == str(row["letter"])
    assert first.content == again.content
    assert first.headers["Jiexu-Signature"] == again.headers["Jiexu-Signature"]
    assert (row["state"], row["channel"]) == ("sent", "webhook")


@pytest.mark.parametrize("answer", [500, 503, 429, httpx.ConnectError("down")])
async def test_a_gateway_that_is_unwell_is_tried_again_later_and_given_up_in_the_end(
    office: Office, answer: Answer
) -> None:
    who, seen = await one_letter(office), list[httpx.Request]()
    post = Post(office, webhook(answer, seen))

    await post.deliver_due()
    assert await post.deliver_due() == 0
    assert (await office.letters(who))[0]["state"] == "queued"
    for _ in store.DELAYS:
        await office.make_due()
        await post.deliver_due()

    (row,) = await office.letters(who)
    assert (row["state"], row["code"]) == ("failed", "gave-up")
    assert len(seen) == len(store.DELAYS) + 1
    assert [type(message) for _, message in office.sent] == [LetterFailed]
    assert await office.owner.fetchval("SELECT count(*) FROM notification.runs") == 0


async def test_the_delay_grows_with_every_attempt(office: Office) -> None:
    await one_letter(office)
    post = Post(office, webhook(503, []))
    delays = []

    for _ in range(4):
        await post.deliver_due()
        delays.append(await office.owner.fetchval("SELECT due_at - now() FROM notification.runs"))
        await office.make_due()

    assert delays == sorted(delays)
    assert delays[-1] > 10 * delays[0]


async def test_a_letter_that_the_gateway_refuses_is_not_tried_again(office: Office) -> None:
    who, seen = await one_letter(office), list[httpx.Request]()
    post = Post(office, webhook(400, seen))

    await post.deliver_due()
    await office.make_due()
    await post.deliver_due()

    (row,) = await office.letters(who)
    assert (row["state"], row["code"], len(seen)) == ("failed", "channel-refused", 1)


async def test_once_the_gateway_is_down_the_rest_waits_unasked(office: Office) -> None:
    people = [await one_letter(office) for _ in range(3)]
    await office.handle(*(advanced(people[0], uuid4()) for _ in range(100)))
    seen: list[httpx.Request] = []

    await Post(office, webhook(httpx.ConnectError("down"), seen)).deliver_due()

    assert len(seen) < 103


async def test_a_gateway_slower_than_a_transaction_may_idle_is_waited_for(
    office: Office, database: str
) -> None:
    who, seen = await one_letter(office), list[httpx.Request]()

    async def gateway(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        await asyncio.sleep(1.5)
        return httpx.Response(202)

    own = {"role": "jiexu_notification", "search_path": "notification"}
    impatient = {**own, "idle_in_transaction_session_timeout": "1s"}
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(gateway)) as client,
        asyncpg.create_pool(database, min_size=1, server_settings=impatient) as pool,
    ):
        post = Post(replace(office, pool=pool), Webhook("http://gateway.invalid", "", client))
        await post.deliver_due()
        assert await pool.fetchval("SHOW idle_in_transaction_session_timeout") == "1s"

    (row,) = await office.letters(who)
    assert (row["state"], len(seen)) == ("sent", 1)
