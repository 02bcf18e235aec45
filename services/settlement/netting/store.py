"""Netting in PostgreSQL: windows, then totals, lines, positions are locked, each sorted.

Who lets a line enter a window holds the total of its corridor there; who closes the window holds
its row and all its totals, for as long as it takes to mark them. So neither can miss the other,
and closing waits for nothing but the batches that are under way.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from uuid import UUID

import asyncpg

from services.settlement.netting import rows
from services.settlement.netting.needs import Needs, Place
from services.settlement.netting.windows import MOST_LINES
from services.settlement.rows import columns
from shared.decision import Delivery, States

_ADD_WINDOWS = """
INSERT INTO netting_windows (province, month)
SELECT * FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING
"""
_WINDOWS = """
SELECT * FROM netting_windows
 WHERE (province, month) IN (SELECT * FROM unnest($1::text[], $2::int[]))
 ORDER BY province, month FOR UPDATE
"""
_HELD_OPEN = """
SELECT province, month FROM (
  SELECT province, month, state FROM netting_windows
   WHERE (province, month) IN (SELECT * FROM unnest($1::text[], $2::int[]))
   ORDER BY province, month FOR SHARE) w
 WHERE state = 'open'
"""
_CLOSED = "SELECT * FROM netting_windows WHERE province = ANY($1) AND state <> 'open'"
_TOTALS_OF_WINDOWS = """
SELECT * FROM netting_totals
 WHERE (province, month) IN (SELECT * FROM unnest($1::text[], $2::int[]))
 ORDER BY province, month, origin, destination FOR UPDATE
"""
_TOTALS = """
SELECT * FROM netting_totals WHERE (province, month, origin, destination) IN
       (SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[]))
 ORDER BY province, month, origin, destination FOR UPDATE
"""
_KNOWN_TOTALS = """
SELECT province, month, origin, destination FROM netting_totals
 WHERE (province, month, origin, destination) IN
       (SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[]))
"""
_ADD_TOTALS = """
INSERT INTO netting_totals (province, month, origin, destination)
SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING
"""
_LINES_OF = """
SELECT * FROM netting_lines
 WHERE (person, transfer) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
 ORDER BY person, transfer, version
"""
_LINES = """
SELECT * FROM netting_lines
 WHERE (person, transfer, version) IN (SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[]))
 ORDER BY person, transfer, version FOR UPDATE
"""
_NEXT = """
SELECT * FROM netting_lines
 WHERE province = $1 AND entered = $2 AND (person, transfer, version) > ($3, $4, $5)
 ORDER BY person, transfer, version LIMIT $6
"""
_WINDOWS_PAID = "SELECT DISTINCT province, month FROM netting_positions WHERE reference = ANY($1)"
_POSITIONS = """
SELECT * FROM netting_positions
 WHERE (province, month) IN (SELECT * FROM unnest($1::text[], $2::int[]))
 ORDER BY reference FOR UPDATE
"""


async def load(db: asyncpg.Connection, batch: Sequence[Delivery], states: States) -> None:
    """What the batch needs of netting, locked; nothing is asked where it needs nothing."""
    needs = Needs.of(batch)
    await _windows_paid(db, needs)
    if needs.windows:
        await _windows(db, needs, states)
    if needs.places:
        await _places(db, needs, states)
    if needs.lines:
        wanted = columns(sorted(needs.lines), 3)
        rows.LINES.take(states, "net-line", await db.fetch(_LINES, *wanted))
    if needs.references and needs.windows:
        await _positions(db, needs, states)
    for m in needs.following:
        found = await db.fetch(_NEXT, m.to, m.month, *m.after, MOST_LINES)
        states["net-next", m.to, m.month, *m.after] = tuple(map(rows.LINES.read, found))


async def _windows_paid(db: asyncpg.Connection, needs: Needs) -> None:
    """The windows of the positions that are paid: with the last one the window is paid."""
    if needs.references:
        found = await db.fetch(_WINDOWS_PAID, list(needs.references))
        needs.windows |= {(row["province"], row["month"]) for row in found}


async def _windows(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    wanted = columns(sorted(needs.windows), 2)
    await db.execute(_ADD_WINDOWS, *wanted)
    rows.WINDOWS.take(states, "net-window", await db.fetch(_WINDOWS, *wanted))
    totals = rows.TOTALS.take(states, "net-total", await db.fetch(_TOTALS_OF_WINDOWS, *wanted))
    by_window: defaultdict[tuple[str, int], list[tuple[str, str]]] = defaultdict(list)
    for total in totals:
        by_window[total.province, total.month].append((total.origin, total.destination))
    for window in needs.windows:
        states["net-totals", *window] = tuple(by_window[window])


async def _places(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    """The lines of the transfers, and every total that they may leave or enter.

    A line is changed by its corridor's messages alone, one batch after the other, but for being
    marked as booked.
    """
    wanted = columns(sorted(needs.transfers), 2)
    known = [rows.LINES.read(row) for row in await db.fetch(_LINES_OF, *wanted)]
    corridors = [(one, one.origin, one.destination) for one in known]
    entered = {(n.province, n.entered, o, d) for n, o, d in corridors if n.entered is not None}
    places = needs.places | {(one.province, one.month, o, d) for one, o, d in corridors}
    while not await _locked(db, states, places, entered):
        pass  # a window was closed just now: look again
    lines = rows.LINES.take(states, "net-line", await db.fetch(f"{_LINES_OF} FOR UPDATE", *wanted))
    versions: defaultdict[tuple[str, UUID], list[int]] = defaultdict(list)
    for line in lines:
        versions[line.person, line.transfer].append(line.version)
    for key in needs.transfers:
        states["net-lines", *key] = tuple(versions[key])


async def _locked(
    db: asyncpg.Connection, states: States, places: set[Place], entered: set[Place]
) -> bool:
    """Locks the totals of the places; whether each place has an open one."""
    closed = rows.WINDOWS.take(
        states, "net-window", await db.fetch(_CLOSED, sorted({p for p, *_ in places}))
    )
    shut = {(window.province, window.month) for window in closed}
    targets: set[Place] = set()
    for province, first, origin, destination in places:
        month = next(n for n in count(first) if (province, n) not in shut)
        targets |= {(province, n, origin, destination) for n in (month, month + 1)}
    await _make(db, targets)
    wanted = columns(sorted(targets | entered), 4)
    totals = rows.TOTALS.take(states, "net-total", await db.fetch(_TOTALS, *wanted))
    found = {(t.province, t.origin, t.destination) for t in totals if t.state == "open"}
    return all((place[0], *place[2:]) in found for place in places)


async def _make(db: asyncpg.Connection, targets: set[Place]) -> None:
    """Makes the totals that are missing, where the window is still open.

    Before any total is locked: who closes a window takes its row first, then the totals.
    """
    found = await db.fetch(_KNOWN_TOTALS, *columns(sorted(targets), 4))
    missing = targets - {tuple(row) for row in found}
    if not missing:
        return
    windows = columns(sorted({(province, month) for province, month, *_ in missing}), 2)
    await db.execute(_ADD_WINDOWS, *windows)
    held = {tuple(row) for row in await db.fetch(_HELD_OPEN, *windows)}
    await db.execute(_ADD_TOTALS, *columns(sorted(p for p in missing if p[:2] in held), 4))


async def _positions(db: asyncpg.Connection, needs: Needs, states: States) -> None:
    wanted = columns(sorted(needs.windows), 2)
    found = rows.POSITIONS.take(states, "net-position", await db.fetch(_POSITIONS, *wanted))
    for window in needs.windows:
        own = (one.reference for one in found if (one.province, one.month) == window)
        states["net-positions", *window] = tuple(own)
