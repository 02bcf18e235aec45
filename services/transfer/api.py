"""The transfer service over HTTP: what may be asked, and what an operator may do."""

from datetime import date, datetime, time, timedelta
from typing import Any, Literal, get_args
from uuid import UUID, uuid4

from fastapi import APIRouter
from pydantic import BaseModel

from services.transfer import queries
from services.transfer.queries import Filter
from services.transfer.shapes import decision, detail, fact, iso, shape, waiting
from services.transfer.states import Money, Record, Transfer
from services.transfer.statistics import moves, on_time
from shared.asking import Limit, Refusal, Who, everywhere, reasoned
from shared.calendar import SHANGHAI
from shared.messages.transfer import Act, Pause, Resume, Retry
from shared.months import MonthError, days_of, parse_month
from shared.service import Runtime
from shared.settings import Holder

ActName = Literal["pause", "resume", "retry"]
_ACTS: dict[str, type[Act]] = {"pause": Pause, "resume": Resume, "retry": Retry}
_STATES = tuple(dict.fromkeys((*get_args(Record), *get_args(Money))))
_MOST_AT_ONCE = 500


class Reasoned(BaseModel):
    """Why an operator acts."""

    reason: str = ""


class Many(Reasoned):
    """Which transfers an operator acts on: all that fit, a page at a time."""

    state: str | None = None
    region: str | None = None
    corridor: str | None = None
    stuck: bool = False
    after: UUID | None = None


def router(runtime: Runtime) -> APIRouter:
    """The HTTP interface of the transfer service."""
    api = APIRouter(prefix="/v1")
    _lists(api, runtime)
    _statistics(api, runtime)
    _details(api, runtime)
    _acts(api, runtime)
    return api


def _lists(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/transfers")
    async def transfers(
        who: Who,
        person: str | None = None,
        state: str | None = None,
        region: str | None = None,
        corridor: str | None = None,
        *,
        stuck: bool = False,
        limit: Limit = 100,
        after: UUID | None = None,
    ) -> list[dict[str, Any]]:
        origin, destination = _checked(runtime, who, state, region, corridor)
        async with runtime.pool.acquire() as db:
            which = Filter(
                _visible(who),
                person,
                state,
                region,
                origin,
                destination,
                await runtime.now(db) if stuck else None,
            )
            found = await queries.listed(db, which, limit, after)
            began = await queries.since(db, found) if stuck else {}
        if not stuck:
            return [shape(t) for t in found]
        return [{**shape(t), "waiting": waiting(t, began[t.id])} for t in found]

    @api.get("/counts")
    async def counts(who: Who) -> list[dict[str, Any]]:
        everywhere(who)
        async with runtime.pool.acquire() as db:
            return await queries.counted(db)


def _statistics(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/statistics")
    async def month(who: Who, month: str) -> dict[str, Any]:
        """The month of the regions one may see: what moved, and which steps were on time."""
        try:
            first, last = days_of(parse_month(month))
        except MonthError:
            text = "月份格式为 2026-03 / a month is like 2026-03"
            raise Refusal(422, "bad_month", text) from None
        began, end = _midnight(first), _midnight(last + timedelta(days=1))
        async with runtime.pool.acquire() as db:
            moved = moves(await queries.moved(db, began, end))
            kept = on_time(await queries.took(db, began, end), runtime.regions)
        return {
            "month": month,
            "transfers": [row for row in moved if who.may_see(row["region"])],
            "on_time": [row for row in kept if who.may_see(row["region"])],
        }


def _midnight(day: date) -> datetime:
    """When a day begins in Shanghai."""
    return datetime.combine(day, time(), SHANGHAI)


def _checked(
    runtime: Runtime, who: Holder, state: str | None, region: str | None, corridor: str | None
) -> tuple[str | None, str | None]:
    """Origin and destination of the corridor. Raises Refusal for what no transfer can be."""
    if state is not None and state not in _STATES:
        known = ", ".join(_STATES)
        raise Refusal(422, "unknown_state", f"没有此状态 / no such state; there are: {known}")
    origin, _, destination = (corridor or "").partition(">")
    for code in filter(None, (region, origin, destination)):
        if runtime.regions.get(code) is None:
            known = ", ".join(r.code for r in runtime.regions.all)
            raise Refusal(422, "unknown_region", f"没有此统筹区 / no such region; known: {known}")
    if corridor is not None and not (origin and destination):
        form = "通道应写作 410100>450100 / a corridor is written 410100>450100"
        raise Refusal(422, "not_a_corridor", form)
    if region is not None and not who.may_see(region):
        raise Refusal(403, "not_your_region", "无权查询该统筹区 / not a region of yours")
    return origin or None, destination or None


def _visible(who: Holder) -> list[str] | None:
    return None if "*" in who.regions else sorted(who.regions)


def _details(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/transfers/{transfer_id}")
    async def one(who: Who, transfer_id: UUID) -> dict[str, Any]:
        found = await _find(runtime, who, transfer_id)
        async with runtime.pool.acquire() as db:
            began = await queries.since(db, [found])
        return detail(found, began[found.id])

    @api.get("/transfers/{transfer_id}/explain")
    async def explain(who: Who, transfer_id: UUID) -> dict[str, Any]:
        found = await _find(runtime, who, transfer_id)
        async with runtime.pool.acquire() as db:
            steps = await queries.steps_of(db, transfer_id)
        day = found.opened_at.astimezone(SHANGHAI).date()
        rules = runtime.regions.corridor(found.origin, found.destination, day)
        return {
            "transfer_id": str(transfer_id),
            "policy": found.policy,
            "rules": [fact(each) for each in rules.facts(found.pair)],
            "decisions": [decision(step, rules, found.pair) for step in steps],
            "waits_for": [
                {"step": d.step, "due_at": iso(d.due_at), "missed": d.level}
                for d in found.deadlines
            ],
        }


async def _find(runtime: Runtime, who: Holder, transfer_id: UUID) -> Transfer:
    async with runtime.pool.acquire() as db:
        found = await queries.find(db, transfer_id)
    if found is None or not (who.may_see(found.origin) or who.may_see(found.destination)):
        raise Refusal(404, "not_found", "没有这笔转移 / there is no such transfer")
    return found


def _acts(api: APIRouter, runtime: Runtime) -> None:
    @api.post("/transfers/{transfer_id}/{act}", status_code=202)
    async def one(who: Who, transfer_id: UUID, act: ActName, asked: Reasoned) -> dict[str, str]:
        """An operator's act, on its way to the saga as a message of the person's key."""
        found = await _find(runtime, who, transfer_id)
        if not _may_act(who, found):
            raise Refusal(403, "not_your_region", "无权操作该统筹区 / not a region of yours")
        [ordered] = await _order(runtime, who, act, reasoned(asked.reason), [found])
        return ordered

    @api.post("/acts/{act}", status_code=202)
    async def many(who: Who, act: ActName, asked: Many) -> dict[str, Any]:
        """The same for all that fit; `next` is the `after` of the next page, null at the end."""
        why = reasoned(asked.reason)
        if not (asked.state or asked.region or asked.corridor or asked.stuck):
            raise Refusal(422, "no_filter", "须指定筛选条件 / say which: state, region, corridor")
        where = _checked(runtime, who, asked.state, asked.region, asked.corridor)
        # Resuming concerns what is paused, closed or not; the others what is open.
        closed, paused = (None, True) if act == "resume" else (False, None)
        async with runtime.pool.acquire() as db:
            at = await runtime.now(db) if asked.stuck else None
            seen = _visible(who)
            which = Filter(seen, None, asked.state, asked.region, *where, at, closed, paused)
            found = await queries.listed(db, which, _MOST_AT_ONCE, asked.after)
        mine = [t for t in found if _may_act(who, t)]
        ordered = await _order(runtime, who, act, why, mine)
        more = str(found[-1].id) if len(found) == _MOST_AT_ONCE else None
        return {"ordered": ordered, "next": more}


def _may_act(who: Holder, t: Transfer) -> bool:
    """Both regions are concerned: only who may see both may act."""
    return who.may_see(t.origin) and who.may_see(t.destination)


async def _order(
    runtime: Runtime, who: Holder, act: str, reason: str, found: list[Transfer]
) -> list[dict[str, str]]:
    orders = [
        (
            uuid4(),
            _ACTS[act](to=t.destination, person=t.person, transfer=t.id, by=who.holder, why=reason),
        )
        for t in found
    ]
    if orders:
        async with runtime.pool.acquire() as db, db.transaction():
            await runtime.send(db, orders)
    return [{"transfer_id": str(order.transfer), "message_id": str(id_)} for id_, order in orders]
