"""The bank's side over HTTP: what its files did, and what it asks."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.settlement.bank import queries, unsealing
from shared.asking import Limit, Refusal, Who, reasoned
from shared.messages import NAMESPACE, RegionCode
from shared.messages.settlement_bank import AnswerBankMessage
from shared.service import Runtime
from shared.settings import Holder

_PLACE = "^[0-9a-f-]{36}:[0-9]{1,6}$"


class Answer(BaseModel):
    """Whether what the bank asks is agreed to, and why."""

    agreed: bool
    reason: Annotated[str, Field(max_length=500)]


def routes(api: APIRouter, runtime: Runtime) -> None:
    """Adds to the HTTP interface of settlement."""
    _files(api, runtime)
    _messages(api, runtime)
    _accounts(api, runtime)
    _sums(api, runtime)


def _files(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/statements")
    async def files(
        who: Who, region: RegionCode | None = None, limit: Limit = 100
    ) -> dict[str, Any]:
        regions = _regions(runtime, who, region)
        return {
            "files": await queries.files(runtime.pool, regions, who.holder, limit),
            "gaps": await queries.missing(runtime.pool, regions),
        }

    @api.get("/statements/{digest}")
    async def file(
        who: Who, digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
    ) -> dict[str, Any]:
        regions = _regions(runtime, who, None)
        found = await queries.file(runtime.pool, bytes.fromhex(digest), regions, who.holder)
        if found is None:
            raise Refusal(404, "not_found", "没有收到过这个文件 / no file of this hash was sent")
        return found


def _messages(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/bank-messages")
    async def messages(
        who: Who,
        region: RegionCode | None = None,
        state: Literal["open", "answered"] | None = None,
    ) -> list[dict[str, Any]]:
        return await queries.notes(runtime.pool, _regions(runtime, who, region), state)

    @api.post("/bank-messages/{note}/answer", status_code=202)
    async def answer(who: Who, note: UUID, said: Answer) -> dict[str, Any]:
        found = await queries.note(runtime.pool, note)
        if found is None or not who.may_see(found["region"]):
            raise Refusal(
                404, "not_found", "没有这条银行来信 / the bank has asked nothing like this"
            )
        if found["state"] == "answered":
            raise Refusal(409, "answered", "已经答复 / it was answered before")
        message = AnswerBankMessage(
            to=found["region"],
            account=found["account"],
            bank=found["account"].split(":")[1],
            note=note,
            agreed=said.agreed,
            answered_by=who.holder,
            why=reasoned(said.reason),
        )
        id_ = uuid5(NAMESPACE, f"answer\x1f{note}\x1f{who.holder}\x1f{said.agreed}")
        async with runtime.pool.acquire() as db, db.transaction():
            await runtime.send(db, [(id_, message)])
        return {"note": str(note), "agreed": said.agreed, "message_id": str(id_)}


def _accounts(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/bank-accounts")
    async def accounts(who: Who, region: RegionCode | None = None) -> list[dict[str, Any]]:
        return await unsealing.accounts(runtime, _regions(runtime, who, region))


def _sums(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/sides")
    async def sides(
        who: Who, after: UUID | None = None, limit: Limit = 1000
    ) -> list[dict[str, str]]:
        return await queries.sides(runtime.pool, _regions(runtime, who, None), after, limit)

    @api.get("/receipt-parts")
    async def parts(
        who: Who,
        after: Annotated[str | None, Query(pattern=_PLACE)] = None,
        limit: Limit = 1000,
    ) -> list[dict[str, Any]]:
        receipt, _, part = (after or f"{UUID(int=0)}:0").partition(":")
        regions = _regions(runtime, who, None)
        return await queries.parts(runtime.pool, regions, (UUID(receipt), int(part)), limit)


def _regions(runtime: Runtime, who: Holder, region: str | None) -> list[str]:
    codes = [code for code in runtime.regions.entities if who.may_see(code)]
    if region is None:
        return codes
    if region not in codes:
        raise Refusal(403, "not_your_region", "无权查询该地区 / not a region of yours")
    return [region]
