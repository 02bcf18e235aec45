"""`python -m tests.matching.lines`: bank lines a second against a million open advances.

A bank's CSV is read through the service's own edge into the outbox; its messages go through the
chassis (inbox, books, journal, outbox), a batch a transaction, and so do the commands that the
books then send themselves. Kafka alone is left out: what would lie there waits in memory.
`--profile` says where the time goes.
"""

import argparse
import cProfile
import gc
import pstats
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from uuid import UUID

import asyncpg
import uvloop

from deploy.embedded import stack as embedded
from deploy.migrations.__main__ import upgrade
from deploy.sandbox import people
from services.settlement import statements
from services.settlement.app import Settlement
from shared import lanes, names, outbox, upkeep
from shared.calendar import SHANGHAI
from shared.dead_letters import Record
from shared.decision import Delivery, States
from shared.deliver import Place, deliver
from shared.messages import Message
from shared.money import yuan
from shared.outbox import Sent
from shared.regions import Regions, load
from shared.sealing import seal
from shared.settings import Holder, Settings
from tests.integration.desk import HEADER, INCOME, Desk, desk_at, row
from tests.matching.run import KEYRING
from tests.matching.teller import DESTINATION, FIRST_DAY

_AT = datetime(2026, 3, 20, 9, tzinfo=SHANGHAI)
_BARE_SHARE = 0.3
_NAMES = 20_000
_OF_A_FILE = 50_000
_PARTITIONS = 4
_PLACE = Place(lambda _: "cn", _PARTITIONS)
_TOPIC = "cn.settlement.commands"


@dataclass(frozen=True, slots=True)
class Open:
    """One open advance."""

    person: str
    transfer: UUID
    origin: str
    name: str
    amount_fen: int


def advances(random: Random, count: int, regions: Regions) -> list[Open]:
    """So many open advances of one destination, on all origins."""
    origins = [region.code for region in regions.all if region.code != DESTINATION]
    known = [people.name(random) for _ in range(_NAMES)]
    return [
        Open(
            f"{number:032x}",
            UUID(int=random.getrandbits(128)),
            random.choice(origins),
            random.choice(known),
            random.randrange(100_00, 20_000_00),
        )
        for number in range(count)
    ]


async def fill(owner: asyncpg.Connection, found: Sequence[Open], read: set[str]) -> None:
    """The advances as rows, by COPY; names are sealed for those whose lines must be read."""
    keys = {name: KEYRING.blind(names.forms(name)) for name in {one.name for one in found}}
    sealed: dict[str, str] = {}
    for start in range(0, len(found), 50_000):
        some = [one for one in found[start : start + 50_000] if one.person in read]
        made = await KEYRING.create_person_keys(owner, [one.person for one in some])
        sealed |= {one.person: seal(made[one.person], {"name": one.name}) for one in some}
    await owner.copy_records_to_table(
        "holders", schema_name="settlement",
        columns=("person", "region", "account", "personal_credit_fen", "sealed", "name_keys"),
        records=(
            (o.person, DESTINATION, True, o.amount_fen, sealed.get(o.person), keys[o.name])
            for o in found
        ),
    )  # fmt: skip
    await owner.copy_records_to_table(
        "claims", schema_name="settlement",
        columns=("person", "transfer", "region", "origin", "opened_at", "announced_on",
                 "released_on", "versions", "announced_fen", "credited_fen", "open_fen", "advance"),
        records=(
            (o.person, o.transfer, DESTINATION, o.origin, _AT, FIRST_DAY, FIRST_DAY, [1],
             o.amount_fen, o.amount_fen, o.amount_fen, True)
            for o in found
        ),
    )  # fmt: skip
    await owner.execute(
        "INSERT INTO settlement.corridors (origin, destination, open_fen, claims)"
        " SELECT origin, region, sum(open_fen), count(*) FROM settlement.claims GROUP BY 1, 2;"
        "INSERT INTO settlement.ages SELECT origin, region, announced_on, sum(open_fen), count(*)"
        " FROM settlement.claims GROUP BY 1, 2, 3;"
        "INSERT INTO settlement.balances SELECT region, 'advance:' || origin, sum(open_fen), 0"
        " FROM settlement.claims GROUP BY 1, 2;"
        "ANALYZE settlement.holders; ANALYZE settlement.claims"
    )


def files(random: Random, found: Sequence[Open], regions: Regions) -> Iterator[bytes]:
    """A line for each: with a reference, or, three in ten, with payer, name and amount."""
    for start in range(0, len(found), _OF_A_FILE):
        rows = [HEADER]
        for number, one in enumerate(found[start : start + _OF_A_FILE], start):
            payer = regions.get(one.origin)
            assert payer is not None
            told = {} if random.random() < _BARE_SHARE else {"end_to_end_id": one.transfer.hex}
            rows.append(
                row(
                    f"B{number}", yuan(one.amount_fen), account=INCOME,
                    payer_name=payer.bank.payer_names[0], payer_account=payer.bank.expense_account,
                    payee_name=one.name, remark="医保个人账户转移", **told,
                )
            )  # fmt: skip
        yield ("\n".join(rows) + "\n").encode()


class Edge(Desk):
    """The service's edge, with an outbox."""

    async def send(self, db: asyncpg.Connection, messages: Sequence[tuple[UUID, Message]]) -> None:
        await upkeep.send(db, messages, _PLACE, await self.now(db), lambda *_: None)


class Timed(Settlement):
    """The books, with a clock at each of their functions."""

    def __init__(self, regions: Regions) -> None:
        super().__init__(regions, KEYRING)
        self.spent: defaultdict[str, float] = defaultdict(float)

    async def load(self, db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
        begun = time.perf_counter()
        states = await super().load(db, batch)
        self.spent["load"] += time.perf_counter() - begun
        self.spent["decide"] -= time.perf_counter()
        return states

    async def save(self, db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
        begun = time.perf_counter()
        self.spent["decide"] += begun
        await super().save(db, changes)
        self.spent["save"] += time.perf_counter() - begun


@dataclass
class Topic:
    """What would lie in Kafka: records, numbered by partition."""

    waiting: list[Record] = field(default_factory=list)
    offsets: Counter[int] = field(default_factory=Counter)

    def put(self, sent: Sequence[Sent]) -> Counter[str]:
        """Keeps the commands; counts all by type."""
        for one in sent:
            if one.topic == _TOPIC:
                headers = dict(one.headers("bench"))
                n, at_ms = one.partition, int(one.sent_at.timestamp() * 1000)
                offset = self.offsets[n]
                self.offsets[n] += 1
                record = Record(_TOPIC, n, offset, at_ms, one.key, headers, one.body)
                self.waiting.append(record)
        return Counter(one.type for one in sent)

    def take(self) -> list[Record]:
        taken, self.waiting = self.waiting, []
        return taken


async def pour(db: asyncpg.Connection, topic: Topic, books: Timed, size: int) -> None:
    """All that waits, a batch a transaction; what the books tell themselves waits then."""
    epochs = {lane.name: lane.epoch for lane in await lanes.take_over(
        db, [f"{_TOPIC}/{n}" for n in range(_PARTITIONS)], "bench")}  # fmt: skip
    said: Counter[str] = Counter()
    records = topic.take()
    books.spent.clear()
    begun = _now()
    for start in range(0, len(records), size):
        done = await deliver(books, _PLACE, db, epochs, {}, records[start : start + size])
        assert not done.refused
        said += topic.put(done.sent)
        # As the service does after a batch.
        gc.collect(0)
    _tell(records[0].type, len(records), begun)
    _say("    " + " ".join(f"{name} {seconds:.1f} s" for name, seconds in books.spent.items()))
    _say(f"    {dict(said)}")


async def read(edge: Edge, given: Sequence[bytes], lines: int) -> Topic:
    """The files through the edge, and its outbox into what stands for Kafka."""
    begun = _now()
    for body in given:
        await statements.take(edge, body, Holder(holder="t", regions=frozenset({"*"})))
    _tell("read", lines, begun)
    topic = Topic()
    lane = {f"intake/{n}": 0 for n in range(_PARTITIONS)}
    async with edge.pool.acquire() as db:
        topic.put(await outbox.beyond(db, lane, limit=lines + 1))
    return topic


async def measure(dsn: str, home: Path, given: argparse.Namespace) -> None:
    """Fills the books, and pours the lines into them."""
    regions, random = load(Settings().regions), Random(1)
    found = advances(random, given.claims, regions)
    paid = random.sample(found, given.lines)
    profile = cProfile.Profile()
    async with desk_at(dsn, home) as desk:
        await fill(desk.owner, found, {one.person for one in paid})
        _say(f"{len(found)} open advances")
        edge = Edge(desk.pool, desk.owner, desk.settings, keyring=KEYRING, regions=regions)
        bodies = list(files(random, paid, regions))
        async with edge.pool.acquire() as db:
            await upkeep.keep_partitions(db, 14, 14)
        del found, paid
        gc.disable()  # as the chassis does
        gc.freeze()
        if given.profile:
            profile.enable()
        begun = _now()
        topic, books = await read(edge, bodies, given.lines), Timed(regions)
        async with edge.pool.acquire() as db:
            while topic.waiting:
                await pour(db, topic, books, given.batch)
        profile.disable()
        _tell("all of it", given.lines, begun)
    if given.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _tell(what: str, count: int, begun: tuple[float, float]) -> None:
    seconds, cpu = (now - then for now, then in zip(_now(), begun, strict=True))
    _say(f"{what}: {count / seconds:,.0f} a second, {1e6 * cpu / count:.0f} µs of CPU each")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.matching.lines")
    parser.add_argument("--claims", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="jiexu-lines-"))
    try:
        running = embedded.up(home, services=(), report=lambda _: None)
        upgrade(running.database)
        uvloop.run(measure(running.database, home, given))
    finally:
        embedded.down(home, lambda _: None)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
