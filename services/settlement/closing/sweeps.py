"""What a month leaves in the income account goes to the fiscal account (财社〔2017〕144号).

The bank is told once a month and region; the books follow when its statement shows it. A receipt
that waits for its owner waits in `suspense`, wherever the money lies.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import asyncpg

from services.settlement.bank_commands import Entry
from services.settlement.closing import queries
from services.settlement.pain import Sweep
from shared.asking import Refusal
from shared.calendar import SHANGHAI
from shared.money import yuan
from shared.regions import AccountKind, Regions
from shared.service import Runtime

_NAME = re.compile(r"([0-9]{6})-[0-9]{6}-S")
_OTHER: dict[str, AccountKind] = {"income": "fiscal", "fiscal": "income"}

_SWEPT_SINCE = """
SELECT coalesce(sum(amount_fen), 0)::bigint FROM postings
 WHERE region = $1 AND business_date > $2 AND debit = 'bank:fiscal' AND credit = 'bank:income'
"""


async def instruct(runtime: Runtime, region: str, end: date, by: str) -> Sweep | None:
    """What the bank is told of a month that ended on `end`: the first time what is left of it, then
    the same again. None where nothing is left. Raises Refusal.
    """
    async with runtime.pool.acquire() as db, db.transaction():
        # Two at the same time would tell two amounts.
        await db.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"sweep/{region}")
        if known := await _known(db, region, end):
            return known
        days = await queries.days(db, [region])
        if not days or days[0]["balanced_on"] is None or days[0]["balanced_on"] < end:
            do = f"once it is over: jiexu close-day --region {region} --date {end}"
            text = f"该月尚未结账 / {end:%Y-%m} of {region} is not closed yet; {do}"
            raise Refusal(409, "month_not_closed", text)
        stood = await queries.balances(db, end, [region])
        left_fen = sum(a.debit_fen - a.credit_fen for a in stood if a.account == "bank:income")
        left_fen -= await db.fetchval(_SWEPT_SINCE, region, end)
        if left_fen <= 0:
            return None
        await db.execute(
            "INSERT INTO sweeps (region, month, amount_fen, instructed_at, by)"
            " VALUES ($1, $2, $3, $4, $5)",
            *(region, end, left_fen, await runtime.now(db), by),
        )
        return await _known(db, region, end)


async def _known(db: asyncpg.Connection, region: str, end: date) -> Sweep | None:
    row = await db.fetchrow("SELECT * FROM sweeps WHERE region = $1 AND month = $2", region, end)
    if row is None:
        return None
    at = row["instructed_at"].astimezone(SHANGHAI)
    return Sweep(row["region"], row["month"], row["amount_fen"], at)


async def listed(db: asyncpg.Connection, regions: Sequence[str]) -> list[dict[str, str]]:
    """What banks were told to sweep, and by whom."""
    rows = await db.fetch(
        "SELECT * FROM sweeps WHERE region = ANY($1) ORDER BY month, region", list(regions)
    )
    return [
        {
            "region": row["region"],
            "month": f"{row['month']:%Y-%m}",
            "amount": yuan(row["amount_fen"]),
            "instructed_at": row["instructed_at"].astimezone(SHANGHAI).isoformat(),
            "by": row["by"],
        }
        for row in rows
    ]


def recognised(fresh: Sequence[Entry], regions: Regions) -> list[Entry]:
    """The entries, with the other account of each sweep of ours that the bank tells by its name
    alone: the name is given to nothing else.
    """
    return [_recognised(entry, regions) for entry in fresh]


def _recognised(entry: Entry, regions: Regions) -> Entry:
    only, credit = entry.line.payments[0], entry.line.credit
    name, kind = _NAME.fullmatch(only.end_to_end_id), _OTHER.get(entry.own.bank)
    told = only.payer_account if credit else only.payee_account
    if name is None or name[1] != entry.own.region or kind is None or told:
        return entry
    account = regions.entities[entry.own.region].bank.account(kind)
    known = replace(only, payer_account=account) if credit else replace(only, payee_account=account)
    return replace(entry, line=replace(entry.line, payments=(known, *entry.line.payments[1:])))
