"""What the tests of letters share: a stand-in for the chassis, and messages with letters."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json import loads
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.notification.store import Notification
from shared.decision import Delivery, States
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.regions import Regions, load
from shared.sealing import Keyring, seal
from shared.settings import Secrets, Settings

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

    def holding(self, _: float) -> AbstractContextManager[None]:
        return nullcontext()

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


class Dying(Office):
    """The process is killed after the letters have left and before that is recorded."""

    async def now(self, db: asyncpg.Connection) -> datetime:  # noqa: ARG002 - it dies
        raise ConnectionResetError
