"""One turn of Jiexu, or of DBOS Transact, each on an empty PostgreSQL of its own.

Both get the whole machine for their turn: Jiexu its embedded stack (`jiexu bench`), DBOS the same
PostgreSQL with the same settings and the product's own tables, and no Kafka beside it.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from deploy.embedded import postgres
from deploy.embedded.home import Home
from deploy.embedded.processes import end, last_lines, start
from deploy.migrations.__main__ import upgrade
from deploy.sandbox import usage

CHECKOUT = Path(__file__).resolve().parents[3]
JIEXU = Path(sys.executable).with_name("jiexu")
TRANSACT = Path(sys.executable).parent.parent / "peers" / "bin" / "python"
REGIONS = ("130100", "130600", "340100", "410100", "450100", "450300")
AUTOMATIC = frozenset({"450100", "450300"})
# Inside Hebei no transfer is needed; inside Guangxi the month is netted, which no run waits for.
LEFT_OUT = ({"130100", "130600"}, {"450100", "450300"})
SEED = 7
_START_SECONDS = 60.0


def facts(transfers: int) -> list[list[Any]]:
    """The moves over all corridors in turn, as `story.Transfer` reads them."""
    random = Random(SEED)
    corridors = [(a, b) for a in REGIONS for b in REGIONS if a != b and {a, b} not in LEFT_OUT]
    moves = []
    for number in range(transfers):
        origin, destination = corridors[number % len(corridors)]
        moves.append(
            [number, f"{number:032x}", origin, destination, random.randint(100, 1_000_000),
             destination in AUTOMATIC]
        )  # fmt: skip
    return moves


@contextmanager
def database() -> Iterator[tuple[str, int]]:
    """PostgreSQL alone, as the embedded stack starts it, with the product's tables: DSN and pid."""
    with tempfile.TemporaryDirectory(prefix="jiexu-peer-") as folder:
        home = Home.at(Path(folder))
        home.prepare()
        program = postgres.prepare(home)
        process = start(program)
        try:
            asyncio.run(_ready(home))
            upgrade(postgres.dsn(home))
            yield postgres.dsn(home), process.pid
        finally:
            process.send_signal(program.stop_signal)
            end(process, program.stop_seconds)
            postgres.remove_socket_folder(home)


async def _ready(home: Home) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not await postgres.answers(home):
        if time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start:\n{last_lines(home.log('postgres'))}")
        await asyncio.sleep(0.1)
    await postgres.create_database(home)


_LOADED = (
    "INSERT INTO enrollment.persons (person, sealed) SELECT p, repeat('s', 156)"
    " FROM unnest($1::text[], $2::text[], $3::bigint[]) AS m (p, o, f)",
    "INSERT INTO enrollment.relations (person, region, scheme, state, person_type, account, loaded,"
    " last_month, history, entitled_from, waiting_months) SELECT p, o, '310', 'suspended',"
    " 'employee', true, true, 24321, '{\"opened\": [[24153, 24321]]}', 24153, 0"
    " FROM unnest($1::text[], $2::text[], $3::bigint[]) AS m (p, o, f)",
    "INSERT INTO notification.contacts (person, region, identity) SELECT p, o, repeat('s', 156)"
    " FROM unnest($1::text[], $2::text[], $3::bigint[]) AS m (p, o, f)",
    "INSERT INTO settlement.holders (person, region, account, personal_credit_fen, sealed)"
    " SELECT p, o, true, f, repeat('s', 156)"
    " FROM unnest($1::text[], $2::text[], $3::bigint[]) AS m (p, o, f)",
)
_SHARED = (
    "INSERT INTO settlement.corridors (origin, destination)"
    " SELECT a, b FROM unnest($1::text[]) a, unnest($1::text[]) b WHERE a <> b",
    "INSERT INTO settlement.balances (region, account) SELECT a, b"
    " FROM unnest($1::text[]) a, unnest('{suspense,remitting,bank:income,bank:expense}'::text[]) b"
    " UNION ALL SELECT a, k || ':' || b FROM unnest($1::text[]) a, unnest($1::text[]) b,"
    " unnest('{advance,payable}'::text[]) k WHERE a <> b",
)


async def load(dsn: str, moves: Sequence[Sequence[Any]]) -> None:
    """What is there before anybody moves: the people, their relation and money at the origin."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in _LOADED:
            await connection.execute(statement, *([m[n] for m in moves] for n in (1, 2, 4)))
        for statement in _SHARED:
            await connection.execute(statement, REGIONS)
    finally:
        await connection.close()


_WRITTEN = (
    "SELECT sum(n_tup_ins)::bigint, sum(n_tup_upd)::bigint, (SELECT xact_commit FROM"
    " pg_stat_database WHERE datname = current_database()) FROM pg_stat_user_tables"
    " WHERE schemaname <> 'dbos' AND relname <> 'alembic_version'"
)
# What must hold at the end, whoever wrote it; each gives one row of the same two figures.
_ENDS = {
    "closed": "SELECT count(*) FROM transfer.transfers WHERE closed",
    "letters": "SELECT count(*) / 4 FROM notification.letters WHERE state = 'sent'",
    "postings": "SELECT count(*) / 6 FROM settlement.postings",
    "claims funded": "SELECT count(*) FROM settlement.claims WHERE matched_fen = announced_fen",
    "people paid": "SELECT count(*) FROM settlement.holders h JOIN settlement.claims c"
    " USING (person, region) WHERE h.personal_credit_fen = c.announced_fen",
}
_NOTHING_LEFT = (
    "SELECT (SELECT count(*) FROM settlement.corridors WHERE open_fen <> 0 OR claims <> 0)"
    " + (SELECT count(*) FROM settlement.balances WHERE account NOT LIKE 'bank:%'"
    " AND debit_fen <> credit_fen)"
)


async def _written(dsn: str) -> tuple[int, int, int]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        inserted, updated, commits = await connection.fetchrow(_WRITTEN)
    finally:
        await connection.close()
    return inserted, updated, commits


async def check(dsn: str, transfers: int) -> None:
    """Raises RuntimeError unless every transfer ended as Jiexu's do."""
    connection = await asyncpg.connect(dsn)
    try:
        found = {name: await connection.fetchval(query) for name, query in _ENDS.items()}
        left = await connection.fetchval(_NOTHING_LEFT)
    finally:
        await connection.close()
    wrong = {name: count for name, count in found.items() if count != transfers}
    if wrong or left:
        raise RuntimeError(f"of {transfers} transfers: {wrong}; accounts not at zero: {left}")


@contextmanager
def _program(command: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    """A child whose output is read; asked to end when we are."""
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as program:
        try:
            yield program
        except SystemExit:
            program.terminate()
            raise


def of_dbos(transfers: int, workers: int, concurrency: int, style: str) -> dict[str, Any]:
    """One turn of DBOS Transact."""
    moves = facts(transfers)
    with database() as (dsn, server), tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(moves, file)
        file.flush()
        asyncio.run(load(dsn, moves))
        before = asyncio.run(_written(dsn))
        command = [str(TRANSACT), "-m", "tests.bench.peers.transact", "run", dsn]
        command += [f"--facts={file.name}"]
        command += [f"--workers={workers}", f"--concurrency={concurrency}", f"--style={style}"]
        with _program(command) as program:
            assert program.stdout is not None
            if program.stdout.readline() != "started\n":
                raise RuntimeError("DBOS did not start: its reason stands above")
            spent = usage.cpu_seconds({"postgres": server})["postgres"]
            line = program.stdout.readline()
            spent = usage.cpu_seconds({"postgres": server})["postgres"] - spent
        if not line:
            raise RuntimeError("DBOS did not finish: its reason stands above")
        done = json.loads(line)
        asyncio.run(check(dsn, transfers))
        written = asyncio.run(_written(dsn))
    names = ("rows_inserted", "rows_updated", "commits")
    return {
        "transfers_per_second": round(transfers / done["seconds"], 1),
        "cpu_ms_per_transfer": {
            "program": round(done["cpu_seconds"] * 1000 / transfers, 2),
            "postgres": round(spent * 1000 / transfers, 2),
        },
        **{
            f"{name}_per_transfer": round((after - first) / transfers, 1)
            for name, first, after in zip(names, before, written, strict=True)
        },
    }


def of_jiexu(transfers: int) -> dict[str, Any]:
    """One turn of ours, as `jiexu bench` measures it."""
    command = [str(JIEXU), "bench", f"--transfers={transfers}", "--json"]
    with _program(command) as program:
        output, _ = program.communicate()
    if program.returncode:
        raise RuntimeError("jiexu bench has failed: its reason stands above")
    answer: dict[str, Any] = json.loads(output)
    if answer["closed"] != transfers or not answer["trial_balance"]["balanced"]:
        raise RuntimeError(f"jiexu bench: {answer}")
    return {name: answer[name] for name in ("transfers_per_second", "cpu_ms_per_transfer")}
