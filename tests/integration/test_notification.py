"""Letters in a real database: each exists once, is delivered once for its reader, or fails."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json import loads
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from services.notification import store
from services.notification.app import Post, build
from services.notification.channels import Channel, FileOutbox, Webhook
from services.notification.store import Notification
from shared.decision import Delivery, States
from shared.http import holder
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages.notification import LetterFailed, LetterSent
from shared.regions import Regions, load
from shared.sealing import Keyring, seal
from shared.settings import Holder, Secrets, Settings

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
SECRETS = Secrets(
    person_key_secret="11" * 32,
    blind_key_secret="22" * 32,
    master_key="33" * 32,
    content_key="44" * 32,
)
SERVICE = Notification()
Answer = int | Exception


@dataclass
class Office:
    """What the chassis gives to the service; `sent` is what was announced and committed."""

    pool: asyncpg.Pool
    owner: asyncpg.Connection
    settings: Settings
    name: str = "notification"
    keyring: Keyring = field(default_factory=lambda: Keyring(SECRETS))
    regions: Regions = field(default_factory=lambda: load(Settings().regions))
    sent: list[tuple[UUID, Message]] = field(default_factory=list)

    async def now(self, db: asyncpg.Connection) -> datetime:
        at: datetime = await db.fetchval("SELECT cell.business_now()")
        return at

    async def send(self, db: asyncpg.Connection, messages: Sequence[tuple[UUID, Message]]) -> None:
        assert db.is_in_transaction()
        self.sent += messages

    async def handle(self, *messages: Message) -> None:
        """As the chassis does: load, fold, save in one transaction."""
        async with self.pool.acquire() as db, db.transaction():
            batch = [Delivery(uuid4(), m.key, m, AT, AT, uuid4()) for m in messages]
            states: States = await SERVICE.load(db, batch)
            changes: States = {}
            for delivery in batch:
                changes |= SERVICE.decide(states | changes, delivery).changes
            await SERVICE.save(db, changes)

    async def sealed(self, person: str, **fields: str) -> str:
        keys = await self.keyring.create_person_keys(self.owner, [person])
        return seal(keys[person], fields)

    async def letters(self, person: str) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.owner.fetch(
            "SELECT * FROM notification.letters WHERE person = $1 ORDER BY kind", person
        )
        return rows

    async def make_due(self) -> None:
        await self.owner.execute("UPDATE notification.runs SET due_at = now()")


@pytest.fixture
async def office(database: str, tmp_path: Path) -> AsyncIterator[Office]:
    owner = await asyncpg.connect(database)
    await owner.execute("TRUNCATE notification.letters, notification.runs, notification.contacts")
    own = {"role": "jiexu_notification", "search_path": "notification"}
    async with asyncpg.create_pool(database, min_size=1, max_size=4, server_settings=own) as pool:
        yield Office(pool, owner, Settings(home=tmp_path))
    await owner.close()


def person() -> str:
    return uuid4().hex


def registered(who: str, sealed: str | None, **changed: object) -> e.Registered:
    fields = {"to": "450100", "person": who, "record": uuid4(), "action": "enroll"}
    return e.Registered.model_validate(fields | {"occurred_at": AT, "sealed": sealed} | changed)


def accepted(who: str, transfer: UUID) -> e.ReleaseAccepted:
    return e.ReleaseAccepted(to="450100", person=who, transfer=transfer, origin="410100")


def advanced(who: str, transfer: UUID) -> s.AdvanceCredited:
    return s.AdvanceCredited(
        to="450100",
        person=who,
        transfer=transfer,
        origin="410100",
        version=1,
        amount_fen=408412,
        credited_fen=408412,
        open_fen=408412,
    )


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*"))


def lines(folder: Path) -> list[dict[str, Any]]:
    return [loads(line) for path in files(folder) for line in path.read_text().splitlines()]


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


async def test_what_was_delivered_is_announced(office: Office, tmp_path: Path) -> None:
    who, transfer = person(), uuid4()
    sealed = await office.sealed(who, name="张伟", phone="13800000000")
    await office.handle(registered(who, sealed), advanced(who, transfer))

    await Post(office, FileOutbox(tmp_path)).deliver_due()

    (row,) = await office.letters(who)
    assert [message for _, message in office.sent] == [
        LetterSent(
            to="450100",
            person=who,
            transfer=transfer,
            letter=row["letter"],
            kind="advance-credited",
            channel="file",
        )
    ]


async def test_no_table_holds_a_name_or_a_phone(office: Office, tmp_path: Path) -> None:
    who = person()
    sealed = await office.sealed(who, name="欧阳测试", phone="13912345678")
    await office.handle(registered(who, sealed), advanced(who, uuid4()))
    await Post(office, FileOutbox(tmp_path)).deliver_due()

    for table in ("contacts", "letters", "runs"):
        rows = await office.owner.fetch(f"SELECT * FROM notification.{table}")
        assert "欧阳测试" not in str(rows)
        assert "13912345678" not in str(rows)


class Dying(Office):
    """The process is killed after the letters have left and before that is recorded."""

    async def now(self, db: asyncpg.Connection) -> datetime:  # noqa: ARG002 - it dies
        raise ConnectionResetError


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
    assert len(office.sent) == 20
    assert not dying.sent


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
