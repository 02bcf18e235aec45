"""Letters in a real database: each exists once, and reaches its reader once or fails."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.notification import store
from services.notification.app import Post, build
from services.notification.channels import Channel, FileOutbox
from services.notification.codes import CODES
from shared.asking import holder
from shared.messages.notification import LetterFailed
from shared.settings import Holder, Settings
from tests.integration.letter_office import (
    AT,
    Dying,
    Office,
    accepted,
    advanced,
    files,
    lines,
    office,
    person,
    registered,
)

__all__ = ["office"]


async def test_a_letter_exists_once_however_often_it_is_announced(office: Office) -> None:
    who, transfer = person(), uuid4()

    await office.handle(accepted(who, transfer), accepted(who, transfer))
    await office.handle(accepted(who, transfer), advanced(who, transfer))

    assert [row["kind"] for row in await office.letters(who)] == ["accepted", "advance-credited"]
    async with office.pool.acquire() as db:
        assert await store.due(db) == 2


async def test_a_letter_reaches_the_file_outbox_with_its_name_filled_in(
    office: Office, tmp_path: Path
) -> None:
    who, transfer = person(), uuid4()
    sealed = await office.sealed(who, name="张伟", phone="13800000000")
    await office.handle(registered(who, sealed), advanced(who, transfer))

    tried = await Post(office, FileOutbox(tmp_path)).deliver_due()

    (line,) = lines(tmp_path)
    (row,) = await office.letters(who)
    assert tried == 1
    assert line["key"] == str(row["letter"])
    assert line["to"] == {"medium": "sms", "name": "张伟", "phone": "13800000000"}
    assert line["text"]["zh"].startswith("张伟：您好。您的个人账户余额4084.12元已由南宁市先行划入")
    assert (row["state"], row["channel"], row["recipient"]) == ("sent", "file", "张* 138****0000")
    assert files(tmp_path)[0].stat().st_mode & 0o777 == 0o600
    async with office.pool.acquire() as db:
        assert await store.due(db) == 0
        assert await db.fetchval("SELECT count(*) FROM runs") == 0


async def test_a_letter_that_arrived_is_a_row_and_no_message(
    office: Office, tmp_path: Path
) -> None:
    who, transfer = person(), uuid4()
    sealed = await office.sealed(who, name="张伟", phone="13800000000")
    await office.handle(registered(who, sealed), advanced(who, transfer))

    await Post(office, FileOutbox(tmp_path)).deliver_due()

    (row,) = await office.letters(who)
    assert (row["kind"], row["state"], row["channel"]) == ("advance-credited", "sent", "file")
    assert office.sent == []


async def test_no_table_holds_a_name_or_a_phone(office: Office, tmp_path: Path) -> None:
    who = person()
    sealed = await office.sealed(who, name="欧阳测试", phone="13912345678")
    await office.handle(registered(who, sealed), advanced(who, uuid4()))
    await Post(office, FileOutbox(tmp_path)).deliver_due()

    for table in ("contacts", "letters", "runs"):
        rows = await office.owner.fetch(f"SELECT * FROM notification.{table}")
        assert "欧阳测试" not in str(rows)
        assert "13912345678" not in str(rows)


async def test_a_kill_between_sending_and_recording_repeats_no_letter(
    office: Office, tmp_path: Path
) -> None:
    people = [person() for _ in range(20)]
    for who in people:
        sealed = await office.sealed(who, name="张伟", phone="13800000000")
        await office.handle(registered(who, sealed))
    await office.handle(*(advanced(who, uuid4()) for who in people))
    dying = Dying(office.pool, office.owner, office.settings)

    with pytest.raises(ConnectionResetError):
        await Post(dying, FileOutbox(tmp_path)).deliver_due()
    before = [(path.name, path.read_bytes()) for path in files(tmp_path)]
    await Post(office, FileOutbox(tmp_path)).deliver_due()

    assert [(path.name, path.read_bytes()) for path in files(tmp_path)] == before
    assert len({line["key"] for line in lines(tmp_path)}) == len(lines(tmp_path)) == 20
    for who in people:
        assert [row["state"] for row in await office.letters(who)] == ["sent"]


async def test_two_loops_never_deliver_the_same_letter(office: Office) -> None:
    who = person()
    sealed = await office.sealed(who, name="张伟", phone="13800000000")
    await office.handle(registered(who, sealed), advanced(who, uuid4()))
    await office.handle(advanced(who, uuid4()))

    async with (
        office.pool.acquire() as one,
        office.pool.acquire() as other,
        one.transaction(),
        other.transaction(),
    ):
        runs, letters = await store.claim(one, 1, 1000)
        other_runs, other_letters = await store.claim(other, 32, 1000)
        third_runs, _ = await store.claim(other, 32, 0)

    assert (len(runs), len(letters)) == (1, 1)
    assert (len(other_runs), len(other_letters)) == (1, 1)
    assert letters[0].letter != other_letters[0].letter
    assert third_runs == other_runs


async def test_a_letter_may_be_decided_before_its_contact_is_known(
    office: Office, tmp_path: Path
) -> None:
    who, post = person(), Post(office, FileOutbox(tmp_path))
    await office.handle(advanced(who, uuid4()))
    await post.deliver_due()
    async with office.pool.acquire() as db:
        assert await store.due(db) == 0
    assert lines(tmp_path) == []

    sealed = await office.sealed(who, name="张伟", phone="13800000000")
    await office.handle(registered(who, sealed))
    await office.make_due()
    await post.deliver_due()

    assert [line["to"]["name"] for line in lines(tmp_path)] == ["张伟"]


async def test_who_is_known_elsewhere_is_reached_there(office: Office, tmp_path: Path) -> None:
    who = person()
    old = await office.sealed(who, name="张伟", phone="13800000001")
    await office.handle(registered(who, old, to="410100"), advanced(who, uuid4()))
    await Post(office, FileOutbox(tmp_path)).deliver_due()
    new = await office.sealed(who, name="张伟", phone="13800000002")
    await office.handle(registered(who, new), advanced(who, uuid4()))

    await Post(office, FileOutbox(tmp_path)).deliver_due()

    phones = {line["to"]["phone"] for line in lines(tmp_path)}
    assert phones == {"13800000001", "13800000002"}


async def test_the_newest_phone_counts_in_whatever_order_records_come(
    office: Office, tmp_path: Path
) -> None:
    who = person()
    first = await office.sealed(who, name="张伟", phone="13800000001")
    later = await office.sealed(who, phone="13800000002")
    newest = registered(who, later, action="correct", occurred_at=AT + timedelta(days=1))
    stale = registered(who, first, action="apply", occurred_at=AT - timedelta(days=1))

    await office.handle(newest, registered(who, first))
    await office.handle(stale, registered(who, None, action="correct"))
    await office.handle(advanced(who, uuid4()))
    await Post(office, FileOutbox(tmp_path)).deliver_due()

    assert lines(tmp_path)[0]["to"] == {"medium": "sms", "name": "张伟", "phone": "13800000002"}


async def test_who_has_no_phone_is_told_by_the_next_channel_of_the_region(
    office: Office, tmp_path: Path
) -> None:
    who = person()
    await office.handle(
        registered(who, await office.sealed(who, name="张伟")), advanced(who, uuid4())
    )

    await Post(office, FileOutbox(tmp_path)).deliver_due()

    assert lines(tmp_path)[0]["to"]["medium"] == "app"


async def test_an_erased_person_is_not_written_to(office: Office, tmp_path: Path) -> None:
    who = person()
    sealed = await office.sealed(who, name="张伟", phone="13800000000")
    await office.handle(registered(who, sealed), advanced(who, uuid4()))
    await office.owner.execute("DELETE FROM cell.person_keys WHERE person = $1", who)

    await Post(office, FileOutbox(tmp_path)).deliver_due()

    (row,) = await office.letters(who)
    assert lines(tmp_path) == []
    assert (row["state"], row["code"]) == ("failed", "no-recipient")
    assert [type(message) for _, message in office.sent] == [LetterFailed]


async def test_letters_without_words_wait_for_them_and_hold_up_no_other(
    office: Office, tmp_path: Path
) -> None:
    who, good, strange = person(), uuid4(), [uuid4() for _ in range(3)]
    sealed = await office.sealed(who, name="张伟", phone="13800000000")
    told = (advanced(who, transfer) for transfer in (good, *strange))
    await office.handle(registered(who, sealed), *told)
    changes = ("kind = 'newer'", "params = '{}'", """params = '{"amount_fen": "x"}'""")
    for transfer, change in zip(strange, changes, strict=True):
        query = f"UPDATE notification.letters SET {change} WHERE transfer = $1"
        await office.owner.execute(query, transfer)
    post = Post(office, FileOutbox(tmp_path))

    await post.deliver_due()
    states = {row["transfer"]: row["state"] for row in await office.letters(who)}
    everywhere = Holder(holder="operator", regions=frozenset({"*"}))
    shown = await ask(office, everywhere, "GET", f"/v1/letters?transfer={strange[0]}")
    for _ in store.DELAYS:
        await office.make_due()
        await post.deliver_due()

    assert states == {good: "sent", **dict.fromkeys(strange, "queued")}
    assert [letter["text"]["en"] for letter in shown.json()] == [CODES["no-words"][1]]
    assert [line["transfer"] for line in lines(tmp_path)] == [str(good)]
    codes = {row["transfer"]: row["code"] for row in await office.letters(who)}
    assert codes == {good: None, **dict.fromkeys(strange, "no-words")}
    assert [type(message) for _, message in office.sent] == [LetterFailed] * 3


async def ask(
    office: Office, who: Holder, method: str, url: str, json: object = None
) -> httpx.Response:
    api = FastAPI()
    api.include_router(build(office).router)
    api.dependency_overrides[holder] = lambda: who
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.request(method, url, json=json)


async def test_letters_are_listed_masked_to_who_may_see_the_region(
    office: Office, tmp_path: Path
) -> None:
    who, transfer = person(), uuid4()
    sealed = await office.sealed(who, name="张伟", phone="13800000000")
    await office.handle(registered(who, sealed), advanced(who, transfer))
    await Post(office, FileOutbox(tmp_path)).deliver_due()
    everywhere = Holder(holder="operator", regions=frozenset({"*"}))
    elsewhere = Holder(holder="other", regions=frozenset({"130100"}))

    by_transfer = await ask(office, everywhere, "GET", f"/v1/letters?transfer={transfer}")
    by_person = await ask(office, everywhere, "POST", "/v1/letters", json={"person_key": who})
    hidden = await ask(office, elsewhere, "GET", f"/v1/letters?transfer={transfer}")

    assert by_transfer.json() == by_person.json()
    assert hidden.json() == []
    (letter,) = by_transfer.json()
    assert letter["recipient"] == "张* 138****0000"
    assert letter["text"]["zh"].startswith("参保人：您好。您的个人账户余额4084.12元")
    assert (letter["kind"], letter["state"]) == ("advance-credited", "sent")


def test_the_channel_follows_the_settings(tmp_path: Path) -> None:
    from services.notification.app import channel

    client = httpx.AsyncClient()
    chosen: list[Channel] = [
        channel(Settings(home=tmp_path), client),
        channel(Settings(home=tmp_path, webhook="http://gateway.invalid"), client),
    ]

    assert [one.name for one in chosen] == ["file", "webhook"]
