"""Closing over HTTP: ending a day, balances on any date, the month's views."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import asyncpg
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from services.settlement import outside, pain
from services.settlement.bank.unsealing import current
from services.settlement.closing import evidence, queries, replay, sweeps
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
from services.settlement.snapshots import misfits
from shared.asking import Refusal, Who, everywhere
from shared.messages import RegionCode
from shared.messages.settlement_closing import CloseDay
from shared.months import MonthError, days_of, parse_month
from shared.regions import Regions
from shared.service import Runtime, Service
from shared.settings import Holder

_EVE = timedelta(days=1)
_MOST_DAYS, _MOST_ROWS = 31, 500
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

MonthText = Annotated[str, Query(pattern=r"^\d{4}-\d{2}$")]
Region = Annotated[str | None, Query(pattern=r"^\d{6}$")]


class Swept(BaseModel):
    """Which month of a region is to be swept."""

    region: RegionCode
    month: MonthText


class End(BaseModel):
    """Which day of a region is over."""

    region: RegionCode
    date: date


def router(runtime: Runtime) -> APIRouter:
    """What is asked of days and months."""
    api = APIRouter()
    _days(api, runtime)
    _months(api, runtime)
    _sweeps(api, runtime)
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


def _sweeps(api: APIRouter, runtime: Runtime) -> None:
    @api.post("/sweeps")
    async def instruct(sweep: Swept, who: Who) -> Response:
        """What a month has left in the income account, as a payment file to the fiscal account."""
        visible(runtime, who, sweep.region)
        _, end = _days_of(sweep.month)
        found = await sweeps.instruct(runtime, sweep.region, end, who.holder)
        if found is None:
            return Response(status_code=204)
        known = (await current(runtime)).regions.entities
        body = pain.sweep(found, known[sweep.region])
        async with runtime.pool.acquire() as db:
            await outside.swept(runtime.settings.home, db, found)
        return Response(body, media_type="application/xml", headers={"Jiexu-Runs": found.name})

    @api.get("/sweeps")
    async def listed(who: Who, region: Region = None) -> list[dict[str, str]]:
        async with runtime.pool.acquire() as db:
            return await sweeps.listed(db, visible(runtime, who, region))


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
                late_receipts=await queries.late_receipts(db, regions, first, last),
            )

        def by_age(rows: Rows, destination: str, day: date) -> dict[str, str]:
            calendar = runtime.regions.calendar(destination)
            days = {row["announced_on"] for row in rows}
            return aged(rows, {on: calendar.working_days_between(on, day) for on in days})

        names = {known.code: known.name for known in runtime.regions.all}
        return report(found, names, by_age)


async def explain(
    runtime: Runtime, who: Holder, account: str | None, day: date | None, id_: UUID | None
) -> dict[str, Any]:
    """Where a balance, an entry or a receipt comes from. Raises Refusal."""
    async with runtime.pool.acquire() as db:
        if account is not None:
            region, _, name = account.partition("/")
            visible(runtime, who, region)
            on = day or (await runtime.now(db)).date()
            return await _account(db, region, name, on)
        if id_ is not None:
            found = await _entry_or_receipt(db, id_, runtime.regions)
            if found is not None and who.may_see(found["region"]):
                return found
    raise Refusal(404, "not_found", "没有这个凭证或到账 / there is no such entry or receipt")


async def _account(db: asyncpg.Connection, region: str, account: str, day: date) -> dict[str, Any]:
    stood = [r for r in await queries.balances(db, day, [region]) if r.account == account]
    days = await queries.moved_on(db, region, account, day, _MOST_DAYS)
    posted = (
        await queries.entries_on(db, region, account, days[0]["day"], _MOST_ROWS) if days else []
    )
    balance = asdict(stood[0]) if stood else None
    return evidence.of_account(region, account, day, balance, days, posted)


async def _entry_or_receipt(
    db: asyncpg.Connection, id_: UUID, regions: Regions
) -> dict[str, Any] | None:
    rows = await queries.entry(db, id_)
    subject = rows[0]["subject"] if rows else str(id_)
    # A receipt, the payment inside it, and what of that had been applied before.
    receipt, *number = subject.split("/")
    line = await queries.bank_line(db, UUID(receipt)) if _UUID.fullmatch(receipt) else None
    if not rows and line is None:
        return None
    parts = await queries.parts_of(db, line["receipt"]) if line else []
    if not rows and line:
        rows = await queries.entries_of_receipt(db, line["account"], line["receipt"])
    elif number:
        parts = [part for part in parts if str(part["part"]) == number[0]]
    return {
        "region": line["region"] if line else rows[0]["region"],
        "entries": evidence.entries(rows),
        "line": evidence.line(line) if line else None,
        "parts": [evidence.part(part) for part in parts],
        "interest": await interest_of(db, rows, regions),
    }


async def interest_of(
    db: asyncpg.Connection, rows: Sequence[Mapping[str, Any]], regions: Regions
) -> list[dict[str, Any]]:
    """How the interest among some postings came about."""
    earned = {(row["person"], row["id"]) for row in rows if row["kind"] == "interest"}
    persons, entries = [person for person, _ in earned], [entry for _, entry in earned]
    told = await queries.reasons_of_interest(db, persons, entries) if earned else []
    return evidence.interest_of(told, lambda region, day: regions.at(region, day).interest)


def auditing(runtime: Runtime, service: Service) -> APIRouter:
    """The books made again: balances from postings, entries from messages."""
    api = APIRouter(prefix="/audit")

    @api.get("/balances")
    async def balances(who: Who) -> dict[str, Any]:
        """How many balances, of now and of closed days, are not their postings' sum, and how many
        accounts have not accrued what these earn; and the number of the last entry, up to which
        messages are asked for.
        """
        everywhere(who)
        async with runtime.pool.acquire() as db, db.transaction(isolation="repeatable_read"):
            return {
                "upto": await replay.mark(db),
                "streams": [f"{service.name}.events", *service.topics],
                "balances": await misfits(db),
                "daily": await queries.daily_misfits(db),
                "interest": await queries.interest_misfits(db, runtime.regions),
            }

    @api.post("/entries")
    async def entries(request: Request, who: Who, upto: int) -> dict[str, Any]:
        """What of the entries up to a number is not made again by the messages of the log."""
        everywhere(who)
        lines = _lines(request.stream())
        return asdict(await replay.replay(runtime.settings, service, lines, upto))

    return api


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line


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
