"""A desk at settlement's edge: its HTTP interface on a real database, and what it sends."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from services.settlement.api import router
from shared.asking import Refusal, holder
from shared.messages import Message
from shared.messages.settlement import InstructRemittance
from shared.overload import admitted
from shared.regions import Regions, load
from shared.sealing import Keyring, seal
from shared.settings import Holder, Secrets, Settings

SECRETS = Secrets(
    person_key_secret="11" * 32,
    blind_key_secret="22" * 32,
    master_key="33" * 32,
    content_key="44" * 32,
)
INCOME, EXPENSE, FISCAL = (f"45010101040000451{n:02d}" for n in (1, 2, 3))
ZHENGZHOU_EXPENSE = "4101010104000041102"
HEADER = (
    "account,entry_ref,booked_at,direction,amount,currency,end_to_end_id,payer_name,"
    "payer_account,payee_name,remark,return_of"
)
ON = date(2026, 3, 31)
PAIN = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@dataclass
class Desk:
    """What the chassis gives to the service; `sent` is what was committed to the outbox."""

    pool: asyncpg.Pool
    owner: asyncpg.Connection
    settings: Settings
    name: str = "settlement"
    keyring: Keyring = field(default_factory=lambda: Keyring(SECRETS))
    regions: Regions = field(default_factory=lambda: load(Settings().regions))
    sent: list[tuple[UUID, Message]] = field(default_factory=list)
    may: frozenset[str] = frozenset({"*"})
    who: Mapping[str, Any] = field(default_factory=lambda: {"holder": "t"})

    async def now(self, db: asyncpg.Connection) -> datetime:
        at: datetime = await db.fetchval("SELECT cell.business_now()")
        return at

    async def send(self, db: asyncpg.Connection, messages: Sequence[tuple[UUID, Message]]) -> None:
        assert db.is_in_transaction()
        self.sent += messages

    def holding(self, _: float) -> AbstractContextManager[None]:
        return nullcontext()

    @property
    def messages(self) -> list[Message]:
        return [message for _, message in self.sent]

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401
        app = FastAPI()
        app.include_router(router(self))
        app.dependency_overrides[admitted] = lambda: None
        app.dependency_overrides[holder] = lambda: Holder(regions=self.may, **self.who)

        @app.exception_handler(Refusal)
        async def refused(_: object, why: Refusal) -> JSONResponse:
            return JSONResponse({"code": why.code}, why.status)

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            return await client.request(method, path, **request)

    async def post(self, text: str | bytes) -> httpx.Response:
        return await self.ask("POST", "/v1/statements", content=text)

    async def release(self, person: str, transfer: UUID, amount_fen: int, on: date = ON) -> None:
        await self.owner.execute(
            "INSERT INTO settlement.releases (person, transfer, region, destination, opened_at,"
            " version, principal_fen, released_fen, payable_fen, released_on)"
            " VALUES ($1, $2, '410100', '450100', now(), 1, $3, $3, $3, $4)",
            *(person, transfer, amount_fen, on),
        )

    async def owe_back(self, person: str, transfer: UUID, amount_fen: int) -> None:
        """What 450100 has got of 410100 and owes back to it."""
        await self.owner.execute(
            "INSERT INTO settlement.claims (person, transfer, region, origin, opened_at,"
            " announced_on, released_on, versions, announced_fen, credited_fen, matched_fen,"
            " advance, back_payable_fen)"
            " VALUES ($1, $2, '450100', '410100', now(), $4, $4, '{1}', $3, $3, $3, true, $3)",
            *(person, transfer, amount_fen, ON),
        )

    async def hold(self, person: str, name: str) -> None:
        keys = await self.keyring.create_person_keys(self.owner, [person])
        await self.owner.execute(
            "INSERT INTO settlement.holders (person, region, account, sealed)"
            " VALUES ($1, '410100', true, $2)",
            person,
            seal(keys[person], {"name": name}),
        )

    async def obey(self, message: Message) -> None:
        """What the books do with an instruction."""
        assert isinstance(message, InstructRemittance)
        await self.owner.execute(
            "UPDATE settlement.releases SET payable_fen = payable_fen - $3,"
            " remitting_fen = remitting_fen + $3 WHERE person = $1 AND transfer = $2",
            *(message.person, message.transfer, message.amount_fen),
        )
        await self.owner.execute(
            "UPDATE settlement.claims SET back_payable_fen = back_payable_fen - $3,"
            " back_remitting_fen = back_remitting_fen + $3"
            " WHERE person = $1 AND transfer = $2 AND region = $4",
            *(message.person, message.transfer, message.amount_fen, message.to),
        )
        await self.owner.execute(
            "INSERT INTO settlement.instructions VALUES ($1, $2, $3, $4)",
            *(message.person, message.transfer, message.run, message.amount_fen),
        )


@asynccontextmanager
async def desk_at(database: str, home: Path) -> AsyncIterator[Desk]:
    """A desk at the migrated database of that DSN."""
    owner = await asyncpg.connect(database)
    own = {"role": "jiexu_settlement", "search_path": "settlement"}
    async with asyncpg.create_pool(database, min_size=1, max_size=4, server_settings=own) as pool:
        yield Desk(pool, owner, Settings(home=home))
    await owner.close()


def row(ref: str, amount: str, *, account: str = INCOME, **changed: str) -> str:
    fields = dict.fromkeys(HEADER.split(","), "") | {
        "account": account,
        "entry_ref": ref,
        "booked_at": "2026-03-20",
        "direction": "credit",
        "amount": amount,
        "currency": "CNY",
        "payer_account": ZHENGZHOU_EXPENSE,
    }
    return ",".join((fields | changed).values())


def csv(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"
