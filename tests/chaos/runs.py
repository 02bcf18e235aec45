"""One run: a load, a service that ends at a point, and what the checkers say afterwards."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Self

import asyncpg

from deploy.embedded.stack import SERVICES
from services.monitor.commands import waiting
from services.monitor.commands.client import Refused, Unreachable
from shared import regions
from shared.calendar import SHANGHAI
from shared.sealing import Keyring
from shared.settings import Settings, read_secrets
from tests.chaos import checks, crash, evidence
from tests.chaos.books import Books
from tests.chaos.bus import Bus
from tests.chaos.crash import Plan
from tests.chaos.evidence import End
from tests.chaos.hosted import Hosted
from tests.chaos.load import Bank, Load
from tests.chaos.people import movers

_READY_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Run:
    """Which services end where, under the load of a seed; without a plan one only starts anew."""

    seed: int
    plans: Mapping[str, Plan | None]


@dataclass(slots=True)
class Result:
    """What a run showed. `reached`: the services that ended where they were to."""

    run: Run
    reached: frozenset[str]
    seconds: float
    snapshots: int
    findings: Mapping[str, Sequence[str]]

    @property
    def clean(self) -> bool:
        return not any(self.findings.values())


class Stage:
    """A stack on which runs are played one after another, each with people of its own."""

    def __init__(self, hosted: Hosted) -> None:
        self.hosted = hosted
        self.calm: dict[str, End] = {}
        self.hits: dict[str, dict[tuple[int, crash.Side], int]] = {}
        self._client = hosted.client()
        self._bank = Bank()
        self._regions = regions.load(Settings().regions)
        self._keyring = Keyring(read_secrets(hosted.home.secrets_file))

    async def __aenter__(self) -> Self:
        self._db = await asyncpg.create_pool(self.hosted.database, min_size=1, max_size=4)
        self._pool = await asyncpg.create_pool(
            self.hosted.database,
            min_size=1,
            max_size=1,
            server_settings={"search_path": "settlement"},
        )
        self._bus = Bus(self.hosted.kafka)
        await self._ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._bus.close()
        await self._pool.close()
        await self._db.close()
        self._client.close()

    async def _ready(self) -> None:
        async with asyncio.timeout(_READY_SECONDS):
            while not all(row.get("ready") for row in await self._survey()):  # noqa: ASYNC110 - HTTP
                await asyncio.sleep(0.1)

    async def _survey(self) -> list[dict[str, object]]:
        return await asyncio.to_thread(waiting.survey, self._client)

    async def play(self, run: Run) -> Result:
        """One run. What stands still is a finding like any other."""
        started = time.monotonic()
        self.hosted.runs += 1
        name = f"r{run.seed}-{self.hosted.runs}"
        people = movers(name, await self._today(), self._regions)
        marks, before = await self._bus.ends(), await evidence.lanes(self._db)
        load = Load(
            name, self._client, self._bus, self._db, self._bank, self.hosted.home.folder,
            await self._today(), people, marks, tuple(run.plans), Random(f"{run.seed}"),
        )  # fmt: skip
        books = Books(self._db, self._pool)
        watching = asyncio.create_task(books.watch())
        still = await self._disturbed(run, load)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await books.whole()
        keys = {m.id_no: self._keyring.person_key("01", m.id_no) for m in people}
        found = await evidence.gather(
            self._db, self._bus, self.hosted.home.folder, marks, before, people, keys
        )
        if not self.calm:
            self.calm = {person.kind: person for person in found.people}
        exits = {service: self.hosted.exits[service] for service in run.plans}
        return Result(
            run,
            reached=frozenset(service for service, codes in exits.items() if crash.EXIT in codes),
            seconds=time.monotonic() - started,
            snapshots=books.snapshots,
            findings={
                "set": [*still, *_unasked(exits), *checks.set_(found, self.calm)],
                "bank": sorted(books.findings),
                "version": list(checks.version(found)),
                "order": list(checks.order(found)),
            },
        )

    async def _disturbed(self, run: Run, load: Load) -> list[str]:
        """Plays the load while the services end; a sentence where it comes to no end."""
        try:
            for service in run.plans:
                self.hosted.kill(service)
            await load.before()
            for service, plan in run.plans.items():
                self.hosted.arm(service, plan)
            await load.play()
        except (Refused, Unreachable, TimeoutError) as error:
            return [f"it stands still: {type(error).__name__}: {error}"]
        return []

    async def _today(self) -> date:
        at = await self._db.fetchval("SELECT cell.business_now()")
        found: date = at.astimezone(SHANGHAI).date()
        return found

    async def calibrate(self, seed: int) -> list[Result]:
        """Two calm runs: how people end, and how often each point is reached."""
        results = [await self.play(Run(seed, dict.fromkeys(SERVICES))) for _ in range(2)]
        self.hits = {service: self.hosted.hits(service, ended=False) for service in SERVICES}
        return results

    async def crash(self, run: Run) -> list[Result]:
        """A run with its crashes. Where a hit does not come, once more with the first; where
        several crashed and something was found, each alone, so that it is known which it was.
        """
        results = [await self.play(run)]
        if not results[0].clean:
            alone = [replace(run, plans={s: p}) for s, p in run.plans.items()]
            return results + [await self.play(one) for one in alone if len(run.plans) > 1]
        missed = {
            service: replace(plan, hit=1)
            for service, plan in run.plans.items()
            if service not in results[0].reached and plan and plan.hit > 1
        }
        if missed:
            results.append(await self.play(replace(run, plans=missed)))
        return results


def _unasked(exits: Mapping[str, Sequence[int]]) -> list[str]:
    return [
        f"{service} ended by itself, with code {code}"
        for service, codes in exits.items()
        for code in codes
        if code != crash.EXIT
    ]
