"""`python -m tests.bench.growth --closed 300000`: is it as quick with years behind it?

Two stacks: in one nothing has happened, the other has so many closed transfers, loaded as sets from
a few real ones (`history`). The books must hold after that. Then the ordinary benchmark runs on
both by turns. The other stack idles meanwhile, which takes the same from either.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console

from deploy.embedded.stack import Stack
from deploy.sandbox import bench, own_stack, usage
from deploy.sandbox.network import Network, joined
from tests.bench.growth import history, questions

PATTERN = 600
# Of a closed transfer on disk, copied whole; and what the disk must have left beside.
_EACH_BYTES, _EACH_LEAN_BYTES, _LEFT_BYTES = 24_000, 15_000, 8_000_000_000
GROUPS = {
    "message log (14 days)": ("inbox", "outbox"),
    "event log (for ever)": ("events",),
    "explanations": ("explanations", "steps", "verdicts"),
    "letters": ("letters", "contacts"),
    "journal": ("entries", "postings"),
    "bank": ("receipts", "receipt_parts", "bank_lines", "instructions", "remittance_lines"),
}
"""Which tables belong together, by the beginnings of their names; all others are states."""


@dataclass(slots=True)
class Side:
    """A stack, the people who came to it, and how quick it was with each turn."""

    name: str
    running: Stack
    network: Network
    come: int = 0
    speeds: list[float] = field(default_factory=list)
    cpu: list[Mapping[str, float]] = field(default_factory=list)

    async def load(self, transfers: int) -> dict[str, Any]:
        """A load with people of its own."""
        result = await bench.measure(self.running, self.network, transfers, None, _quiet, self.come)
        self.come += transfers
        return result

    async def turn(self, transfers: int) -> None:
        """A load that counts; tells what it gave, what was written to the log of the database,
        and which tables were read from end to end.
        """
        before, log = await _scans(self.running.database), await _wal(self.running.database)
        result = await self.load(transfers)
        written = await _wal(self.running.database)
        self.speeds.append(result["transfers_per_second"])
        self.cpu.append(result["cpu_ms_per_transfer"])
        _tell(f"{self.name}: {self.speeds[-1]}/s, {self.cpu[-1]} ms CPU per transfer")
        wal = {name: (written[name] - log[name]) // transfers for name in log}
        _tell(f"{self.name}: write-ahead log per transfer: {wal}")
        read = await _scans(self.running.database) - before
        most = {name: rows // transfers for name, rows in read.most_common(5)}
        _tell(f"{self.name}: rows read by scans of whole tables, per transfer: {most}")

    async def newest(self) -> str:
        """The transfer that was opened last."""
        (newest,) = await fetch(
            self.running.database,
            "SELECT id::text FROM transfer.transfers ORDER BY opened_at DESC LIMIT 1",
        )
        return str(newest[0])

    async def questions(self) -> dict[str, int | str]:
        """How long answers take, those about the newest transfer among them."""
        return await asyncio.to_thread(questions.times, self.network, await self.newest())


def main() -> int:
    """Measures, and prints one line; 1 where the books do not hold."""
    asked = _arguments()
    each = _EACH_LEAN_BYTES if asked.lean else _EACH_BYTES
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if asked.closed * each + _LEFT_BYTES > free:
        print(f"{asked.closed} closed transfers take {asked.closed * each / 1e9:.0f} GB")
        return 2
    with ExitStack() as stacks:
        sides = []
        for name in ("empty", "grown"):
            folder = Path(tempfile.mkdtemp(prefix=f"jiexu-growth-{name}-"))
            running = stacks.enter_context(own_stack.started(folder, _quiet))
            network = stacks.enter_context(joined(running, folder / "answers"))
            sides.append(Side(name, running, network))
        line = asyncio.run(_compare(sides[0], sides[1], asked))
    print(json.dumps(line))
    return 0 if line["books_hold"] else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--closed", type=int, default=300_000, help="so many are loaded")
    parser.add_argument("--days", type=int, default=730, help="over which they are spread")
    parser.add_argument("--lean", action="store_true", help="cut what is long and not read")
    parser.add_argument("--transfers", type=int, default=1500, help="of a turn")
    parser.add_argument("--pairs", type=int, default=3, help="turns of each stack")
    return parser.parse_args()


async def _compare(empty: Side, grown: Side, asked: argparse.Namespace) -> dict[str, Any]:
    for side in (empty, grown):
        await side.load(PATTERN)
    sizes = await _sizes(grown.running.database)
    began = time.monotonic()
    spent = usage.cpu_seconds(usage.processes(grown.running.home))["postgres"]
    closed = await history.load(
        grown.running.database, asked.closed, days=asked.days, lean=asked.lean, tell=_tell
    )
    took = time.monotonic() - began
    spent = usage.cpu_seconds(usage.processes(grown.running.home))["postgres"] - spent
    more = await _sizes(grown.running.database) - sizes
    _tell(f"{closed} closed transfers loaded in {took:.0f} s, {spent:.0f} s of CPU")
    holds = [await _books(grown)]
    for pair in range(asked.pairs):
        for side in (empty, grown) if pair % 2 == 0 else (grown, empty):
            await side.turn(asked.transfers)
    holds.append(await _books(grown))
    told = [await side.questions() for side in (empty, grown)]
    for question, quick in told[0].items():
        _tell(f"{question}: {quick} ms, {told[1][question]} ms")
    middle = {side.name: statistics.median(side.speeds) for side in (empty, grown)}
    return {
        "closed": closed,
        "loaded_seconds": round(took),
        "loaded_cpu_seconds": round(spent),
        "transfers_per_second": middle,
        "ratio": round(middle["grown"] / middle["empty"], 3),
        "turns": {side.name: side.speeds for side in (empty, grown)},
        "cpu_ms_per_transfer": {side.name: _middle(side.cpu) for side in (empty, grown)},
        "bytes_per_closed_transfer": _each(more, closed),
        "of_one_today": _each(sizes, PATTERN),
        "lean": asked.lean,
        "books_hold": all(holds),
    }


def _middle(costs: list[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.median(cost[name] for cost in costs) for name in costs[0]}


def _each(sizes: Mapping[str, int], transfers: int) -> dict[str, int]:
    groups = Counter[str]()
    for name, size in sizes.items():
        table = name.partition(".")[2]
        found = [group for group, begins in GROUPS.items() if table.startswith(begins)]
        groups[found[0] if found else "states"] += size
    return {"all": groups.total() // transfers} | {
        name: size // transfers for name, size in groups.most_common()
    }


async def _sizes(database: str) -> Counter[str]:
    """Bytes of each table with its indexes; those of a parent's partitions are told apart."""
    rows = await fetch(
        database,
        "SELECT schemaname || '.' || relname, pg_total_relation_size(relid)"
        " FROM pg_stat_user_tables",
    )
    return Counter({row[0]: row[1] for row in rows})


async def _scans(database: str) -> Counter[str]:
    """How many rows were read by scans of whole tables, so far."""
    rows = await fetch(
        database, "SELECT schemaname || '.' || relname, seq_tup_read FROM pg_stat_user_tables"
    )
    return Counter({row[0]: row[1] or 0 for row in rows})


async def _wal(database: str) -> dict[str, int]:
    """Bytes and records of the write-ahead log so far, and how many of them are whole pages."""
    (row,) = await fetch(
        database,
        "SELECT wal_bytes::bigint AS bytes, wal_records AS records, wal_fpi AS pages"
        " FROM pg_stat_wal",
    )
    return dict(row)


async def fetch(database: str, statement: str) -> list[asyncpg.Record]:
    """The rows that a statement gives."""
    connection = await asyncpg.connect(database)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def _books(side: Side) -> bool:
    began = time.monotonic()
    found = await asyncio.to_thread(bench.balance, side.network)
    holds = found["balanced"] and all(found["invariants"].values())
    _tell(f"trial balance {'holds' if holds else found}, {time.monotonic() - began:.1f} s")
    return bool(holds)


def _tell(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(f"  {text}", highlight=False)


def _quiet(text: str) -> None:
    """What a stack and a load tell is not of interest here."""


if __name__ == "__main__":
    sys.exit(main())
