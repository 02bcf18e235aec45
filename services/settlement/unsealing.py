"""What bank lines and claims say of names, unsealed for the few that are in doubt."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from services.settlement import rows, selects
from services.settlement.doubts import (
    Doubtful,
    NameKeys,
    Place,
    compared,
    doubtful,
    line_of,
    names_asked,
    names_of,
    places_of,
)
from services.settlement.needs import Needs
from services.settlement.rows import columns
from services.settlement.states import Part
from shared.decision import States
from shared.sealing import Keyring, SealError, unseal


async def unseal_lines(
    db: asyncpg.Connection,
    keyring: Keyring,
    needs: Needs,
    waiting: Sequence[Part],
    states: States,
) -> None:
    """The name keys of the claims that receipts may be for, and the little that must be read."""
    keys, sealed = await _names(db, needs, states)
    doubts = doubtful(needs, waiting, keys, states)
    if not doubts:
        return
    for row in await db.fetch(
        selects.NAMED,
        *columns(names_asked(doubts), 2),
    ):
        states["named", row["region"], row["name_key"]] = True
    await _lines(db, keyring, needs, doubts, states)
    read = compared(doubts, keys) & sealed.keys()
    opened = await keyring.person_keys(db, {person for person, _ in read})
    for person, region in read:
        name = _unsealed(opened.get(person), sealed[person, region]).get("name")
        if isinstance(name, str):
            states["name", person, region] = name


async def _names(
    db: asyncpg.Connection, needs: Needs, states: States
) -> tuple[NameKeys, dict[Place, str]]:
    """Name keys and sealed names of the holders of all claims that were read or are announced."""
    known = {place: states.get(("holder", *place)) for place in places_of(needs, states)}
    absent = [place for place, holder in known.items() if holder is None]
    if absent:
        for row in await db.fetch(selects.HOLDERS_READ, *columns(absent, 2)):
            holder = rows.HOLDERS.read(row)
            known[holder.person, holder.region] = holder
            states["name-keys", holder.person, holder.region] = holder.name_keys
    return names_of([*known.items(), *needs.opening.items()])


async def _lines(
    db: asyncpg.Connection, keyring: Keyring, needs: Needs, doubts: Doubtful, states: States
) -> None:
    lines = {m.receipt: (m.sealed, f"{m.booked_on:%Y-%m}") for m in needs.receipts}
    known = sorted({receipt for receipt, _ in doubts} - lines.keys())
    if known:
        for row in await db.fetch(selects.LINES, known):
            lines[row["receipt"]] = (row["sealed"], f"{row['booked_on']:%Y-%m}")
    months = {lines[receipt][1] for receipt, _ in doubts if receipt in lines}
    opened = {month: await keyring.statement_key(db, month) for month in sorted(months)}
    for receipt, part in doubts:
        text, month = lines.get(receipt, (None, ""))
        payments = _unsealed(opened.get(month), text).get("payments", [])
        if part < len(payments):
            states["line", receipt, part] = line_of(payments[part])


def _unsealed(key: bytes | None, text: str | None) -> dict[str, Any]:
    """The fields, or none where there is no key for them any more: nothing is decided by them."""
    try:
        return unseal(key, text) if key and text else {}
    except SealError:
        return {}
