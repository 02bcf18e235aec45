"""The books in PostgreSQL: what a batch needs is locked and read as sets, and written as sets.

One lock order everywhere: destinations and corridors, holders, receipts, releases, claims, then
the turnover of accounts; each sorted. A claim and a receipt that may be for it are on one
corridor, so under its lock neither can miss the other.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.settlement import rows, selects
from services.settlement.doubts import (
    Doubtful,
    NameKeys,
    Place,
    doubtful,
    names_asked,
    places_of,
)
from services.settlement.needs import Needs
from services.settlement.rows import columns
from services.settlement.states import Declined, Holder, Line, Part
from services.settlement.writing import written
from shared.decision import Delivery, States
from shared.messages.settlement import OpenAccount
from shared.sealing import Keyring, SealError, unseal

_MOST_OFFERED = 50
"""So many declined advances of a corridor are looked at when it frees."""


async def load(db: asyncpg.Connection, keyring: Keyring, batch: Sequence[Delivery]) -> States:
    """What the batch needs, locked. The number of statements does not depend on its size."""
    needs = Needs.of(batch)
    states: States = {}
    announced = await _lock_corridors(db, needs, states)
    looks = needs.looks(announced)
    await _holders(db, needs, states)
    waiting = await _parts(db, needs, looks, states)
    await _receipts(db, needs, states)
    await _releases(db, needs, states)
    await _claims(db, needs, looks, waiting, states)
    await _declined(db, needs, states)
    await _records(db, needs, states)
    if needs.receipts or waiting:
        await _unseal(db, keyring, needs, waiting, states)
    return states


async def _lock_corridors(
    db: asyncpg.Connection, needs: Needs, states: States
) -> dict[UUID, tuple[str, str, int]]:
    """Locks the corridors of the batch, and tells (region, origin, announced_fen) of the claims
    that had to be read to know them.
    """
    announced: dict[UUID, tuple[str, str, int]] = {}
    if needs.leaving or needs.receipts:
        for row in await db.fetch(
            selects.CLAIM_CORRIDORS,
            [person for person, _ in needs.leaving],
            list(needs.references),
        ):
            announced[row["transfer"]] = (row["region"], row["origin"], row["announced_fen"])
            needs.corridors.add((row["origin"], row["region"]))
    if not needs.corridors and not needs.unknown_payer:
        return announced
    # A receipt whose payer is unknown has no corridor: it excludes all advances of its region.
    alone = needs.unknown_payer
    await db.execute(
        selects.LOCK_DESTINATIONS,
        *columns([(f"settlement/{r}", r in alone) for r in sorted(needs.destinations | alone)], 2),
    )
    wanted = sorted(needs.corridors)
    found = await _fetch_corridors(db, wanted)
    if len(found) < len(wanted):
        await db.execute(
            selects.ADD_CORRIDORS,
            *columns(wanted, 2),
        )
        found = await _fetch_corridors(db, wanted)
    for row in found:
        states["corridor", row["origin"], row["destination"]] = rows.CORRIDORS.read(row)
    return announced


async def _fetch_corridors(
    db: asyncpg.Connection, wanted: Sequence[tuple[str, str]]
) -> list[asyncpg.Record]:
    found: list[asyncpg.Record] = await db.fetch(
        selects.CORRIDORS,
        *columns(wanted, 2),
    )
    return found


async def _holders(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    if not needs.holders:
        return
    for row in await db.fetch(
        selects.HOLDERS,
        *columns(sorted(needs.holders), 2),
    ):
        states["holder", row["person"], row["region"]] = rows.HOLDERS.read(row)


async def _parts(
    db: asyncpg.Connection, needs: Needs, looks: set[str], states: States
) -> list[Part]:
    """The parts that are applied, and those that wait for claims of the batch (given back)."""
    if not looks and not needs.parts:
        return []
    for row in await db.fetch(
        selects.PARTS,
        list(looks),
        *columns(sorted(needs.parts), 2),
    ):
        states["part", row["receipt"], row["part"]] = rows.PARTS.read(row)
    found: dict[str, list[tuple[UUID, int]]] = {look: [] for look in looks}
    waiting: dict[tuple[UUID, int], Part] = {}
    if looks:
        for row in await db.fetch(selects.WAITING, list(looks)):
            place = (row["receipt"], row["part"])
            part = states.get(("part", *place))
            if isinstance(part, Part):
                found[row["look"]].append(place)
                waiting[place] = part
    for look, places in found.items():
        states["waiting", look] = tuple(sorted(places))
    return list(waiting.values())


async def _receipts(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    wanted = [m.receipt for m in needs.receipts] + [m.receipt for m in needs.debits]
    if not wanted:
        return
    for row in await db.fetch(selects.RECEIPTS, wanted):
        states["receipt", row["receipt"]] = rows.RECEIPTS.read(row)


async def _releases(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    references = needs.references
    if not needs.persons and not references:
        return
    by_person: defaultdict[str, list[UUID]] = defaultdict(list)
    for row in await db.fetch(
        selects.RELEASES,
        list(needs.persons),
        list(references),
    ):
        release = rows.RELEASES.read(row)
        states["release", release.person, release.transfer] = release
        states["released", release.transfer] = ((release.person, release.transfer),)
        by_person[release.person].append(release.transfer)
    for person in needs.persons:
        states["releases", person] = tuple(by_person[person])


async def _claims(
    db: asyncpg.Connection,
    needs: Needs,
    looks: set[str],
    waiting: Sequence[Part],
    states: States,
) -> None:
    """The claims of the batch's persons, and all that its receipts and the waiting may be for."""
    expected = await _expected(db, needs, looks, waiting, states)
    transfers = {ref for part in waiting for ref in part.refs} | expected
    transfers |= {r for m in needs.receipts for d in m.details for r in d.references}
    if not needs.persons and not transfers:
        return
    by_person: defaultdict[str, list[UUID]] = defaultdict(list)
    for row in await db.fetch(
        selects.CLAIMS,
        list(needs.persons),
        list(transfers),
    ):
        claim = rows.CLAIMS.read(row)
        states["claim", claim.person, claim.transfer] = claim
        states["claimed", claim.transfer] = ((claim.person, claim.transfer),)
        by_person[claim.person].append(claim.transfer)
    for person in needs.persons:
        states["claims", person] = tuple(by_person[person])


async def _expected(
    db: asyncpg.Connection,
    needs: Needs,
    looks: set[str],
    waiting: Sequence[Part],
    states: States,
) -> set[UUID]:
    """The claims of each payer and amount that a part without reference has, of persons whose
    name has something in common with such a part.
    """
    pairs = [tuple(look.split("|")) for look in sorted(looks) if "|" in look]
    bare = [d for m in needs.receipts for d in m.details if not d.references]
    name_keys = {key for detail in bare for key in detail.name_keys}
    name_keys |= {key for part in waiting if not part.refs for key in part.name_keys}
    found: dict[str, list[tuple[str, UUID]]] = {"|".join(pair): [] for pair in pairs}
    if pairs and name_keys:
        for row in await db.fetch(
            selects.EXPECTED,
            *columns(pairs, 3),
        ):
            if not name_keys.isdisjoint(row["name_keys"]):
                look = f"{row['region']}|{row['origin']}|{row['announced_fen']}"
                found[look].append((row["person"], row["transfer"]))
    for look, claims in found.items():
        states["expected", look] = tuple(sorted(claims))
    return {transfer for claims in found.values() for _, transfer in claims}


async def _declined(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    if not needs.freeing:
        return
    queues: defaultdict[tuple[str, str], list[Declined]] = defaultdict(list)
    for row in await db.fetch(
        selects.DECLINED,
        *columns(sorted(needs.freeing), 2),
        _MOST_OFFERED,
    ):
        declined = rows.DECLINED.read(row)
        queues[declined.origin, declined.destination].append(declined)
    for corridor, queue in queues.items():
        states["declined", *corridor] = tuple(queue)


async def _records(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    if needs.movements:
        for row in await db.fetch(
            selects.MOVEMENTS,
            *columns(sorted(needs.movements), 2),
        ):
            states["movement", row["person"], row["record"]] = rows.MOVEMENTS.read(row)
    if needs.instructions:
        for row in await db.fetch(
            selects.INSTRUCTIONS,
            *columns(sorted(needs.instructions), 3),
        ):
            line = rows.INSTRUCTIONS.read(row)
            states["instruction", line.person, line.transfer, line.run] = line


async def _unseal(
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
    opened = await keyring.person_keys(db, {person for person, _ in sealed})
    for (person, region), text in sealed.items():
        name = _unsealed(opened.get(person), text).get("name")
        if isinstance(name, str):
            states["name", person, region] = name


async def _names(
    db: asyncpg.Connection, needs: Needs, states: States
) -> tuple[NameKeys, dict[Place, str]]:
    """Name keys and sealed names of the holders of all claims that were read or are announced."""
    known = {place: states.get(("holder", *place)) for place in places_of(needs, states)}
    absent = [place for place, holder in known.items() if holder is None]
    for row in (
        await db.fetch(
            selects.HOLDERS_READ,
            *columns(absent, 2),
        )
        if absent
        else ()
    ):
        holder = rows.HOLDERS.read(row)
        known[holder.person, holder.region] = holder
        states["name-keys", holder.person, holder.region] = holder.name_keys
    keys: NameKeys = {}
    sealed: dict[Place, str] = {}
    for place, found in [*known.items(), *needs.opening.items()]:
        if isinstance(found, Holder | OpenAccount):
            keys[place] = found.name_keys or keys.get(place, ())
            sealed |= {place: found.sealed} if found.sealed else {}
    return keys, sealed


async def _lines(
    db: asyncpg.Connection, keyring: Keyring, needs: Needs, doubts: Doubtful, states: States
) -> None:
    lines = {m.receipt: (m.sealed, f"{m.booked_on:%Y-%m}") for m in needs.receipts}
    known = sorted({receipt for receipt, _ in doubts} - lines.keys())
    for row in await db.fetch(selects.LINES, known) if known else ():
        lines[row["receipt"]] = (row["sealed"], f"{row['booked_on']:%Y-%m}")
    months = {lines[receipt][1] for receipt, _ in doubts if receipt in lines}
    opened = {month: await keyring.statement_key(db, month) for month in sorted(months)}
    for receipt, part in doubts:
        text, month = lines.get(receipt, (None, ""))
        payments = _unsealed(opened.get(month), text).get("payments", [])
        if part < len(payments):
            states["line", receipt, part] = Line(
                payee=str(payments[part].get("payee_name") or ""),
                remark=str(payments[part].get("remark") or ""),
            )


def _unsealed(key: bytes | None, text: str | None) -> dict[str, Any]:
    """The fields, or none where there is no key for them any more: nothing is decided by them."""
    if key is None or text is None:
        return {}
    try:
        return unseal(key, text)
    except SealError:
        return {}


async def save(db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
    """Writes what has changed, and the journal."""
    for statement, arguments in written(changes):
        await db.execute(statement, *arguments)
