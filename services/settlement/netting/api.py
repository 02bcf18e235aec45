"""Netting over HTTP: the sheets, their lines, and what the regions answer to them."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import asyncpg
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.settlement.netting import answers, queries
from shared.asking import Limit, Refusal, Who, reasoned
from shared.messages import RegionCode
from shared.messages.settlement_netting import (
    ConfirmLine,
    ConfirmSheet,
    DisputeLine,
    window_key,
)
from shared.months import parse_month
from shared.service import Runtime
from shared.settings import Holder

_MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
Month = Annotated[str | None, Query(pattern=_MONTH)]
MonthPath = Annotated[str, Path(pattern=_MONTH)]
LINE = r"^[0-9a-fA-F-]{36}:-?[0-9]{1,9}$"
After = Annotated[str | None, Query(pattern=LINE)]


class Said(BaseModel):
    """What a person of a region says."""

    region: RegionCode
    by: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class Answer(Said):
    """To a line: `TRANSFER:VERSION`."""

    line: Annotated[str, Field(pattern=LINE)]
    reason: str = ""


class WholeAnswer(Said):
    """To a whole sheet."""

    month: Annotated[str, Field(pattern=_MONTH)]


def routes(api: APIRouter, runtime: Runtime) -> None:
    """Adds netting to the interface of settlement."""

    @api.get("/netting")
    async def sheets(
        who: Who, month: Month = None, region: RegionCode | None = None
    ) -> list[dict[str, Any]]:
        provinces = _provinces(runtime, who, region)
        found = await queries.sheets(runtime.pool, provinces, _month(month))
        return answers.sheets(*found)

    @api.get("/netting/lines")
    async def lines(
        who: Who,
        month: Month = None,
        region: RegionCode | None = None,
        after: After = None,
        limit: Limit = 1000,
    ) -> list[dict[str, Any]]:
        provinces = _provinces(runtime, who, region)
        codes = [r.code for r in runtime.regions.all if who.may_see(r.code)]
        codes = [code for code in codes if region in {None, code}]
        page = (after, limit)
        rows = await queries.lines(runtime.pool, provinces, codes, _month(month), page)
        return [answers.line(row) for row in rows]

    @api.get("/netting/{province}/{month}")
    async def explain(
        who: Who, province: RegionCode, month: MonthPath, after: After = None, limit: Limit = 200
    ) -> dict[str, Any]:
        """A sheet with its lines, page by page, and all that explains them."""
        mine = [r.code for r in runtime.regions.all if who.may_see(r.code)]
        month_ = parse_month(month)
        found = await queries.of_sheet(runtime.pool, province, month_, mine, (after, limit))
        if not found.windows or province not in _provinces(runtime, who, None):
            raise Refusal(404, "not_found", "没有这张轧差表 / there is no such net sheet")
        return answers.explained(found)

    _answers(api, runtime)


def _answers(api: APIRouter, runtime: Runtime) -> None:
    @api.post("/netting/confirm-sheet", status_code=202)
    async def confirmed(who: Who, answer: WholeAnswer) -> dict[str, Any]:
        """A region agrees with all lines of a sheet that it does not dispute."""
        _own(runtime, who, answer.region)
        province = runtime.regions.entities[answer.region].province
        month = parse_month(answer.month)
        windows, *_ = await queries.sheets(runtime.pool, [province], month)
        state = windows[0]["state"] if windows else "open"
        if state != "published":
            text = f"轧差表状态不符 / the sheet of {answer.month} is {state}, not published"
            raise Refusal(409, f"sheet_{state}", text)
        by = _by(answer.by, who)
        message = ConfirmSheet(to=province, month=month, region=answer.region, by=by)
        id_ = uuid4()
        async with runtime.pool.acquire() as db, db.transaction():
            await runtime.send(db, [(id_, message)])
        return {"message": str(id_), "sheet": window_key(province, month), "verdict": "confirm"}

    @api.post("/netting/{verdict}", status_code=202)
    async def answered(
        who: Who, verdict: Literal["confirm", "dispute"], answer: Answer
    ) -> dict[str, Any]:
        _own(runtime, who, answer.region)
        text, _, version = answer.line.partition(":")
        async with runtime.pool.acquire() as db, db.transaction():
            row = await _line(db, text, int(version), answer.region)
            id_ = uuid4()
            await runtime.send(db, [(id_, _message(row, verdict, answer, who))])
        return {"message": str(id_), "line": answer.line, "verdict": verdict}


def _own(runtime: Runtime, who: Holder, region: str) -> None:
    if not who.may_see(region) or runtime.regions.get(region) is None:
        raise Refusal(403, "not_your_region", "无权操作该地区 / not a region of yours")


def _by(by: str, who: Holder) -> str:
    """Whoever acts is the token's holder; `by` is the person there."""
    return by if who.holder == by else f"{by} ({who.holder})"


async def _line(db: asyncpg.Connection, transfer: str, version: int, region: str) -> asyncpg.Record:
    try:
        row = await queries.find_line(db, UUID(transfer), version)
    except ValueError:
        row = None
    if row is None or region not in {row["origin"], row["destination"]}:
        raise Refusal(404, "unknown_line", "没有这条轧差明细 / no such line of that region")
    if row["settled"] or row["state"] in {"final", "paid"}:
        text = "轧差表已定，不能再答复 / the sheet is final: a correction is a line of the next one"
        raise Refusal(409, "sheet_final", text)
    return row


def _message(
    row: asyncpg.Record, verdict: str, answer: Answer, who: Holder
) -> ConfirmLine | DisputeLine:
    by = _by(answer.by, who)
    about = {name: row[name] for name in ("origin", "destination", "person", "transfer", "version")}
    about |= {"to": row["province"], "region": answer.region, "by": by}
    if verdict == "confirm":
        return ConfirmLine.model_validate(about)
    return DisputeLine.model_validate(about | {"reason": reasoned(answer.reason)})


def _provinces(runtime: Runtime, who: Holder, region: str | None) -> list[str]:
    """The provinces of the regions that are asked about and may be seen."""
    codes = [region] if region is not None else list(runtime.regions.entities)
    known = [found for code in codes if (found := runtime.regions.entities.get(code))]
    if region is not None and (not known or not who.may_see(region)):
        raise Refusal(403, "not_your_region", "无权查询该地区 / not a region of yours")
    return sorted({entity.province for entity in known if who.may_see(entity.code)})


def _month(text: str | None) -> int | None:
    return None if text is None else parse_month(text)
