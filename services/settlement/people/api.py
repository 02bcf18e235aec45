"""Items over HTTP: what waits for a person, and what a person does with it (202: by the outbox)."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args
from uuid import UUID, uuid4

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel, JsonValue

from services.settlement.bank import unsealing
from services.settlement.codes import CODES
from services.settlement.covering import MOST, covering
from services.settlement.people import queries, shapes
from services.settlement.people.acts import ACTS, QUEUES, REASONS, Act, act_named
from services.settlement.people.states import ItemState, item_id
from shared.asking import Limit, Refusal, Who, reasoned
from shared.messages import Message
from shared.messages.settlement_accounts import ChangeAccount
from shared.messages.settlement_people import Approve, ItemCommand, Propose, Reject
from shared.service import Runtime
from shared.settings import Holder

Queue = Annotated[str, Query(pattern=r"^[a-z-]*$")]
State = ItemState | Literal["waiting", "all"]


class Step(BaseModel):
    """What somebody does; `by`: who they say they are, which must be the token's holder."""

    by: str | None = None
    why: str = ""


class Proposal(Step):
    """An act with its fields, amounts in yuan. What is known of its subject may be left out."""

    act: str
    fields: dict[str, JsonValue] = {}
    reason: str


class Decision(Step):
    """A decision about the present proposal, or about the one that was read."""

    proposal: UUID | None = None


def router(runtime: Runtime) -> APIRouter:
    """The part of settlement's interface that is about people's decisions."""
    api = APIRouter(prefix="/items")
    _questions(api, runtime)
    _acts(api, runtime)
    return api


def _questions(api: APIRouter, runtime: Runtime) -> None:
    @api.get("")
    async def items(
        who: Who,
        queue: Queue | None = None,
        region: Queue | None = None,
        state: State = "waiting",
        limit: Limit = 1000,
    ) -> list[dict[str, Any]]:
        if queue is not None and queue not in QUEUES:
            raise Refusal(422, "unknown_queue", f"没有此队列 / there are: {', '.join(QUEUES)}")
        seen = [each.code for each in runtime.regions.all if who.may_see(each.code)]
        regions = [code for code in seen if region in {None, code}]
        named: dict[str, tuple[str, ...]] = {"waiting": queries.WAITING, "all": get_args(ItemState)}
        states = named.get(state, (state,))
        rows = await queries.items(runtime.pool, regions, queue, states, limit)
        return [shapes.item(row) for row in rows]

    @api.get("/of/{transfer}")
    async def items_of(who: Who, transfer: UUID) -> list[dict[str, Any]]:
        regions = [each.code for each in runtime.regions.all if who.may_see(each.code)]
        rows = await queries.items_of(runtime.pool, regions, transfer)
        return [
            {
                **shapes.item(row),
                "history": shapes.history(await queries.steps(runtime.pool, row["item"])),
            }
            for row in rows
        ]

    @api.get("/{id_}")
    async def item(who: Who, id_: UUID) -> dict[str, Any]:
        row = await _row(runtime, who, id_)
        steps = await queries.steps(runtime.pool, id_)
        shown = {**shapes.item(row), "history": shapes.history(steps)}
        if row["act"] == ChangeAccount.type:
            account = unsealing.number_of(runtime.keyring, json.loads(row["body"])["sealed"])
            shown["proposal"]["fields"]["account"] = account
        return {**shown, "may_be_for": await _may_be_for(runtime, row)}


def _acts(api: APIRouter, runtime: Runtime) -> None:
    @api.post("", status_code=202)
    async def propose_new(who: Who, proposal: Proposal) -> dict[str, str]:
        act, message = await _meant(runtime, who, proposal, {})
        id_ = item_id(act.queue, message.to, act.subject_of(message))
        known = await queries.item(runtime.pool, id_)
        about = known["about"] if known else message.key
        return await _propose(runtime, who, proposal, message, id_, about)

    @api.post("/{id_}/propose", status_code=202)
    async def propose(who: Who, id_: UUID, proposal: Proposal) -> dict[str, str]:
        row = await _row(runtime, who, id_)
        facts = {**shapes.facts_of(row), "to": row["region"]}
        _, message = await _meant(runtime, who, proposal, facts)
        return await _propose(runtime, who, proposal, message, id_, row["about"])

    @api.post("/{id_}/{verdict}", status_code=202)
    async def decide(
        who: Who, id_: UUID, verdict: Literal["approve", "reject"], decision: Decision
    ) -> dict[str, str]:
        row = await _row(runtime, who, id_)
        kind = Approve if verdict == "approve" else Reject
        command = kind(
            to=row["region"],
            item=id_,
            about=row["about"],
            by=_actor(who, decision),
            roles=tuple(sorted(who.roles)),
            why=decision.why,
            proposal=decision.proposal,
        )
        return await _send(runtime, command)


def _actor(who: Holder, step: Step) -> str:
    """Who acts: the token's holder, never a name that somebody types. Raises Refusal."""
    if step.by not in {None, who.holder}:
        raise Refusal(403, "not_you", f"令牌属于他人 / the token is {who.holder}'s: use your own")
    if not who.roles:
        raise _refused(403, "not_allowed")
    if step.why:
        reasoned(step.why)
    return who.holder


async def _may_be_for(runtime: Runtime, row: asyncpg.Record) -> list[dict[str, Any]]:
    """Where one payment came for several and says not for whom: the only claims of one day that
    add up to it. A person decides.
    """
    if row["queue"] != "receipt" or row["state"] not in queries.WAITING:
        return []
    receipt, _, part = row["subject"].partition("/")
    rest_fen, days = await queries.owed_by_day(runtime.pool, UUID(receipt), int(part), MOST)
    found = {day: covering(owed, rest_fen) for day, owed in days.items()}
    return [
        {"released_on": day.isoformat(), "transfers": [str(transfer) for transfer in transfers]}
        for day, transfers in found.items()
        if transfers
    ]


async def _row(runtime: Runtime, who: Holder, id_: UUID) -> asyncpg.Record:
    row = await queries.item(runtime.pool, id_)
    if row is None or not who.may_see(row["region"]):
        raise Refusal(404, "unknown_item", "没有这个待办 / there is no such item")
    return row


async def _meant(
    runtime: Runtime, who: Holder, proposal: Proposal, facts: Mapping[str, object]
) -> tuple[Act, Message]:
    """The act that is proposed, whole. Raises Refusal."""
    act = act_named(proposal.act)
    if act is None:
        known = ", ".join(kind.removesuffix(".v1") for kind in ACTS)
        raise Refusal(422, "unknown_act", f"没有此操作 / no such act; there are: {known}")
    if proposal.reason not in act.reasons:
        known = "; ".join(f"{code} ({' / '.join(REASONS[code])})" for code in act.reasons)
        raise Refusal(422, "unknown_reason", f"没有此原因 / no such reason; there are: {known}")
    if act.message is ChangeAccount:
        fields = await unsealing.sealed(runtime, proposal.fields)
        proposal = proposal.model_copy(update={"fields": fields})
    given = {**facts, **proposal.fields}
    found = await queries.known_of(
        runtime.pool,
        given.get("to"),
        _uuid(given.get("transfer")),
        _uuid(given.get("receipt")),
        by_origin=act.by_origin,
    )
    try:
        message = shapes.message_of(act, proposal.fields, {**found, **facts})
    except shapes.NotMeant as why:
        raise Refusal(422, "bad_act", f"字段缺失或有误 / missing or wrong: {why}") from None
    if not (who.may_see(message.to) and runtime.regions.here(message.to)):
        raise Refusal(403, "not_your_region", "无权操作该地区 / not a region of yours")
    return act, message


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


async def _propose(
    runtime: Runtime, who: Holder, proposal: Proposal, message: Message, id_: UUID, about: str
) -> dict[str, str]:
    command = Propose(
        to=message.to,
        item=id_,
        about=about,
        by=_actor(who, proposal),
        roles=tuple(sorted(who.roles)),
        why=proposal.why,
        act=message.type,
        body=shapes.body_of(message),
        reason=proposal.reason,
    )
    return await _send(runtime, command)


async def _send(runtime: Runtime, command: ItemCommand) -> dict[str, str]:
    id_ = uuid4()
    async with runtime.pool.acquire() as db, db.transaction():
        await runtime.send(db, [(id_, command)])
    return {"item": str(command.item), "message": str(id_)}


def _refused(status: int, code: str) -> Refusal:
    return Refusal(status, code, " / ".join(CODES[code]))
