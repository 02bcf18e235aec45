"""`python -m tests.matching.lines`: bank lines a second against a million open advances, through
the books' own load, decide and save on a real PostgreSQL, a batch a transaction.

`--profile` says where the time goes.
"""

import argparse
import asyncio
import cProfile
import pstats
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import asyncpg

from deploy.embedded import stack as embedded
from deploy.migrations.__main__ import upgrade
from deploy.sandbox import people
from services.settlement.app import Settlement
from services.settlement.bank_commands import OwnAccount, commands_of, entries_of
from services.settlement.lines import Line, Payment, Statement, distinct
from shared import names
from shared.calendar import SHANGHAI
from shared.decision import Delivery
from shared.messages import Command, Message
from shared.regions import Regions, load
from shared.sealing import Keyring, seal
from shared.settings import Settings
from tests.integration.drive import connect
from tests.matching.run import KEYRING
from tests.matching.teller import DESTINATION, FIRST_DAY

_AT = datetime(2026, 3, 20, 9, tzinfo=SHANGHAI)
_BARE_SHARE = 0.3
_NAMES = 20_000


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


def lines_of(
    random: Random, found: Sequence[Open], regions: Regions, key: bytes
) -> Iterator[Message]:
    """A bank line for each: with a reference, or, three in ten, with payer, name and amount."""
    own = OwnAccount(DESTINATION, "income")
    for number, one in enumerate(found):
        payer = regions.get(one.origin)
        assert payer is not None
        bare = random.random() < _BARE_SHARE
        payment = Payment(
            amount_fen=one.amount_fen,
            references=() if bare else (one.transfer,),
            end_to_end_id="" if bare else one.transfer.hex,
            payer_name=payer.bank.payer_names[0],
            payer_account=payer.bank.expense_account,
            payee_name=one.name,
            remark="医保个人账户转移",
        )
        line = Line(
            f"B{number}", str(number), True, one.amount_fen, _AT.date(), None, False, False,
            (payment,),
        )  # fmt: skip
        statement = Statement("csv", "bench", "", (line,))
        entries = entries_of(own, statement, distinct(statement).values())
        sent, _ = commands_of(entries, {}, regions, KEYRING, {f"{_AT:%Y-%m}": key})
        yield sent[0][1]


async def pour(
    db: asyncpg.Connection, books: Settlement, messages: Sequence[Message], size: int
) -> tuple[float, list[Message], Counter[str]]:
    """All messages, a batch a transaction: seconds, what the books tell themselves, and events."""
    own: list[Message] = []
    said: Counter[str] = Counter()
    spent: defaultdict[str, float] = defaultdict(float)
    begun = time.perf_counter()
    for start in range(0, len(messages), size):
        batch = [
            Delivery(id_ := uuid4(), m.key, m, _AT, _AT, id_)
            for m in messages[start : start + size]
        ]
        async with db.transaction():
            marks = [time.perf_counter()]
            states = await books.load(db, batch)
            marks.append(time.perf_counter())
            changes: dict[Hashable, object] = {}
            for delivery in batch:
                decision = books.decide(states, delivery)
                states.update(decision.changes)
                changes.update(decision.changes)
                own += [m for m in decision.out if isinstance(m, Command)]
                said.update(m.type for m in decision.out)
            marks.append(time.perf_counter())
            await books.save(db, changes)
            marks.append(time.perf_counter())
        marks.append(time.perf_counter())
        for name, one, other in zip(
            ("load", "decide", "save", "commit"), marks, marks[1:], strict=False
        ):
            spent[name] += other - one
    _say("    " + " ".join(f"{name} {seconds:.1f} s" for name, seconds in spent.items()))
    return time.perf_counter() - begun, own, said


async def measure(dsn: str, given: argparse.Namespace) -> None:
    """Fills the books, and pours the lines into them."""
    regions, random = load(Settings().regions), Random(1)
    found = advances(random, given.claims, regions)
    paid = random.sample(found, given.lines)
    owner = await asyncpg.connect(dsn)
    begun = time.perf_counter()
    await fill(owner, found, {one.person for one in paid})
    _say(f"{len(found)} open advances in {time.perf_counter() - begun:.0f} s")
    keyring: Keyring = KEYRING
    async with owner.transaction():
        await owner.execute("SET LOCAL search_path = settlement")
        key = await keyring.statement_key(owner, f"{_AT:%Y-%m}")
    lines = list(lines_of(random, paid, regions, key))
    _say(f"{len(lines)} lines read")
    db = await connect(dsn)
    books = Settlement(regions, keyring)
    profile = cProfile.Profile()
    if given.profile:
        profile.enable()
    for name in ("lines", "apply-receipt"):
        seconds, own, said = await pour(db, books, lines, given.batch)
        _say(f"{name}: {len(lines) / seconds:,.0f} a second ({seconds:.1f} s) {dict(said)}")
        lines = own
    profile.disable()
    if given.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
    await owner.close()
    await db.close()


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
        asyncio.run(measure(running.database, given))
    finally:
        embedded.down(home, lambda _: None)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
