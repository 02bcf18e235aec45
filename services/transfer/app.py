"""The transfer service: the saga between the bus and its rows, and what may be asked about it."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter

from services.transfer import saga, store
from services.transfer.codes import sentence
from services.transfer.states import Transfer
from shared.calendar import SHANGHAI
from shared.decision import Decision, Delivery, States, Timer
from shared.http import Limit, Refusal, Who
from shared.messages import enrollment, settlement, transfer
from shared.messages.transfer import Remind
from shared.money import yuan
from shared.regions import Regions
from shared.rules import Fact
from shared.service import App, Runtime
from shared.settings import Holder

HANDLES = (
    enrollment.Registered,
    enrollment.RegistrationRefused,
    enrollment.CoverStopped,
    enrollment.ReleaseAccepted,
    enrollment.ReleaseRefused,
    enrollment.RecordReleased,
    enrollment.ReleaseCancelled,
    enrollment.PersonDeceased,
    enrollment.RecordJoined,
    enrollment.RecordDisputed,
    enrollment.RecordCorrected,
    enrollment.RecordWithheld,
    settlement.FundsReleased,
    settlement.NothingToRelease,
    settlement.FundsWithheld,
    settlement.FundsCorrected,
    settlement.AdvanceCredited,
    settlement.AdvanceDeclined,
    settlement.AdvanceFunded,
    settlement.FundsCredited,
    settlement.ShortfallFound,
    settlement.ExcessFound,
    settlement.PaidOut,
    transfer.Apply,
    transfer.Withdraw,
    transfer.Remind,
)


class TransferService:
    """`load` and `save` are the store's; `decide` asks the saga."""

    name = "transfer"
    topics: tuple[str, ...] = ("enrollment.events", "settlement.events")
    handles: frozenset[str] = frozenset(message.type for message in HANDLES)

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    async def load(self, db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
        return await store.load(db, batch)

    def decide(self, states: States, delivery: Delivery) -> Decision:
        """The saga's step as changes, messages and the one timer of the transfer."""
        key = store.key_of(delivery)
        if key is None:
            return Decision()
        before = states.get(key)
        assert before is None or isinstance(before, Transfer)
        step = saga.decide(before, delivery.message, delivery.at, self._regions)
        after = step.transfer
        changes: dict[Hashable, object] = {}
        if after is not None or step.kind == "refused":
            changes["step", delivery.id] = store.step_row(delivery, step)
        if after is not None and after is not before:
            changes[key] = after
        return Decision(changes, step.say, _timer(before, after))

    async def save(self, db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
        await store.save(db, changes)


def _timer(before: Transfer | None, after: Transfer | None) -> tuple[Timer, ...]:
    due = after.next_due if after else None
    if after is None or due == (before.next_due if before else None):
        return ()
    remind = due and Remind(
        to=after.destination, person=after.person, transfer=after.id, due_at=due
    )
    return (Timer(after.person, after.id, due, remind or None),)


def shape(t: Transfer) -> dict[str, Any]:
    """A transfer as it is published: amounts in yuan, times with offset."""
    return {
        "transfer_id": str(t.id),
        "origin": t.origin,
        "destination": t.destination,
        "scheme": t.pair,
        "trigger": t.trigger,
        "record": t.record,
        "money": t.money,
        "closed": t.closed_at is not None,
        "overdue": t.overdue,
        "released": yuan(t.funds.released),
        "advanced": yuan(t.funds.credited),
        "received": yuan(min(t.funds.matched, t.funds.released)),
        "paid_out": yuan(t.funds.paid_out),
        "restored": yuan(0),
        "recovered": yuan(0),
        "written_off": yuan(0),
        "opened_at": _iso(t.opened_at),
        "due_at": _iso(t.due_at),
        "advanced_at": _iso(t.advanced_at),
        "closed_at": _iso(t.closed_at),
        "reason": t.reason,
    }


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(SHANGHAI).isoformat(timespec="milliseconds") if at else None


def _fact(fact: Fact) -> dict[str, Any]:
    return {"rule": fact.name, "value": fact.value, "source": fact.source}


def _may_see(who: Holder, t: Transfer) -> bool:
    return who.may_see(t.origin) or who.may_see(t.destination)


def build(runtime: Runtime) -> App:
    """The service and its HTTP interface."""
    router = APIRouter(prefix="/v1")
    _lists(router, runtime)
    _details(router, runtime)
    return App(TransferService(runtime.regions), router)


def _lists(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/transfers")
    async def transfers(
        who: Who,
        person: str | None = None,
        state: str | None = None,
        region: str | None = None,
        *,
        stuck: bool = False,
        limit: Limit = 100,
        after: UUID | None = None,
    ) -> list[dict[str, Any]]:
        allowed = [region] if region else None
        if region is not None and not who.may_see(region):
            raise Refusal(403, "not_your_region", "无权查询该统筹区 / not a region of yours")
        if allowed is None and "*" not in who.regions:
            allowed = sorted(who.regions)
        async with runtime.pool.acquire() as db:
            found = await store.listed(
                db,
                person=person,
                state=state,
                regions=allowed,
                stuck_at=await runtime.now(db) if stuck else None,
                limit=limit,
                after=after,
            )
        return [shape(t) for t in found]

    @router.get("/counts")
    async def counts(who: Who) -> list[dict[str, Any]]:
        if not who.may_see("*"):
            raise Refusal(403, "not_your_region", "需要全网权限 / only for holders of all regions")
        async with runtime.pool.acquire() as db:
            return await store.counted(db)


def _details(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/transfers/{transfer_id}")
    async def one(who: Who, transfer_id: UUID) -> dict[str, Any]:
        found = await _find(runtime, who, transfer_id)
        zh, en = sentence(found.reason)
        return {**shape(found), "reason_text": {"zh": zh, "en": en} if found.reason else None}

    @router.get("/transfers/{transfer_id}/explain")
    async def explain(who: Who, transfer_id: UUID) -> dict[str, Any]:
        found = await _find(runtime, who, transfer_id)
        async with runtime.pool.acquire() as db:
            steps = await store.steps_of(db, transfer_id)
        day = found.opened_at.astimezone(SHANGHAI).date()
        rules = runtime.regions.corridor(found.origin, found.destination, day)
        return {
            "transfer_id": str(transfer_id),
            "policy": found.policy,
            "rules": [_fact(fact) for fact in rules.facts(found.pair)],
            "decisions": [{**step, "at": _iso(step["at"])} for step in steps],
            "waits_for": [
                {"step": d.step, "due_at": _iso(d.due_at), "missed": d.level}
                for d in found.deadlines
            ],
        }


async def _find(runtime: Runtime, who: Holder, transfer_id: UUID) -> Transfer:
    async with runtime.pool.acquire() as db:
        found = await store.find(db, transfer_id)
    if found is None or not _may_see(who, found):
        raise Refusal(404, "not_found", "没有这笔转移 / there is no such transfer")
    return found
