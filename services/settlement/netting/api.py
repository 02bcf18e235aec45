"""Netting over HTTP: the sheets, their lines, and what the regions answer to them."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.settlement.netting import answers, queries
from shared.asking import Limit, Refusal, Who, reasoned
from shared.messages import RegionCode
from shared.messages.settlement_netting import ConfirmLine, DisputeLine
from shared.months import parse_month
from shared.service import Runtime
from shared.settings import Holder

Month = Annotated[str | None, Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
LINE = r"^[0-9a-fA-F-]{36}:-?[0-9]{1,9}$"
After = Annotated[str | None, Query(pattern=LINE)]


class Answer(BaseModel):
    """What a person of a region says to a line: `TRANSFER:VERSION`."""

    line: Annotated[str, Field(pattern=LINE)]
    region: RegionCode
    by: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
    reason: str = ""


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

    @api.post("/netting/{verdict}", status_code=202)
    async def answered(
        who: Who, verdict: Literal["confirm", "dispute"], answer: Answer
    ) -> dict[str, Any]:
        if not who.may_see(answer.region) or runtime.regions.get(answer.region) is None:
            raise Refusal(403, "not_your_region", "无权操作该地区 / not a region of yours")
        text, _, version = answer.line.partition(":")
        async with runtime.pool.acquire() as db, db.transaction():
            row = await _line(db, text, int(version), answer.region)
            id_ = uuid4()
            await runtime.send(db, [(id_, _message(row, verdict, answer, who))])
        return {"message": str(id_), "line": answer.line, "verdict": verdict}


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
    # Whoever acts is the token's holder; `by` is the person there.
    by = answer.by if who.holder == answer.by else f"{answer.by} ({who.holder})"
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
