"""Closing over HTTP: ending a day, balances on any date, the month's views."""

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.settlement.closing import queries
from services.settlement.closing.report import (
    Month,
    Rows,
    cash_basis,
    mirror_line,
    movements,
    on_a_day,
    report,
)
from services.settlement.exposed import aged
from shared.asking import Refusal, Who
from shared.messages import RegionCode
from shared.messages.settlement_closing import CloseDay
from shared.months import MonthError, days_of, parse_month
from shared.service import Runtime
from shared.settings import Holder

_EVE = timedelta(days=1)

MonthText = Annotated[str, Query(pattern=r"^\d{4}-\d{2}$")]
Region = Annotated[str | None, Query(pattern=r"^\d{6}$")]


class End(BaseModel):
    """Which day of a region is over."""

    region: RegionCode
    date: date


def router(runtime: Runtime) -> APIRouter:
    """What is asked of days and months."""
    api = APIRouter()
    _days(api, runtime)
    _months(api, runtime)
    return api


def _days(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/days")
    async def listed(who: Who, region: Region = None) -> list[dict[str, Any]]:
        async with runtime.pool.acquire() as db:
            rows = await queries.days(db, visible(runtime, who, region))
        return [
            {name: on.isoformat() if isinstance(on, date) else on for name, on in row.items()}
            for row in rows
        ]

    @api.post("/days", status_code=202)
    async def close(end: End, who: Who) -> dict[str, Any]:
        visible(runtime, who, end.region)
        async with runtime.pool.acquire() as db, db.transaction():
            if end.date > (await runtime.now(db)).date():
                raise Refusal(422, "day_not_begun", "该日尚未开始 / that day has not begun")
            id_ = uuid4()
            message = CloseDay(to=end.region, day=end.date, by=who.holder)
            await runtime.send(db, [(id_, message)])
        return {"region": end.region, "date": end.date.isoformat(), "message_id": str(id_)}

    @api.get("/days/{day}/balances")
    async def balances(day: date, who: Who, region: Region = None) -> dict[str, Any]:
        """The trial balance at the end of a day."""
        regions = None if region is None else visible(runtime, who, region)
        async with runtime.pool.acquire() as db:
            accounts = await queries.balances(db, day, regions)
        return on_a_day(day, accounts, who.may_see)

    @api.get("/days/{day}/mirror")
    async def mirror(day: date, who: Who, region: Region = None) -> list[dict[str, Any]]:
        """Both sides of every corridor, as they were last compared by a day."""
        async with runtime.pool.acquire() as db:
            rows = await queries.mirrors(db, visible(runtime, who, region), day)
        return [mirror_line(row, day) for row in rows]


def _months(api: APIRouter, runtime: Runtime) -> None:
    @api.get("/statutory")
    async def statutory(
        who: Who, region: Annotated[str, Query(pattern=r"^\d{6}$")], month: MonthText
    ) -> dict[str, Any]:
        """The cash-basis view of a region's month."""
        regions = visible(runtime, who, region)
        first, last = _days_of(month)
        async with runtime.pool.acquire() as db, db.transaction(isolation="repeatable_read"):
            turnovers = await queries.turnover(db, regions, first, last)
            before = await queries.balances(db, first - _EVE, regions)
            after = await queries.balances(db, last, regions)
        return cash_basis(region, month, turnovers[region], movements(before, after))

    @api.get("/reports")
    async def reports(who: Who, month: MonthText, region: Region = None) -> dict[str, Any]:
        """The month of the books, region by region."""
        regions = visible(runtime, who, region)
        first, last = _days_of(month)
        async with runtime.pool.acquire() as db, db.transaction(isolation="repeatable_read"):
            found = Month(
                month=month,
                last=last,
                turnovers=await queries.turnover(db, regions, first, last),
                balances=await queries.balances(db, last, regions),
                days=await queries.days(db, regions),
                advances=await queries.open_advances(db, regions, last),
                mirrors=await queries.mirrors(db, regions, last),
                unmatched=await queries.unmatched(db, regions, last),
                late=await queries.late(db, regions, first, last),
            )

        def by_age(rows: Rows, destination: str, day: date) -> dict[str, str]:
            calendar = runtime.regions.calendar(destination)
            days = {row["announced_on"] for row in rows}
            return aged(rows, {on: calendar.working_days_between(on, day) for on in days})

        names = {known.code: known.name for known in runtime.regions.all}
        return report(found, names, by_age)


def _days_of(month: str) -> tuple[date, date]:
    try:
        return days_of(parse_month(month))
    except MonthError:
        raise Refusal(422, "bad_month", "月份格式为 2026-03 / a month is like 2026-03") from None


def visible(runtime: Runtime, who: Holder, region: str | None) -> list[str]:
    """The regions of these books that the holder may see. Raises Refusal."""
    here = runtime.regions.here
    codes = [r.code for r in runtime.regions.all if here(r.code) and who.may_see(r.code)]
    if region is None:
        return codes
    if region not in codes:
        raise Refusal(403, "not_your_region", "无权查询该地区 / not a region of yours")
    return [region]
