"""The notification service: its interface, and the loop that delivers letters."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated
from uuid import UUID

import asyncpg
import httpx
import structlog
from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from services.notification import store
from services.notification.channels import Addressed, Channel, FileOutbox, Result, Webhook
from services.notification.codes import CODES
from services.notification.letters import Place, render
from services.notification.store import Notification, Outcome, Queued, Run
from services.notification.templates import UNNAMED
from shared.asking import Refusal, Who
from shared.identity import mask_name, mask_phone
from shared.messages import next_uuid
from shared.reader import UNWELL
from shared.regions import Regions
from shared.sealing import SealError, unseal
from shared.service import App, Runtime
from shared.settings import Settings

__all__ = ["Notification", "build"]

log = structlog.get_logger()

RUNS_AT_ONCE = 32
_IDLE_SECONDS = 0.2
_LONGEST_SECONDS = 10.0
_DEFAULT_CHANNELS = ("sms",)
_NO_WORDS = (AttributeError, LookupError, TypeError, ValueError)
"""What a letter of another version raises. The next program may have words for it."""
_SENDING = "SET LOCAL idle_in_transaction_session_timeout = '10min'"
"""What is held meanwhile are rows that others pass over. A gateway that answers each letter as late
as it may needs less than a minute for some, but a run is always taken whole.
"""


class Whom(BaseModel):
    """Whose letters are asked for."""

    person_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class Post:
    """Delivers what is due on one channel."""

    runtime: Runtime
    channel: Channel

    async def deliver_due(self) -> int:
        """Delivers and records a few runs in one transaction; gives how many letters were tried.

        A kill before the commit leaves the runs due: they are sent again, with the same keys.
        """
        async with self.runtime.pool.acquire() as db, db.transaction():
            runs, letters = await store.claim(db, RUNS_AT_ONCE, self.channel.at_once)
            if not runs:
                return 0
            await db.execute(_SENDING)
            outcomes = await self._deliver(db, runs, letters)
            await store.record(db, runs, outcomes, await self.runtime.now(db))
            failed = [said for outcome in outcomes if (said := store.given_up(outcome))]
            if failed:
                await self.runtime.send(db, [(next_uuid(m.letter, "failed"), m) for m in failed])
        return len(letters)

    async def _deliver(
        self, db: asyncpg.Connection, runs: Sequence[Run], letters: Sequence[Queued]
    ) -> list[Outcome]:
        by_id = {run.id: run for run in runs}
        keys = await self.runtime.keyring.person_keys(db, {letter.person for letter in letters})
        addressed: list[tuple[Queued, Addressed]] = []
        outcomes: list[Outcome] = []
        names = place(self.runtime.regions)
        opened: dict[tuple[str, tuple[str, ...]], Mapping[str, str]] = {}
        for letter in letters:
            run = by_id[letter.run]
            # Who gets one letter mostly gets the next within the second.
            whose = letter.person, letter.sealed
            if whose not in opened:
                opened[whose] = _opened(letter.sealed, keys.get(letter.person))
            try:
                found = self._address(letter, run, opened[whose], names)
            except _NO_WORDS as error:
                log.error("letters.no-words", letter=str(letter.letter), error=repr(error))  # noqa: TRY400
                outcomes.append(_again(letter, run, "no-words"))
                continue
            if found is not None:
                addressed.append((letter, found))
            elif letter.sealed and letter.person not in keys:
                outcomes.append(Outcome(letter, "failed", code="no-recipient"))
            else:
                outcomes.append(_again(letter, run, "no-recipient"))
        results = await self.channel.send([to for _, to in addressed]) if addressed else []
        for (letter, to), result in zip(addressed, results, strict=True):
            outcomes.append(self._outcome(letter, to, by_id[letter.run], result))
        return outcomes

    def _address(
        self, letter: Queued, run: Run, fields: Mapping[str, str], names: Place
    ) -> Addressed | None:
        """The letter with its recipient; None where the person is not known or not reachable."""
        name, phone = fields.get("name", ""), fields.get("phone", "")
        medium = self._medium(letter, run, phone)
        if not name or medium is None:
            return None
        zh, en = render(letter.kind, letter.region, letter.params, (name, name), names)
        return Addressed(
            letter.letter,
            run.id,
            run.attempts,
            run.decided_on,
            medium,
            name,
            phone,
            letter.transfer,
            letter.kind,
            letter.region,
            zh,
            en,
            letter.decided_at,
        )

    def _medium(self, letter: Queued, run: Run, phone: str) -> str | None:
        regions = self.runtime.regions
        offered = (
            regions.at(letter.region, run.decided_on).channels
            if regions.get(letter.region)
            else _DEFAULT_CHANNELS
        )
        return next((medium for medium in offered if phone or medium != "sms"), None)

    def _outcome(self, letter: Queued, to: Addressed, run: Run, result: Result) -> Outcome:
        recipient = f"{mask_name(to.name)} {mask_phone(to.phone)}".strip()
        if result == "sent":
            return Outcome(letter, "sent", self.channel.name, recipient)
        if result == "refused":
            return Outcome(letter, "failed", self.channel.name, recipient, "channel-refused")
        return _again(letter, run, "gave-up", self.channel.name, recipient)


def _again(
    letter: Queued, run: Run, code: str, channel: str | None = None, recipient: str | None = None
) -> Outcome:
    state = "queued" if run.attempts < len(store.DELAYS) else "failed"
    return Outcome(letter, state, channel, recipient, code)


def _opened(sealed: Sequence[str], key: bytes | None) -> Mapping[str, str]:
    """Name and phone of the recipient; what was given later counts before what came earlier."""
    fields: dict[str, str] = {}
    for text in reversed(sealed):
        if key is None or fields.keys() >= {"name", "phone"}:
            break
        try:
            opened = unseal(key, text)
        except SealError:
            continue
        fields = {field: value for field, value in opened.items() if value} | fields
    return fields


def place(regions: Regions) -> Place:
    """The names of regions, their code where one has not joined."""

    @cache
    def names(code: str) -> tuple[str, str]:
        region = regions.get(code)
        return (region.name, region.name_en) if region else (code, code)

    return names


def channel(settings: Settings, client: httpx.AsyncClient) -> Channel:
    """The webhook where one is set, else the file outbox."""
    if settings.webhook:
        return Webhook(settings.webhook, settings.webhook_secret, client)
    return FileOutbox(settings.home / "letters")


def build(runtime: Runtime) -> App:
    """The service, its interface and its delivery loop."""

    async def deliver_letters() -> None:
        async with httpx.AsyncClient() as client:
            post = Post(runtime, channel(runtime.settings, client))
            delay = _IDLE_SECONDS
            while True:
                try:
                    if await post.deliver_due() < post.channel.at_once:
                        await asyncio.sleep(_IDLE_SECONDS)
                    delay = _IDLE_SECONDS
                except UNWELL as error:
                    log.warning("letters.unwell", error=repr(error), delay=delay)
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, _LONGEST_SECONDS)

    return App(
        Notification(),
        _router(runtime),
        tasks=(deliver_letters,),
        pending=store.due,
        patience=0.05,
    )


def _router(runtime: Runtime) -> APIRouter:
    router = APIRouter(prefix="/v1")
    shown = _shown(place(runtime.regions))

    @router.get("/letters")
    async def of_transfer(who: Who, transfer: UUID | None = None) -> list[dict[str, object]]:
        """The letters about a transfer, with masked recipients."""
        if transfer is None:
            zh, en = CODES["nothing-asked"]
            raise Refusal(400, "nothing-asked", f"{zh} / {en}")
        rows = await store.listed(runtime.pool, transfer, None)
        return [shown(row) for row in rows if who.may_see(row["region"])]

    @router.post("/letters")
    async def of_person(whom: Whom, who: Who) -> list[dict[str, object]]:
        """The letters to a person, with masked recipients."""
        rows = await store.listed(runtime.pool, None, whom.person_key)
        return [shown(row) for row in rows if who.may_see(row["region"])]

    return router


def _shown(names: Place) -> Callable[[asyncpg.Record], dict[str, object]]:
    def show(row: asyncpg.Record) -> dict[str, object]:
        params = json.loads(row["params"])
        try:
            zh, en = render(row["kind"], row["region"], params, UNNAMED, names)
        except _NO_WORDS:
            zh, en = CODES["no-words"]
        plain = ("kind", "region", "state", "channel", "recipient", "code")
        return {
            "letter": str(row["letter"]),
            "transfer": str(row["transfer"]) if row["transfer"] else None,
            **{field: row[field] for field in plain},
            "decided_at": row["decided_at"].isoformat(),
            "sent_at": row["sent_at"].isoformat() if row["sent_at"] else None,
            "text": {"zh": zh, "en": en},
        }

    return show
