"""The accounts of funds that people have changed, read and sealed."""

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date, timedelta
from typing import Any

import asyncpg
from pydantic import JsonValue, TypeAdapter, ValidationError

from services.settlement.bank import rows
from services.settlement.bank.changes import AccountChange
from services.settlement.codes import CODES
from services.settlement.selects import CHANGES
from shared.asking import Refusal
from shared.calendar import SHANGHAI, shanghai_day
from shared.region_file import ACCOUNT_KINDS
from shared.regions import AccountKind, NewAccount, Regions
from shared.rules import BankAccount
from shared.sealing import Keyring, seal, unseal
from shared.service import Runtime

_KIND: TypeAdapter[AccountKind] = TypeAdapter(AccountKind)
_NUMBER: TypeAdapter[str] = TypeAdapter(BankAccount)
_DAY = TypeAdapter(date)
_AHEAD = timedelta(days=366)


async def regions_of(runtime: Runtime, db: asyncpg.Connection) -> Regions:
    """The regions with the accounts that they have, or had, by what people have changed."""
    changes = [_new(runtime.keyring, change) for change in await _changes(db)]
    return runtime.regions.with_accounts(changes) if changes else runtime.regions


async def current(runtime: Runtime) -> Runtime:
    """What the chassis gives, with these regions."""
    async with runtime.pool.acquire() as db:
        regions = await regions_of(runtime, db)
    if regions is runtime.regions:
        return runtime
    found = copy(runtime)
    found.regions = regions
    return found


async def _changes(db: asyncpg.Connection) -> list[AccountChange]:
    return [rows.CHANGES.read(row) for row in await db.fetch(CHANGES)]


def _new(keyring: Keyring, change: AccountChange) -> NewAccount:
    account = unseal(keyring.accounts, change.sealed)["account"]
    return NewAccount(change.region, change.bank, change.since, account)


def number_of(keyring: Keyring, sealed: str) -> str:
    """The account in what was proposed, so that who approves it reads it."""
    return unseal(keyring.accounts, sealed)["account"]


async def sealed(runtime: Runtime, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What a person typed of an account that changes, as the fields of the act. Raises Refusal."""
    try:
        region = str(given.get("to"))
        kind = _KIND.validate_python(given.get("bank"))
        account = _NUMBER.validate_python(str(given.get("account", "")).replace(" ", ""))
        since = _DAY.validate_python(given.get("since"))
    except ValidationError:
        text = "要有 to、bank（income、expense、fiscal）、account、since"
        english = "to, bank (income, expense, fiscal), account (8 to 32 digits), since (a day)"
        raise Refusal(422, "bad_act", f"{text} / {english}") from None
    async with runtime.pool.acquire() as db:
        regions = await regions_of(runtime, db)
        today = shanghai_day(await runtime.now(db))
    if since > today + _AHEAD:
        raise Refusal(422, "too_far_ahead", " / ".join(CODES["too_far_ahead"]))
    known = regions.get(region)
    if known is None:
        raise Refusal(422, "unknown_region", " / ".join(CODES["unknown_region"]))
    had = regions.by_account(account)
    again = had is not None and (had[0].code, had[1]) == (region, kind)
    if had is not None and not (again and account != known.bank.account(kind)):
        raise Refusal(409, "account_taken", " / ".join(CODES["account_taken"]))
    if any(row.account(kind) and row.until >= since for row in known.bank.former):
        raise Refusal(409, "changed_later", " / ".join(CODES["changed_later"]))
    return {
        "to": region,
        "bank": kind,
        "since": since.isoformat(),
        "account_key": runtime.keyring.blind([f"account {account}"])[0],
        "sealed": seal(runtime.keyring.accounts, {"account": account}),
    }


async def accounts(runtime: Runtime, codes: Sequence[str]) -> list[dict[str, Any]]:
    """Every account that these regions have or had, and who changed it, the oldest first."""
    async with runtime.pool.acquire() as db:
        changes = await _changes(db)
        regions = await regions_of(runtime, db)
    by = {_new(runtime.keyring, change).account: change for change in changes}
    return [
        _shown(code, kind, account, by.get(account))
        for code in codes
        for kind in ACCOUNT_KINDS
        for account in regions.entities[code].bank.accounts(kind)
    ]


def _shown(code: str, kind: str, account: str, change: AccountChange | None) -> dict[str, Any]:
    found: dict[str, Any] = {"region": code, "bank": kind, "account": account}
    return found | {
        "since": change and change.since.isoformat(),
        "changed_at": change and change.changed_at.astimezone(SHANGHAI).isoformat(),
        "proposed_by": change and change.proposed_by,
        "approved_by": change and change.approved_by,
        "reason": change and change.reason,
        "why": change and change.why,
    }
