"""The books in PostgreSQL: what a batch needs is locked and read as sets, and written as sets.

One lock order everywhere: days of regions, destinations and corridors, holders, receipts, releases,
claims, netting, then the turnover of accounts; each sorted. A claim and a receipt that may be for
it are on one corridor, so under its lock neither can miss the other.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.settlement import rows, selects
from services.settlement.bank import rows as bank_rows
from services.settlement.exposure import MOST_OFFERED, MOST_RECONSIDERED
from services.settlement.needs import Needs
from services.settlement.netting import store as netting
from services.settlement.people.rows import ITEMS
from services.settlement.people.states import part_subject
from services.settlement.rows import columns
from services.settlement.states import Aged, Claim, Declined, Part
from services.settlement.unsealing import unseal_lines
from services.settlement.writing import entered, written
from shared.decision import Delivery, States
from shared.sealing import Keyring


async def load(db: asyncpg.Connection, keyring: Keyring, batch: Sequence[Delivery]) -> States:
    """What the batch needs, locked. The number of statements does not depend on its size."""
    needs = Needs.of(batch)
    states: States = {}
    ends = columns(sorted(needs.regions.items()), 2)
    rows.DAYS.take(states, "day", await db.fetch(selects.DAYS, *ends))
    announced = await _lock_corridors(db, needs, states)
    looks = needs.looks(announced)
    await _holders(db, needs, states)
    waiting = await _parts(db, needs, looks, states)
    await _taken_back(db, needs, states)
    await _receipts(db, needs, waiting, states)
    await _releases(db, needs, states)
    await _claims(db, needs, looks, waiting, states)
    await _declined(db, needs, states)
    await _ages(db, needs, states)
    await netting.load(db, batch, states)
    await _records(db, needs, states)
    await _items(db, needs, states)
    if needs.receipts or waiting:
        await unseal_lines(db, keyring, needs, waiting, states)
    return states


async def _lock_corridors(
    db: asyncpg.Connection, needs: Needs, states: States
) -> dict[UUID, tuple[str, str, int]]:
    """Locks the corridors of the batch, and tells (region, origin, announced_fen) of the claims
    that had to be read to know them.
    """
    announced: dict[UUID, tuple[str, str, int]] = {}
    if needs.leaving or needs.receipts or needs.named:
        for row in await db.fetch(
            selects.CLAIM_CORRIDORS,
            [person for person, _ in needs.leaving],
            list(needs.references | needs.named),
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
    wanted = columns(sorted(needs.corridors), 2)
    locked = rows.CORRIDORS.take(states, "corridor", await db.fetch(selects.CORRIDORS, *wanted))
    if len(locked) < len(needs.corridors):
        await db.execute(selects.ADD_CORRIDORS, *wanted)
        rows.CORRIDORS.take(states, "corridor", await db.fetch(selects.CORRIDORS, *wanted))
    return announced


def _which(
    statement: str, persons: list[str], transfers: list[UUID]
) -> tuple[str, *tuple[list[Any], ...]]:
    if not transfers:
        return statement.format(selects.OF_PERSONS), persons
    return statement.format(selects.OF_PERSONS_OR_TRANSFERS), persons, transfers


async def _holders(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    if needs.holders:
        wanted = columns(sorted(needs.holders), 2)
        # More than was asked for, where persons have accounts at several regions: it does no harm.
        rows.HOLDERS.take(states, "holder", await db.fetch(selects.HOLDERS, *wanted))


async def _parts(
    db: asyncpg.Connection, needs: Needs, looks: set[str], states: States
) -> list[Part]:
    """The parts that are applied, and those that wait for claims of the batch (given back)."""
    found: dict[str, list[tuple[UUID, int]]] = {look: [] for look in looks}
    if looks:
        for row in await db.fetch(selects.WAITING, list(looks)):
            found[row["look"]].append((row["receipt"], row["part"]))
    for look, places in found.items():
        states["waiting", look] = tuple(sorted(places))
    waiting = {place for places in found.values() for place in places}
    wanted = sorted(waiting | needs.parts)
    if not wanted:
        return []
    parts = rows.PARTS.take(states, "part", await db.fetch(selects.PARTS, *columns(wanted, 2)))
    return [part for part in parts if (part.receipt, part.part) in waiting]


async def _taken_back(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    """The parts that were applied to the claims of which the bank takes credits back."""
    if not needs.taking_back:
        return
    found: dict[UUID, set[tuple[UUID, int]]] = {t: set() for _, t in needs.taking_back}
    wanted = columns(sorted(needs.taking_back), 2)
    for row in await db.fetch(selects.APPLIED, *wanted):
        found[row["transfer"]].add((row["receipt"], row["part"]))
    for transfer, some in found.items():
        states["parts-of", transfer] = tuple(sorted(some))
    places = sorted({place for some in found.values() for place in some})
    rows.PARTS.take(states, "part", await db.fetch(selects.PARTS, *columns(places, 2)))


async def _receipts(
    db: asyncpg.Connection, needs: Needs, waiting: Sequence[Part], states: States
) -> None:
    wanted = [m.receipt for m in needs.receipts] + [m.receipt for m in needs.debits]
    wanted += [*needs.judged, *(part.receipt for part in waiting)]
    if wanted:
        rows.RECEIPTS.take(states, "receipt", await db.fetch(selects.RECEIPTS, wanted))


async def _releases(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    persons, references = list(needs.persons), list(needs.references)
    if not persons and not references:
        return
    by_person: defaultdict[str, list[UUID]] = defaultdict(list)
    which = _which(selects.RELEASES, persons, references)
    for release in rows.RELEASES.take(states, "release", await db.fetch(*which)):
        states["released", release.transfer] = ((release.person, release.transfer),)
        by_person[release.person].append(release.transfer)
    for person in persons:
        states["releases", person] = tuple(by_person[person])


async def _claims(
    db: asyncpg.Connection,
    needs: Needs,
    looks: set[str],
    waiting: Sequence[Part],
    states: States,
) -> None:
    """The claims of the batch's persons, and all that its receipts and the waiting may be for."""
    transfers = await _expected(db, needs, looks, waiting, states)
    transfers |= {ref for part in waiting for ref in part.refs}
    transfers |= needs.references | needs.named
    persons = list(needs.persons)
    if not persons and not transfers:
        return
    by_person: defaultdict[str, list[UUID]] = defaultdict(list)
    which = _which(selects.CLAIMS, persons, list(transfers))
    for claim in rows.CLAIMS.take(states, "claim", await db.fetch(*which)):
        states["claimed", claim.transfer] = ((claim.person, claim.transfer),)
        by_person[claim.person].append(claim.transfer)
    for person in persons:
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
        for row in await db.fetch(selects.EXPECTED, *columns(pairs, 3)):
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
    freeing = columns(sorted(needs.freeing), 2)
    for row in await db.fetch(selects.DECLINED, *freeing, MOST_OFFERED):
        declined = rows.DECLINED.read(row)
        queues[declined.origin, declined.destination].append(declined)
    for corridor, queue in queues.items():
        states["declined", *corridor] = tuple(queue)
    if needs.reviewing:
        await _too_large(db, needs, states)


async def _too_large(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    """Whom a single advance's limit keeps waiting, where that limit may be another by now."""
    found: defaultdict[tuple[str, str], list[Claim]] = defaultdict(list)
    reviewing = columns(sorted(needs.reviewing), 2)
    for row in await db.fetch(selects.TOO_LARGE, *reviewing, MOST_RECONSIDERED):
        claim = rows.CLAIMS.read(row)
        found[claim.origin, claim.region].append(claim)
    for corridor, claims in found.items():
        states["too-large", *corridor] = tuple(claims)


async def _ages(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    if not needs.reviewing:
        return
    ages: defaultdict[tuple[str, str], list[Aged]] = defaultdict(list)
    for row in await db.fetch(selects.AGES, *columns(sorted(needs.reviewing), 2)):
        aged = rows.AGES.read(row)
        ages[aged.origin, aged.destination].append(aged)
    for corridor, found in ages.items():
        states["ages", *corridor] = tuple(found)


async def _records(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    if needs.movements:
        wanted = columns(sorted(needs.movements), 2)
        rows.MOVEMENTS.take(states, "movement", await db.fetch(selects.MOVEMENTS, *wanted))
    if needs.instructions:
        wanted = columns(sorted(needs.instructions), 3)
        rows.INSTRUCTIONS.take(states, "instruction", await db.fetch(selects.INSTRUCTIONS, *wanted))
    if needs.announcements:
        told = columns(sorted(needs.announcements), 2)
        table = bank_rows.ANNOUNCEMENTS
        table.take(states, "announcement", await db.fetch(selects.ANNOUNCEMENTS, *told))
    if needs.accounts:
        for change in bank_rows.CHANGES.take(states, "change", await db.fetch(selects.CHANGES)):
            key = ("change", change.region, change.bank, change.cause)
            states["account-change", change.region, change.bank] = key
            states["account-key", change.account_key] = change.region, change.bank
    if needs.notes:
        bank_rows.NOTES.take(states, "note", await db.fetch(selects.NOTES, list(needs.notes)))


async def _items(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    """The work items that people decide about, and those that the batch may open or settle."""
    parts = [state for state in states.values() if isinstance(state, Part)]
    subjects = needs.subjects | {part_subject(part.receipt, part.part) for part in parts}
    # Whatever credits a person, or lets an account go, recovers what they owe.
    claims = (state for state in states.values() if isinstance(state, Claim))
    subjects |= {str(claim.transfer) for claim in claims if claim.recoverable_fen}
    if subjects or needs.items:
        which = list(subjects), list(needs.items)
        for row in await db.fetch(selects.ITEMS, *which):
            item = ITEMS.read(row)
            states["item", item.item] = item
            states["item-about", item.subject] = True


async def save(db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
    """Writes what has changed, and the journal."""
    for table, names, journal in entered(changes):
        await db.copy_records_to_table(table, columns=names, records=journal)
    for statement, arguments in written(changes):
        await db.execute(statement, *arguments)
