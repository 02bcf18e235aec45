"""Settlement over HTTP: statements in, remittances out, and what can be asked of the books."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.settlement import answers, exposed, held, outside, queries, remittances, statements
from services.settlement.bank import api as bank
from services.settlement.closing import api as closing
from services.settlement.closing import queries as closing_queries
from services.settlement.lines import CODES, StatementError
from services.settlement.netting import api as netting
from services.settlement.people import api as people
from services.settlement.risk.api import routes as risk_routes
from services.settlement.snapshots import snapshot
from services.settlement.trial_balance import trial_balance
from shared.asking import Limit, Refusal, Who
from shared.messages import RegionCode
from shared.overload import INTAKE
from shared.service import Runtime
from shared.settings import Holder

_RUNS = "Jiexu-Runs"
# The database takes no NUL in a text.
_TEXT = r"^[^\x00]*$"
Text = Annotated[str, Query(pattern=_TEXT)]


class Remit(BaseModel):
    """Which releases and net positions to instruct; `lump`: one payment per destination, with the
    list; `net`: positions alone.
    """

    region: RegionCode
    date: date
    lump: bool = False
    net: bool = False


class Reason(BaseModel):
    """Why an operator decides so."""

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=_TEXT)]


class Person(BaseModel):
    """Whose accounts."""

    person_key: Annotated[str, Field(pattern=_TEXT)]


class Subject(BaseModel):
    """Which transfer; or which account (`450100/advance:410100`, on a day); or the id of an
    entry or a receipt.
    """

    transfer: UUID | None = None
    account: Annotated[str, Field(pattern=r"^[0-9]{6}/[^\x00]+$")] | None = None
    day: date | None = None
    id: UUID | None = None


def router(runtime: Runtime) -> APIRouter:
    """The HTTP interface of settlement."""
    api = APIRouter(prefix="/v1")
    _statements(api, runtime)
    bank.routes(api, runtime)
    _remittances(api, runtime)
    _held(api, runtime)
    _books(api, runtime)
    _questions(api, runtime)
    api.include_router(people.router(runtime))
    api.include_router(closing.router(runtime))
    netting.routes(api, runtime)
    risk_routes(api, runtime)
    return api


def _statements(api: APIRouter, runtime: Runtime) -> None:
    @api.post("/statements", status_code=202, **INTAKE)
    async def take(request: Request, who: Who) -> Response:
        try:
            body = await _body(request, statements.LARGEST_FILE)
            taken = await statements.take(runtime, body, who)
        except StatementError as error:
            return _refused(error)
        return JSONResponse(taken, 202)


async def _body(request: Request, largest: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise StatementError("too_large")
    return bytes(body)


def _refused(error: StatementError) -> Response:
    chinese, english = CODES[error.code]
    status = {"not_your_region": 403, "too_large": 413}.get(error.code, 422)
    answer = {"code": error.code, "message": f"{chinese} / {english}", "where": error.where}
    return JSONResponse(answer, status)


def _remittances(api: APIRouter, runtime: Runtime) -> None:
    @api.post("/remittances")
    async def instruct(remit: Remit, who: Who) -> Response:
        _seen(runtime, who, remit.region)
        run = await remittances.instruct(
            runtime, remit.region, remit.date, lump=remit.lump, net=remit.net
        )
        async with runtime.pool.acquire() as db:
            runs = await remittances.runs_of(db, remit.region, remit.date)
            if run is None:
                return Response(status_code=204)
            body = await remittances.file_of(runtime, db, run)
            await outside.given(runtime.settings.home, db, run)
        names = ",".join(each.name for each in runs)
        return Response(body, media_type="application/xml", headers={_RUNS: names})

    @api.get("/remittances")
    async def listed(who: Who, region: Text, date: date | None = None) -> list[dict[str, Any]]:
        _seen(runtime, who, region)
        async with runtime.pool.acquire() as db:
            return [answers.run(row) for row in await remittances.summaries(db, region, date)]

    @api.get("/remittances/{name}")
    async def file(who: Who, name: Annotated[str, Path(pattern=_TEXT)]) -> Response:
        async with runtime.pool.acquire() as db:
            run = await remittances.find_run(db, name)
            if run is None or not who.may_see(run.region):
                raise Refusal(404, "not_found", "没有这个批次 / there is no such run")
            body = await remittances.file_of(runtime, db, run)
            await outside.given(runtime.settings.home, db, run)
        return Response(body, media_type="application/xml", headers={_RUNS: run.name})


def _held(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/held-payments")
    async def listed(who: Who) -> list[dict[str, Any]]:
        async with runtime.pool.acquire() as db:
            return [held.shape(row) for row in await held.held(db) if who.may_see(row["region"])]

    @api.post("/held-payments/{name}/{verdict}", status_code=202)
    async def settled(
        who: Who, name: Annotated[str, Path(pattern=_TEXT)], verdict: held.Verdict, reason: Reason
    ) -> dict[str, Any]:
        _seen(runtime, who, name[:6])
        count = await held.settle(runtime, name, verdict, who.holder, reason.reason)
        return {"run": name, "verdict": verdict, "transfers": count}


def _books(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/trial-balance")
    async def balance(who: Who) -> dict[str, object]:
        return trial_balance(await snapshot(runtime.pool, _elsewhere(runtime)), who.may_see)

    @api.get("/exposure")
    async def exposure(who: Who, region: Text | None = None) -> list[dict[str, Any]]:
        regions = _visible(runtime, who, region)
        async with runtime.pool.acquire() as db:
            today = (await runtime.now(db)).date()
        rows = await queries.exposed(runtime.pool, regions)
        corridors = await queries.corridors_into(runtime.pool, regions)
        return exposed.exposure(rows, corridors, runtime.regions, regions, today)


def _questions(api: APIRouter, runtime: Runtime) -> None:
    @api.post("/accounts")
    async def accounts(person: Person, who: Who) -> list[dict[str, str]]:
        rows = await queries.accounts_of(runtime.pool, person.person_key)
        return [answers.account(row) for row in rows if who.may_see(row["region"])]

    @api.get("/receipts")
    async def receipts(
        who: Who,
        state: Text | None = None,
        region: Text | None = None,
        receipt: UUID | None = None,
        limit: Limit = 1000,
    ) -> list[dict[str, Any]]:
        if state is not None and state not in queries.RECEIPT_STATES:
            known = ", ".join(queries.RECEIPT_STATES)
            raise Refusal(422, "unknown_state", f"没有此状态 / no such state; there are: {known}")
        regions = _visible(runtime, who, region)
        rows = await queries.receipts(runtime.pool, regions, state, limit, receipt)
        return [answers.receipt(row) for row in rows]

    @api.post("/explain")
    async def explain(subject: Subject, who: Who) -> dict[str, Any]:
        if subject.transfer is None:
            return await closing.explain(runtime, who, subject.account, subject.day, subject.id)
        found = await closing_queries.story_of(runtime.pool, subject.transfer)
        postings, matched, sides = (
            [row for row in rows if who.may_see(row["region"])] for rows in found
        )
        if not sides:
            raise Refusal(404, "not_found", "没有这笔转移 / there is no such transfer")
        decisions = await _decisions(runtime, sides)
        told = answers.explained(subject.transfer, postings, matched, sides, decisions)
        async with runtime.pool.acquire() as db:
            return {**told, "interest": await closing.interest_of(db, postings, runtime.regions)}


async def _decisions(runtime: Runtime, sides: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for side in sides:
        claim = exposed.judgement(side["row"]) if side["side"] == "destination" else None
        if claim is not None:
            acts = await queries.acts_until(runtime.pool, claim.origin, claim.region, claim.at)
            found.append(exposed.decision(claim, acts, runtime.regions))
    return found


def _elsewhere(runtime: Runtime) -> list[str]:
    regions = runtime.regions
    return [region.code for region in regions.all if not regions.here(region.code)]


def _visible(runtime: Runtime, who: Holder, region: str | None) -> list[str]:
    codes = [known.code for known in runtime.regions.all if who.may_see(known.code)]
    if region is None:
        return codes
    if runtime.regions.get(region) is None:
        known = ", ".join(each.code for each in runtime.regions.all)
        raise Refusal(422, "unknown_region", f"没有此统筹区 / no such region; known: {known}")
    if region not in codes:
        raise Refusal(403, "not_your_region", "无权查询该地区 / not a region of yours")
    return [region]


def _seen(runtime: Runtime, who: Holder, region: str) -> None:
    known = region in runtime.regions.entities and runtime.regions.here(region)
    if not known or not who.may_see(region):
        raise Refusal(403, "not_your_region", "无权操作该地区 / not a region of yours")
