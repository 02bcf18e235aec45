"""`GET /v1/risk`: the question is read from the books, and answered by a process of its own.

Its libraries weigh more than the service: they are loaded when somebody asks, and gone after.
"""

import asyncio
import json
import os
import sys
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.settlement.exposure import Limits, in_force, ruled_by
from services.settlement.queries import corridors_into
from services.settlement.risk import queries
from services.settlement.risk.queries import MOST_CLAIMS, MOST_LENT
from services.settlement.rows import CORRIDORS
from services.settlement.states import Corridor
from shared.asking import Refusal, Who
from shared.calendar import WorkingCalendar
from shared.money import parse_yuan
from shared.service import Runtime
from shared.settings import Holder

# Less than whoever asks waits.
_SECONDS = 55
_WEEKS_AHEAD = 13
_MISSING = 3
"""The exit code of a process that does not find its libraries."""

Pair = tuple[str, str]
Name = Annotated[str, Query(pattern=r"^[0-9]{6}>[0-9]{6}$")]
Yuan = Annotated[str | None, Query(pattern=r"^[0-9]{1,12}\.[0-9]{2}$")]


def routes(api: APIRouter, runtime: Runtime) -> None:
    """Adds the question to settlement's interface."""
    one_at_a_time = asyncio.Semaphore(1)

    @api.get("/risk")
    async def risk(
        who: Who,
        corridor: Name,
        limit: Yuan = None,
        stops_paying_days: Annotated[int, Query(ge=0, le=84)] = 0,
        arrivals: Annotated[int, Query(ge=1, le=100)] = 1,
        seed: Annotated[int, Query(ge=0, lt=1 << 32)] = 1,
    ) -> dict[str, Any]:
        what_if = {
            "limit_fen": None if limit is None else parse_yuan(limit),
            "stops_paying_days": stops_paying_days,
            "arrivals": arrivals,
        }
        pair = _wanted(runtime, who, corridor)
        async with one_at_a_time:
            question = await _question(runtime, pair)
            return await _answered({**question, "what_if": what_if, "seed": seed})


def _wanted(runtime: Runtime, who: Holder, corridor: str) -> Pair:
    """The corridor asked for, if there is such a one and the holder may see it."""
    regions = runtime.regions
    origin, _, destination = corridor.partition(">")
    known = regions.get(origin) and regions.get(destination) and regions.here(destination)
    if not known or origin == destination:
        raise Refusal(422, "unknown_corridor", "没有此转移路径 / no such corridor")
    if not who.may_see(destination):
        raise Refusal(403, "not_your_region", "无权查询该地区 / not a region of yours")
    return origin, destination


async def _question(runtime: Runtime, pair: Pair) -> dict[str, Any]:
    async with runtime.pool.acquire() as db, db.transaction(readonly=True):
        today = (await runtime.now(db)).date()
        row = await _asked(runtime, db, pair, today)
    starts = [claims[0]["on"] for claims in (row["claims"], row["others"]) if claims]
    start = date.fromisoformat(min(starts)) if starts else today
    calendar = runtime.regions.calendar(pair[1])
    return {
        "today": today.isoformat(),
        "working_days": _working_days(calendar, start, today),
        "corridors": [row],
    }


def _working_days(calendar: WorkingCalendar, start: date, today: date) -> list[str]:
    length = (today - start).days + 7 * _WEEKS_AHEAD + 1
    days = (start + timedelta(days=n) for n in range(length))
    return [day.isoformat() for day in days if calendar.is_working_day(day)]


async def _asked(runtime: Runtime, db: Any, pair: Pair, today: date) -> dict[str, Any]:  # noqa: ANN401
    origin, destination = pair
    regions = runtime.regions
    rule = regions.corridor(origin, destination, today).policy.limit(origin)
    known = {(r["origin"], r["destination"]): r for r in await corridors_into(db, [destination])}
    row = known.get(pair)
    corridor = CORRIDORS.read(row) if row else Corridor(origin, destination)
    limits = in_force(corridor, ruled_by(rule, regions.calendar(destination)))
    distance = regions.corridor(origin, destination, today).distance
    own = await queries.claims(db, origin, destination, most=MOST_CLAIMS, with_open=True)
    return {
        "corridor": f"{origin}>{destination}",
        "distance": distance,
        "limit_fen": limits.open_fen,
        "trust": _trust(corridor, limits),
        "claims": own,
        "others": await _lent(runtime, db, pair, today) if own else [],
    }


def _trust(corridor: Corridor, limits: Limits) -> dict[str, Any]:
    """When the corridor is suspended, and whether it is."""
    excused = corridor.excused_before
    return {
        "after": limits.suspend_after,
        "percent": limits.suspend_percent,
        "age_days": limits.age_days,
        "resume_after": limits.resume_after,
        "suspended": corridor.suspended,
        "excused_before": excused.isoformat() if excused else None,
    }


async def _lent(runtime: Runtime, db: Any, pair: Pair, today: date) -> list[dict[str, Any]]:  # noqa: ANN401
    """Claims of the other corridors of the same distance, in this cell."""
    regions = runtime.regions
    distance = regions.corridor(*pair, today).distance
    found: list[dict[str, Any]] = []
    for other in await corridors_into(db, [r.code for r in regions.all if regions.here(r.code)]):
        key = other["origin"], other["destination"]
        # What a province pays by a net sheet is no corridor of people.
        if key == pair or not all(map(regions.get, key)):
            continue
        if regions.corridor(*key, today).distance != distance:
            continue
        lent = await queries.claims(db, *key, most=MOST_LENT // 10, with_open=False)
        found += [{**claim, "corridor": f"{key[0]}>{key[1]}"} for claim in lent]
    return sorted(found, key=lambda claim: str(claim["on"]))[-MOST_LENT:]


async def _answered(question: dict[str, Any]) -> dict[str, Any]:
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.settlement.risk"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(_SECONDS):
            out, errors = await worker.communicate(json.dumps(question).encode())
    except TimeoutError:
        raise Refusal(422, "too_long", "计算超时 / it took too long; ask again later") from None
    finally:
        if worker.returncode is None:
            worker.kill()
    if worker.returncode == _MISSING:
        text = "未安装预测组件 / forecasts are not installed here: pip install jiexu[risk]"
        raise Refusal(422, "not_installed", text)
    if worker.returncode:
        raise RuntimeError(f"the forecast failed: {errors.decode()[-500:]}")
    found: list[dict[str, Any]] = json.loads(out)
    return found[0]
