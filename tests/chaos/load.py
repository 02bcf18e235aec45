"""One run's load: registrations through every door, repeated and contradicted, a withdrawal, a
message that means nothing, transactions that end well and that do not, timers that are due, and a
bank that pays exactly, short, in a lump, twice, not at all, and for nobody.

Whoever sends is a patient client: what was not accepted is sent again, the same.
"""

import asyncio
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TypeVar
from uuid import UUID, uuid4

import asyncpg

from deploy.sandbox import feed
from services.monitor.commands import intake, waiting
from services.monitor.commands.client import Client, Refused, Unreachable
from shared.lanes import partition_of
from shared.messages import transfer_uuid
from shared.messages.transfer import Withdraw
from tests.chaos.bus import PARTITIONS, Bus, Where
from tests.chaos.people import BALANCE_FEN as RELEASED_FEN
from tests.chaos.people import HEFEI, NANNING, Mover
from tests.system.bank_files import Line, camt053

SETTLE_SECONDS = 90.0
AGAIN = 20
UPSTREAM = "upstream.registrations"
# How many of those that send by the topic send in transactions.
_WHOLE = 0.5
_INTAKE, _STATEMENTS = "/v1/registrations", "/v1/statements"
_UNREADABLE = 422
HEFEI_PAYER = "合肥市医疗保障中心"
Answer = TypeVar("Answer")


@dataclass(slots=True)
class Bank:
    """The account at Nanning's bank: its statements follow one another."""

    balance_fen: int = 0
    number: int = 0

    def statement(self, lines: Sequence[Line], booked: date) -> bytes:
        """The next statement."""
        self.number += 1
        opening = self.balance_fen
        self.balance_fen += sum(round(float(line.amount) * 100) for line in lines)
        number = str(self.number)
        return camt053(list(lines), opening=_yuan(opening), number=number, booked=booked).encode()


@dataclass(slots=True)
class Load:
    """Plays one run against a stack."""

    name: str
    client: Client
    bus: Bus
    db: asyncpg.Pool
    bank: Bank
    folder: Path
    today: date
    movers: Sequence[Mover]
    marks: dict[Where, int]
    victims: Sequence[str]
    random: Random
    repeated: int = 0
    poisoned: dict[str, str] = field(default_factory=dict)
    """The key of a poison, and the service that it is for."""

    async def before(self) -> None:
        """What waits in Kafka already when the service comes up."""
        await self._given_up()
        for mover in self.movers:
            if mover.channel == "upstream":
                await self._upstream(mover.rows)
        await self._poison()

    async def play(self) -> None:
        """Everything else, until all is handled."""
        for mover in self.movers:
            if mover.channel != "upstream":
                await self._send(mover.channel, mover.rows)
        await self._repeat_and_contradict()
        await self.settle()
        await self._due()
        await self._again()
        for mover in self.movers:
            if mover.later:
                await self._send(mover.channel, mover.later)
        await self._discard()
        await self._pay()
        await self.settle()

    async def settle(self) -> None:
        """Waits until every message so far is handled."""
        await asyncio.to_thread(waiting.settle, self.client, SETTLE_SECONDS)

    async def _upstream(self, rows: Sequence[object]) -> None:
        """One by one, or as senders do that have transactions: all at once."""
        records = [_upstream_record(row) for row in rows]
        if self.random.random() < _WHOLE:
            await self.bus.together(UPSTREAM, records, commit=True)
        else:
            for key, body in records:
                await self.bus.send(UPSTREAM, key, body)

    async def _given_up(self) -> None:
        """Everybody's records under another name, in a transaction that its sender gives up: had
        one been read, its true one would be a contradiction.
        """
        rows = [{**row, "name": "没有的人"} for mover in self.movers for row in mover.rows]
        await self.bus.together(UPSTREAM, [_upstream_record(row) for row in rows], commit=False)

    async def _send(self, channel: str, rows: Sequence[object]) -> None:
        if channel == "upstream":
            await self._upstream(rows)
        elif channel == "post":
            # One after the other: what comes later is of a person that is known by then.
            for row in rows:
                await self._insist(partial(self.client.post, "enrollment", _INTAKE, [row]))
        else:
            body = feed.csv_bytes(rows)  # type: ignore[arg-type]  # rows are records
            result = self.folder / "answers.csv"
            await self._insist(lambda: intake.send(self.client, io.BytesIO(body), result))

    async def _insist(self, act: Callable[[], Answer]) -> Answer:
        """Again and again, while the answer is none, or `later`."""
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                try:
                    return await asyncio.to_thread(act)
                except Unreachable:
                    await asyncio.sleep(0.05)
                except Refused as refused:
                    if refused.status < 500:
                        raise
                    await asyncio.sleep(0.05)

    async def _repeat_and_contradict(self) -> None:
        """Two records come a second time, and one with another content under its number; at the
        end of some partitions stand marks alone.
        """
        for mover in self.random.sample(list(self.movers), 2):
            await self._send("upstream", mover.rows[-1:])
        other = {**self.movers[0].rows[0], "name": "另一个", "phone": "13900000000"}
        await self._send("upstream", [other])
        await self._given_up()

    async def _again(self) -> None:
        """Kafka's messages for the service under test come twice."""
        found = [r for r in await self.bus.since(self.marks) if "ce_id" in r.headers]
        mine = [r for r in found if r.key not in self.poisoned]
        for record in self.random.sample(mine, min(AGAIN, len(mine))):
            await self.bus.again(record)
            self.repeated += 1

    async def _poison(self) -> None:
        """A message that nobody knows, and one behind it on the same key that fits no transfer."""
        for victim in self.victims:
            if victim != "monitor":
                key = f"poison-{self.name}-{victim}"
                self.poisoned[key] = victim
                nobody = Withdraw(to=NANNING, person=key, transfer=uuid4())
                await self._put(victim, key, "transfer.nonsense.v1", b"{}")
                await self._put(victim, key, Withdraw.type, nobody.model_dump_json().encode())

    async def _put(self, service: str, key: str, kind: str, body: bytes) -> None:
        headers = {"ce_id": str(uuid4()), "ce_type": kind, "sentat": _now()}
        await self.bus.send(
            f"cn.{service}.commands",
            key,
            body,
            [(name, text.encode()) for name, text in headers.items()],
            partition_of(key, PARTITIONS),
        )

    async def _discard(self) -> None:
        """An operator tries what was refused once more, then settles what waits, one by one from
        the head of its key.
        """
        for key, service in self.poisoned.items():
            again = {"key": key, "reason": "poison of a chaos run, once more"}
            await self._insist(
                partial(self.client.post, service, "/v1/dead-letters/redrive", again)
            )
            async with asyncio.timeout(SETTLE_SECONDS):
                while letter := await self._head(service, key):
                    await self._order(service, letter)
                    while await self._head(service, key) == letter:  # noqa: ASYNC110 - a database's row
                        await asyncio.sleep(0.02)

    async def _order(self, service: str, letter: UUID) -> None:
        path, why = f"/v1/dead-letters/{letter}/discard", {"reason": "poison of a chaos run"}
        try:
            await self._insist(lambda: self.client.post(service, path, why))
        except Refused as refused:
            # An order that was taken, and not answered, has been carried out meanwhile.
            if refused.code != "not_at_head":
                raise

    async def _head(self, service: str, key: str) -> UUID | None:
        found: UUID | None = await self.db.fetchval(
            f"SELECT letter FROM {service}.dead_letters WHERE key = $1"
            " AND state IN ('refused', 'parked') ORDER BY n LIMIT 1",
            key,
        )
        return found

    async def _due(self) -> None:
        """The deadlines of this run's transfers come round at once."""
        await self.db.execute(
            "UPDATE transfer.timers SET due_at = cell.business_now() WHERE key IN (SELECT person"
            " FROM transfer.transfers WHERE id = ANY($1))",
            [transfer_of(mover) for mover in self.movers],
        )

    async def _pay(self) -> None:
        """Hefei instructs its lump, and asks for it again; Nanning's bank sends what is no
        statement, and then twice what came.
        """
        remit = {"region": HEFEI, "date": self.today.isoformat(), "lump": True}
        for _ in range(2):
            await self._insist(
                lambda: self.client.post_for_bytes("settlement", "/v1/remittances", remit)
            )
        lines = [line for mover in self.movers for line in self._paid(mover)]
        lump = tuple(
            (transfer_of(mover).hex, _yuan(RELEASED_FEN))
            for mover in self.movers
            if mover.kind == "lump"
        )
        whole = Line(self._number(), _yuan(RELEASED_FEN * len(lump)), HEFEI_PAYER, listed=lump)
        stray = Line(self._number(), "77.77", "某某公司")
        await self._refused(f"no statement of {self.name}".encode())
        body = self.bank.statement([*lines, whole, stray], self.today)
        for _ in range(2):
            await self._insist(lambda: self.client.post("settlement", _STATEMENTS, body))

    async def _refused(self, body: bytes) -> None:
        """A file that is refused, whether or not it was before."""
        try:
            await self._insist(lambda: self.client.post("settlement", _STATEMENTS, body))
        except Refused as refused:
            if refused.status != _UNREADABLE:
                raise

    def _paid(self, mover: Mover) -> list[Line]:
        amounts = {"exact": [0], "short": [-100], "twice": [0, 0]}.get(mover.kind, [])
        reference = transfer_of(mover).hex
        return [
            Line(self._number(), _yuan(RELEASED_FEN + more), end_to_end=reference)
            for more in amounts
        ]

    def _number(self) -> str:
        return f"{self.name}-{uuid4().hex[:8]}"


def _upstream_record(row: object) -> tuple[str, bytes]:
    """Key and body."""
    assert isinstance(row, dict)
    key: str = sha256(row["id_no"].encode()).hexdigest()[:24]
    return key, json.dumps(row).encode()


def transfer_of(mover: Mover) -> UUID:
    """The transfer that the person's enrolment or application begins."""
    begun = [row for row in mover.rows if row["action"] in ("enroll", "apply")][-1]
    return transfer_uuid(begun["source"], begun["record_id"])


def _yuan(fen: int) -> str:
    return f"{fen / 100:.2f}"


def _now() -> str:
    return datetime.now(UTC).isoformat()
