"""How fast the whole story is, through real Kafka and PostgreSQL with fsync on.

Preload, not measured: the histories at the origins (open, suspend) go through the upstream topic.
Measured, from the first message in to the last transfer closed: everybody enrolls (and applies,
where that is needed) through the upstream topic; record and money are released, the advance is
credited, the months join; meanwhile, a thousand advances at a time, the origins' instructions are
exported, a prompt bank pays each exactly and to the day, in an order of its own; its statements,
debits and credits, go in through the statement intake; every advance is funded, every transfer
closed, every letter delivered and every event copied to the monitor's log. All are employees with
money in an account that moves: the whole story, not its shorter variants, between regions that
answer by machine: a clerk's working days are no figure of the system's.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
from rich.console import Console

from deploy.embedded import stack
from deploy.sandbox import cast, feed, order, own_stack, stories, truth, usage
from deploy.sandbox.bank import Bank
from deploy.sandbox.fates import Temper
from deploy.sandbox.network import Network, joined
from deploy.sandbox.people import balance_fen, people
from deploy.sandbox.upstream import Latency, Record, Upstream
from shared import regions
from shared.settings import Settings

SEED = 7
# So many advances are paid together, while the next are credited.
_WAVE = 1000
_PAUSE_SECONDS = 0.05
_QUIET_SECONDS = 3600.0
_LOOK_SECONDS = 10.0
_HEBEI = frozenset({cast.SHIJIAZHUANG, cast.BAODING})


def run(
    transfers: int,
    *,
    rate: float | None = None,
    workers: int = 1,
    keep: bool = False,
    console: Console,
) -> dict[str, Any]:
    """Run the benchmark on a stack of its own and return its figures."""
    folder = Path(tempfile.mkdtemp(prefix="jiexu-bench-"))

    def tell(text: str) -> None:
        console.print(f"  {text}")

    with (
        own_stack.started(folder, tell, workers=workers, keep=keep) as running,
        joined(running, folder / "answers") as network,
    ):
        result = asyncio.run(measure(running, network, transfers, rate, tell))
        return {
            **result,
            "order_per_key": asyncio.run(order.counted(running)),
            "truth_and_books_agree": not _faults(network, running.home),
            "trial_balance": balance(network),
            "measured": " ".join((__doc__ or "").split()),
        }


async def measure(
    running: stack.Stack,
    network: Network,
    transfers: int,
    rate: float | None,
    tell: Callable[[str], None],
    come: int = 0,
) -> dict[str, Any]:
    """One load on a running stack to which `come` people of earlier loads have come already."""
    before, moving = _people(transfers, await _thread(network.now), come)
    latency = Latency()
    async with Upstream(running.kafka, latency) as upstream:
        begun = time.monotonic()
        await upstream.send(before, None)
        await _thread(network.quiet, _QUIET_SECONDS)
        tell(f"{transfers} histories loaded in {time.monotonic() - begun:.1f} s")
        pids = await _thread(usage.processes, running.home)
        cpu, disk = usage.cpu_seconds(pids), await usage.bytes_on_disk(running)

        offset = await _thread(network.now) - datetime.now(UTC)
        started = datetime.now(UTC)
        paying = asyncio.create_task(_thread(_pay, network, running.home, latency, transfers))
        await upstream.send(moving, rate)
        await _credited(latency, network)
        tell(f"{len(latency.credited_ms)} advances credited")
        tell("{} payments, {} statements".format(*await paying))
    await _thread(network.quiet, _QUIET_SECONDS)
    spent = {kind: now - cpu[kind] for kind, now in usage.cpu_seconds(pids).items()}
    grown = await usage.bytes_on_disk(running) - disk
    rows = await _ended(running, latency)
    seconds = (_last_closed(rows) - offset - started).total_seconds()
    return {
        "mode": _mode(rate),
        **_story(rows, seconds),
        "advance_latency_ms": latency.summary(),
        **_each_ms(spent, transfers),
        "bytes_per_transfer": grown // transfers,
        "peak_memory_mb": usage.peak_memory_mb(pids),
    }


async def _ended(running: stack.Stack, latency: Latency) -> list[Mapping[str, Any]]:
    """How the transfers of this load stand, however many others there are."""
    connection = await asyncpg.connect(running.database)
    try:
        rows = await connection.fetch(
            "SELECT id AS transfer_id, closed, money, state->>'closed_at' AS closed_at"
            " FROM transfer.transfers WHERE id = ANY($1::text[]::uuid[])",
            list(latency.accepted_ms),
        )
    finally:
        await connection.close()
    return list(rows)


def balance(network: Network) -> dict[str, Any]:
    """Whether the books hold."""
    found = network.ask("settlement", "/v1/trial-balance")
    return {name: found[name] for name in ("balanced", "invariants")}


def _faults(network: Network, home: Path) -> list[str]:
    return truth.check(network, home / "bank", _regions())


def _each_ms(spent: Mapping[str, float], transfers: int) -> dict[str, dict[str, float]]:
    """CPU per transfer: of the three kinds of process, and of each service."""
    each = {name: round(seconds * 1000 / transfers, 2) for name, seconds in spent.items()}
    kinds = {name: each.pop(name) for name in ("services", "kafka", "postgres")}
    return {"cpu_ms_per_transfer": kinds, "cpu_ms_per_service": each}


def _mode(rate: float | None) -> str:
    return "closed loop" if rate is None else f"open loop at {rate:g}/s"


def _story(rows: Sequence[Mapping[str, Any]], seconds: float) -> dict[str, Any]:
    return {
        "transfers": len(rows),
        "closed": sum(row["closed"] for row in rows),
        "funded": sum(row["money"] == "funded" for row in rows),
        "seconds": round(seconds, 3),
        "transfers_per_second": round(len(rows) / seconds, 1),
    }


def _last_closed(rows: Sequence[Mapping[str, Any]]) -> datetime:
    """Business time at which the last transfer closed. Raises RuntimeError if one is open."""
    open_ones = [row["transfer_id"] for row in rows if not row["closed"]]
    if open_ones or not rows:
        raise RuntimeError(f"{len(open_ones)} of {len(rows)} transfers did not close")
    return max(datetime.fromisoformat(row["closed_at"]) for row in rows)


def _regions() -> regions.Regions:
    return regions.load(Settings().regions)


async def _thread(call: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
    """Run what waits for HTTP beside the Kafka client's loop."""
    return await asyncio.to_thread(call, *arguments)


def _people(count: int, now: datetime, come: int) -> tuple[list[Record], list[Record]]:
    """The records of histories, and of those who then move over all corridors in turn; `come`
    people are passed over.
    """
    known = _regions()
    # On days that are over: what is later than the clock is refused.
    opened, stopped, moved = (now.date() - timedelta(days=n) for n in (3, 2, 1))
    stage = stories.Stage(known, opened, stopped, moved, 1)
    codes = [region.code for region in known.all]
    prompt = [code for code in codes if known.at(code, moved).release.answer == "automatic"]
    corridors = [(a, b) for a in prompt for b in codes if a != b and {a, b} != _HEBEI]
    # What is netted is funded at the month's end, which no benchmark waits for.
    corridors = [(a, b) for a, b in corridors if known.clearing(a, b, moved) is None]
    random = Random(SEED + come)
    rows: list[feed.Row] = []
    for index, person in enumerate(
        islice(people(Random(SEED), tuple(codes)), come, come + count), come
    ):
        origin, destination = corridors[index % len(corridors)]
        who = stories.Mover(
            f"bench-{index}", person, origin, destination, new_type="employee",
            old_type="employee", balance=balance_fen(random) or 1_00,
        )  # fmt: skip
        rows += stories.move(random, stage, who)
    feeds = feed.number(rows, known)
    records = [
        one | {"record_id": f"{come}-{one['record_id']}"}
        for source in feeds.records.values()
        for one in source
    ]
    histories = [one for one in records if one["action"] in ("open", "suspend")]
    moving = [one for one in records if one["action"] in ("enroll", "apply")]
    return _in_order(histories), _in_order(moving)


def _in_order(records: list[Record]) -> list[Record]:
    """One person's records stay together; people come mixed over sources and corridors."""
    return sorted(records, key=lambda one: (one["id_no"][::-1], one["occurred_at"]))


async def _credited(latency: Latency, network: Network) -> None:
    """Wait until every advance is credited. Raises RuntimeError if one never will be."""
    while True:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await latency.below(1)
        except TimeoutError:
            before = len(latency.credited_ms)
            await _thread(network.quiet, _QUIET_SECONDS)
            await asyncio.sleep(1)  # for what the listener has not read yet
            if before == len(latency.credited_ms) < len(latency.accepted_ms):
                missing = len(latency.accepted_ms) - before
                raise RuntimeError(
                    f"{missing} advances were not credited, all else is handled"
                ) from None
        else:
            return


def _pay(network: Network, home: Path, latency: Latency, transfers: int) -> tuple[int, int]:
    """Pays while others still enroll: instructions out, statements in, wave by wave.

    Gives the numbers of payments and of statements. Raises RuntimeError where nothing moves.
    """
    known = _regions()
    bank = Bank(home / "bank", known, Temper(SEED, realistic=False))
    payments = statements = 0
    moved_at = time.monotonic()
    while payments < transfers:
        credited = len(latency.credited_ms)
        if credited < min(payments + _WAVE, transfers):
            time.sleep(_PAUSE_SECONDS)
        else:
            day = network.now().date()
            files = [network.instructions(one.code, day) for one in known.all]
            taken = sum(bank.take(file, day) for file in files if file)
            for path in bank.work(day):
                network.tell(path.read_bytes())
                statements += 1
            payments += taken
            moved_at = time.monotonic() if taken else moved_at
        if time.monotonic() - moved_at > _QUIET_SECONDS:
            raise RuntimeError(f"only {payments} of {transfers} payments were instructed")
    return payments, statements
