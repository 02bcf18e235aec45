"""Closing a netting window under load: `python -m tests.bench.netting --lines 1000000`.

A window is filled in bulk with lines of all corridors of a province of fourteen regions. Then
several writers let lines of both sides enter, batch after batch, through the service's own `load`,
`decide` and `save`, while the window is published and made final by the same three functions.
Afterwards every line is in exactly one window, and each total is the sum of its lines.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from deploy.embedded import stack
from deploy.migrations.__main__ import upgrade
from services.settlement.app import Settlement
from shared import regions
from shared.calendar import SHANGHAI
from shared.messages import Message
from shared.messages.settlement_netting import (
    FinalizeSheet,
    ProposeLine,
    PublishSheet,
    SheetFinal,
    SheetPublished,
    Side,
)
from shared.sealing import Keyring
from shared.settings import Secrets, Settings
from tests.integration.drive import connect, drive

GUANGXI, APRIL = "450000", 2026 * 12 + 3
# As many as Guangxi has.
CITIES = tuple(f"45{n:02d}00" for n in range(1, 15))
CORRIDORS = tuple((a, b) for a in CITIES for b in CITIES if a != b)
RELEASED, CLOSING = date(2026, 4, 20), datetime(2026, 5, 5, 9, tzinfo=SHANGHAI)
SIDES: tuple[Side, ...] = ("origin", "destination")

_FILL = """
INSERT INTO settlement.netting_lines (person, transfer, version, province, origin, destination,
       month, origin_fen, destination_fen, entered)
SELECT md5(n::text), md5('t' || n)::uuid, 1, $1, ($2::text[])[1 + n % $4], ($3::text[])[1 + n % $4],
       $5, 10000 + n % 90000, 10000 + n % 90000, $5
  FROM generate_series(1, $6::int) AS n
"""
_COUNT = """
INSERT INTO settlement.netting_totals (province, month, origin, destination, lines, fen)
SELECT province, entered, origin, destination, count(*), sum(origin_fen)
  FROM settlement.netting_lines GROUP BY 1, 2, 3, 4
"""
# What is kept of a window and what its lines add up to, where the two differ; and lines in none.
_DIFFERENT = """
SELECT count(*) FROM (
  SELECT province, entered, origin, destination, count(*) AS lines, sum(origin_fen) AS fen
    FROM settlement.netting_lines WHERE entered IS NOT NULL GROUP BY 1, 2, 3, 4) l
  FULL JOIN (SELECT * FROM settlement.netting_totals WHERE lines > 0) t
    ON (t.province, t.month, t.origin, t.destination)
     = (l.province, l.entered, l.origin, l.destination)
 WHERE t.lines IS DISTINCT FROM l.lines OR t.fen IS DISTINCT FROM l.fen
"""


@dataclass
class Load:
    """Writers that let lines enter, and how long each of their batches took."""

    database: str
    service: Settlement
    batch: int
    seconds: list[tuple[float, float]] = field(default_factory=list)
    """When each batch began, and how long it took."""
    lines: int = 0
    stopped: bool = False

    async def write(self, seed: int) -> None:
        """Batch after batch, both sides of each line in it, until told to stop."""
        random = Random(seed)
        # A corridor's messages are handled by one process, as its key is on one partition.
        own = [c for n, c in enumerate(CORRIDORS) if n % WRITERS == seed]
        db = await connect(self.database)
        while not self.stopped:
            messages = self._batch(random, own)
            begun = time.monotonic()
            await drive(db, self.service, messages, CLOSING)
            self.seconds.append((begun, time.monotonic() - begun))
            self.lines += len(messages) // 2
        await db.close()

    def longest(self, spans: Sequence[tuple[float, float]]) -> float:
        """The longest batch that was under way in one of the spans, in milliseconds."""
        met = (s for at, s in self.seconds if meets(at, s, spans))
        return round(max(met, default=0.0) * 1000, 1)

    def _batch(self, random: Random, own: Sequence[tuple[str, str]]) -> list[Message]:
        found: list[Message] = []
        for _ in range(self.batch):
            origin, destination = random.choice(own)
            person, transfer, fen = uuid4().hex, uuid4(), random.randint(1, 500_000)
            found += [_line(side, (origin, destination), person, transfer, fen) for side in SIDES]
        return found


WRITERS = 4


def meets(at: float, seconds: float, spans: Sequence[tuple[float, float]]) -> bool:
    """Whether a batch was under way in one of the spans."""
    return any(at < end and at + seconds > begin for begin, end in spans)


def _line(
    side: Side, corridor: tuple[str, str], person: str, transfer: UUID, fen: int
) -> ProposeLine:
    return ProposeLine(
        to=GUANGXI,
        origin=corridor[0],
        destination=corridor[1],
        person=person,
        transfer=transfer,
        version=1,
        side=side,
        amount_fen=fen,
        released_on=RELEASED,
    )


def settlement() -> Settlement:
    """The service with the shipped rules."""
    keys = dict.fromkeys(
        ("person_key_secret", "blind_key_secret", "master_key", "content_key"), "11" * 32
    )
    return Settlement(regions.load(Settings().regions), Keyring(Secrets.model_validate(keys)))


async def fill(owner: asyncpg.Connection, lines: int) -> None:
    """So many lines in the window of April."""
    origins, destinations = zip(*CORRIDORS, strict=True)
    await owner.execute(
        "INSERT INTO settlement.netting_windows (province, month) VALUES ($1, $2)", GUANGXI, APRIL
    )
    about = (list(origins), list(destinations), len(CORRIDORS), APRIL, lines)
    await owner.execute(_FILL, GUANGXI, *about)
    await owner.execute(_COUNT)
    await owner.execute("ANALYZE settlement.netting_lines")


async def close_under_load(
    database: str, *, lines: int, batch: int = 100, warm: float = 5.0
) -> dict[str, Any]:
    """Fills a window, closes it while writers write, and tells what was measured and found."""
    owner = await asyncpg.connect(database)
    service = settlement()
    await fill(owner, lines)
    load = Load(database, service, batch)
    writers = [asyncio.create_task(load.write(seed)) for seed in range(WRITERS)]
    await asyncio.sleep(warm)
    db = await connect(database)
    before = time.monotonic()
    [published] = await drive(db, service, [PublishSheet(to=GUANGXI, month=APRIL)], CLOSING)
    publishing = time.monotonic() - before
    await asyncio.sleep(warm)
    begun = time.monotonic()
    final, _ = await drive(db, service, [FinalizeSheet(to=GUANGXI, month=APRIL)], CLOSING)
    finalizing = time.monotonic() - begun
    await asyncio.sleep(warm / 5)
    load.stopped = True
    await asyncio.gather(*writers)
    assert isinstance(published, SheetPublished)
    assert isinstance(final, SheetFinal)
    found = await _found(owner, published, final)
    closes = [(before, before + publishing), (begun, begun + finalizing)]
    await db.close()
    await owner.close()
    return {
        "lines_before": lines,
        "lines_entered_meanwhile": load.lines,
        "lines_in_the_sheet": published.lines,
        "publish_s": round(publishing, 3),
        "finalize_s": round(finalizing, 3),
        "batch_ms": _quantiles([s for at, s in load.seconds if not meets(at, s, closes)]),
        "longest_batch_while_closing_ms": load.longest(closes),
        **found,
    }


async def _found(
    owner: asyncpg.Connection, published: SheetPublished, final: SheetFinal
) -> dict[str, Any]:
    outside = await owner.fetchval(
        "SELECT count(*) FROM settlement.netting_lines WHERE entered IS NULL"
    )
    wrong = await owner.fetchval(
        "SELECT count(*) FROM settlement.netting_lines WHERE entered NOT IN ($1, $1 + 1)", APRIL
    )
    in_sheet = await owner.fetchval(
        "SELECT count(*) FROM settlement.netting_lines WHERE entered = $1", APRIL
    )
    return {
        "lines_outside_a_window": outside + wrong,
        "lines_missed_by_the_sheet": in_sheet - published.lines,
        "totals_that_differ": await owner.fetchval(_DIFFERENT),
        "sum_of_positions_fen": sum(p.receivable_fen - p.payable_fen for p in final.positions),
        "sheet_changed_after_publication": published.positions != final.positions,
    }


def _quantiles(seconds: list[float]) -> dict[str, float]:
    cuts = quantiles([s * 1000 for s in seconds], n=100) if len(seconds) > 1 else [0.0] * 99
    return {"p50": round(cuts[49], 1), "p99": round(cuts[98], 1), "max": round(max(seconds) * 1000)}


def main() -> None:
    """Measures on a PostgreSQL of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=100)
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="jiexu-netting-"))
    try:
        running = stack.up(home, services=(), report=lambda _: None)
        upgrade(running.database)
        result = asyncio.run(
            close_under_load(running.database, lines=given.lines, batch=given.batch)
        )
    finally:
        stack.down(home, lambda _: None)
        shutil.rmtree(home, ignore_errors=True)
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
