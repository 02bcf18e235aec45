"""Who is in the demo: how many live which story, so that every outcome is reached.

`python -m deploy.sandbox.cast FOLDER [--people N] [--seed S]` writes the feeds and the orders to
the bank; those under `input/` were written this way and may be changed by hand.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from random import Random

from deploy.sandbox import amendments, fates, feed, stories
from deploy.sandbox.amendments import Amendment
from deploy.sandbox.fates import Fate
from deploy.sandbox.feed import Row
from deploy.sandbox.people import people
from deploy.sandbox.stories import EMPLOYEE, RESIDENT, Mover, Stage
from shared import regions
from shared.settings import Settings

SEED, PEOPLE = 20260302, 450
STAGE_DAYS = 10
OPENED, STOPPED, FIRST = date(2026, 2, 26), date(2026, 2, 27), date(2026, 3, 2)

SHIJIAZHUANG, BAODING, HEFEI = "130100", "130600", "340100"
ZHENGZHOU, NANNING, GUILIN = "410100", "450100", "450300"
_HEBEI = {SHIJIAZHUANG, BAODING}
_MIX = {(EMPLOYEE, EMPLOYEE): 80, (EMPLOYEE, RESIDENT): 8, (RESIDENT, EMPLOYEE): 10,
        (RESIDENT, RESIDENT): 2}  # fmt: skip
_GAPS = {0: 70, 2: 8, 3: 7, 4: 5, 6: 10}
_SPENDER_SHARE, _CONTRIBUTOR_SHARE = 0.10, 0.15
# More than one advance may be, as the region files have it; awaits its funds instead.
_TOO_MUCH_FEN = 68_000_00
_ENOUGH_FEN = 3_000_00

Story = Callable[[Random, Stage, Mover], Iterator[Row]]


@dataclass(frozen=True, slots=True)
class Part:
    """A story that must be there: how many live it, between which regions, and the bank's part."""

    name: str
    count: int
    story: Story
    origin: str
    destination: str
    mover: dict[str, object]
    fate: Fate | None = None
    day: int = 0
    """The working day on which the first of them moves."""


def never_stopped(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """Still covered at the origin."""
    yield from stories.history(random, stage, who)
    yield from stories.arrival(random, stage, who)


def stopped_late(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """Covered at the origin until some days after: the stop opens the transfer anew."""
    yield from never_stopped(random, stage, who)
    yield stories.stop(random, stage, who, stories.day_of(stage, who.day + 3))


def unknown(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """Names an origin that never heard of them."""
    yield from stories.arrival(random, stage, who)


def in_arrears(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """A month at the origin is due and unpaid."""
    yield from stories.history(random, stage, who)
    paid = stories.contribution(random, replace(who, destination=who.origin), stage.opened)
    owed = {"month": "2026-02", "amount": "", "paid_on": ""}
    at = stories.moment(random, stage.stopped, 8, 9)
    yield replace(paid, at=at, fields={**paid.fields, **owed})
    yield stories.stop(random, stage, who)
    yield from stories.arrival(random, stage, who)


def withdrawn(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """Changes their mind at once, before the origin has answered."""
    for row in stories.move(random, stage, who):
        yield row
        if row.action == "apply":
            yield Row(
                row.at + timedelta(seconds=1),
                who.destination,
                "withdraw",
                who.person,
                {"applicant": "person", "reason": "stays after all"},
                refers=who.label,
            )


def two_places(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """Enrolls at two destinations within minutes: one gets the record."""
    yield from stories.move(random, stage, who)
    second = replace(who, label=f"{who.label}/2", destination=GUILIN)
    yield from stories.arrival(random, stage, second)


def dies_before(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """Dies before the enrollment, of which a slow employer tells later."""
    yield from stories.history(random, stage, who)
    yield stories.stop(random, stage, who)
    yield stories.death(random, who, stage.stopped + timedelta(days=1), who.origin)
    yield from stories.arrival(random, stage, replace(who, day=max(who.day, 2)))


def dies_after(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """Dies some days after the advance."""
    yield from stories.move(random, stage, who)
    yield stories.death(random, who, stories.day_of(stage, who.day + 2), who.destination)


def moves_on(random: Random, stage: Stage, who: Mover, to: str = GUILIN) -> Iterator[Row]:
    """A to B to C before A has paid."""
    yield from stories.move(random, stage, who)
    yield from stories.onward(random, stage, who, to, 3)


def settles(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """Moves, then pays in and spends as people do."""
    yield from stories.move(random, stage, who)
    later = stories.day_of(stage, who.day + random.randint(3, 12))
    both = who.scheme == who.new_scheme == EMPLOYEE
    if both and random.random() < _SPENDER_SHARE:
        yield stories.purchase(random, who, later, random.randint(5_00, 90_00))
    if who.new_scheme == EMPLOYEE and random.random() < _CONTRIBUTOR_SHARE:
        yield stories.contribution(random, who, date(2026, 4, random.randint(7, 17)))


def spends_all(random: Random, stage: Stage, who: Mover) -> Iterator[Row]:
    """Spends nearly all at once; later the origin finds that it was too much."""
    for row in stories.move(random, stage, who):
        yield replace(row, label=f"{who.label}{_OPENING}") if row.action == "open" else row
    yield stories.purchase(random, who, stories.day_of(stage, who.day + 3), _SPENT_FEN)
    yield stories.contribution(random, who, date(2026, 4, 20))


_OPENING = "/open"
_SPENT_FEN, _TRUE_BALANCE, _FOUND_OUT = 2_900_00, "2000.00", date(2026, 4, 10)
_RICH = {"balance": _TOO_MUCH_FEN, "new_type": "employee"}
_SOUND = {"balance": _ENOUGH_FEN, "new_type": "employee"}
_LARGE = {"balance": 18_000_00, "new_type": "employee"}
_NAMESAKES = {"balance": 2_500_00, "new_type": "employee"}
_NEXT_YEAR = {"plan_year": "2027", "month": ""}


def _bank(trouble: str, days: int | None, writing: str = "reference") -> Fate:
    return Fate(trouble, days, writing)


PARTS: tuple[Part, ...] = (
    Part("papers-missing", 4, stories.move, ZHENGZHOU, NANNING,
         {"new_type": "flexible", "permit": "no"}),
    Part("stopped-late", 5, stopped_late, ZHENGZHOU, GUILIN, {}),
    Part("never-stopped", 3, never_stopped, HEFEI, NANNING, {}),
    Part("retiree", 3, stories.move, SHIJIAZHUANG, NANNING, {"old_type": "retiree"}),
    Part("unknown-at-origin", 3, unknown, BAODING, NANNING, {}),
    Part("in-arrears", 3, in_arrears, HEFEI, ZHENGZHOU, {"gap": 1}),
    Part("withdrawn", 5, withdrawn, BAODING, ZHENGZHOU, {}),
    Part("two-places", 4, two_places, ZHENGZHOU, NANNING, {"new_type": "employee"}),
    Part("not-needed", 4, stories.move, SHIJIAZHUANG, BAODING, {}),
    Part("not-needed-back", 2, stories.move, BAODING, SHIJIAZHUANG, {}),
    Part("paid-out", 4, stories.move, HEFEI, ZHENGZHOU,
         {"new_scheme": RESIDENT, "balance": _ENOUGH_FEN}),
    Part("no-account", 4, stories.move, NANNING, HEFEI, {"new_type": "flexible"}),
    Part("dies-before", 3, dies_before, GUILIN, NANNING, {}),
    Part("dies-after", 3, dies_after, ZHENGZHOU, NANNING, _SOUND, _bank("none", 12)),
    Part("moves-on", 5, moves_on, HEFEI, NANNING, _SOUND, _bank("none", 14)),
    Part("too-much", 3, stories.move, ZHENGZHOU, NANNING, _RICH, _bank("never", None)),
    Part("too-much-paid", 2, stories.move, HEFEI, GUILIN, _RICH, _bank("none", 20)),
    Part("this-year", 2, stories.move, ZHENGZHOU, HEFEI,
         {"scheme": RESIDENT, "new_scheme": RESIDENT, "enroll": {"plan_year": "2026"}}),
    Part("short", 4, stories.move, HEFEI, ZHENGZHOU, _SOUND, _bank("short", 9)),
    Part("over", 4, stories.move, BAODING, NANNING, _SOUND, _bank("over", 11)),
    Part("never-paid", 4, stories.move, SHIJIAZHUANG, GUILIN, _SOUND, _bank("never", None)),
    Part("in-parts", 4, stories.move, NANNING, GUILIN, _SOUND, _bank("partial", 6)),
    Part("returned", 3, stories.move, GUILIN, ZHENGZHOU, _SOUND, _bank("returned", 5)),
    Part("paid-twice", 3, stories.move, ZHENGZHOU, SHIJIAZHUANG, _SOUND, _bank("duplicate", 8)),
    Part("together", 8, stories.move, ZHENGZHOU, GUILIN, _SOUND, _bank("lump", 7)),
    Part("remark", 2, stories.move, HEFEI, BAODING, _SOUND, _bank("none", 5, "remark")),
    Part("rejected", 1, stories.move, HEFEI, BAODING, _SOUND, _bank("rejected", 1)),
    Part("reversed", 1, stories.move, HEFEI, BAODING, _SOUND, _bank("reversed", 5)),
    Part("name-only", 4, stories.move, NANNING, ZHENGZHOU, {"new_type": "employee"},
         _bank("none", 10, "name")),
    Part("pinyin", 3, stories.move, GUILIN, HEFEI, {"new_type": "employee"},
         _bank("none", 13, "pinyin")),
    Part("typo", 3, stories.move, ZHENGZHOU, BAODING, {}, _bank("none", 12, "typo")),
    Part("damaged", 3, stories.move, BAODING, GUILIN, {}, _bank("none", 15, "damaged")),
    Part("namesakes", 4, stories.move, SHIJIAZHUANG, ZHENGZHOU, _NAMESAKES,
         _bank("none", 10, "name")),
    Part("spends-all", 2, spends_all, ZHENGZHOU, NANNING, _SOUND, _bank("none", 40)),
    # Baoding pays Hefei so late that Hefei advances nothing for a while.
    Part("paid-late", 8, stories.move, BAODING, HEFEI, _LARGE, _bank("none", 30)),
    Part("suspended", 3, stories.move, BAODING, HEFEI, _SOUND, _bank("none", 35), day=26),
    # From April on what moves inside Guangxi is netted month by month.
    Part("netted", 8, stories.move, GUILIN, NANNING, _SOUND, day=24),
    Part("netted-back", 5, stories.move, NANNING, GUILIN, _SOUND, day=26),
    Part("netted-in-may", 4, stories.move, GUILIN, NANNING, _SOUND, day=46),
)  # fmt: skip


def play(random: Random, stage: Stage, count: int) -> tuple[list[Row], dict[str, Fate]]:
    """The rows of `count` people, and what the bank is ordered to do by label."""
    every = {region.code for region in stage.regions.all}
    persons = people(random, tuple(sorted(every)))
    rows: list[Row] = []
    orders: dict[str, Fate] = {}
    for part in PARTS:
        name = ""
        for index in range(part.count):
            person = next(persons)
            # Two and two have one name: without a reference nobody can tell whose money it is.
            if part.name == "namesakes" and index % 2:
                person = replace(person, name=name)
            name = person.name
            who = Mover(f"{part.name}-{index + 1}", person, part.origin, part.destination,
                        day=part.day + index % stage.days, **part.mover)  # type: ignore[arg-type] # fmt: skip
            rows += part.story(random, stage, who)
            if part.fate is not None:
                orders[who.label] = part.fate
    corridors = _corridors(sorted(every))
    for index in range(count - sum(part.count for part in PARTS)):
        who = _anyone(random, stage, Mover(f"anyone-{index + 1}", next(persons), *next(corridors)))
        rows += settles(random, stage, who)
    return rows, orders


def _anyone(random: Random, stage: Stage, who: Mover) -> Mover:
    schemes = random.choices(list(_MIX), list(_MIX.values()))[0]
    return replace(
        who,
        scheme=schemes[0],
        new_scheme=schemes[1],
        day=random.randrange(stage.days),
        gap=random.choices(list(_GAPS), list(_GAPS.values()))[0],
        enroll=_NEXT_YEAR if schemes == (RESIDENT, RESIDENT) else {},
    )


def _corridors(codes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """All ordered pairs in turn; those inside Hebei, where nothing is to do, only once in four."""
    pairs = [(a, b) for b in codes for a in codes if a != b]
    for turn, pair in enumerate(cycle(pairs)):
        if {*pair} != _HEBEI or turn // len(pairs) % 4 == 0:
            yield pair


def damaged(records: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Rows as no system should send them: they are answered and harm nobody."""
    first = next(one for one in records if one["action"] == "open")
    wrong_check = first["id_no"][:-1] + ("1" if first["id_no"][-1] != "1" else "2")
    return [
        {**first, "record_id": "bad-1", "id_no": wrong_check},
        {**first, "record_id": "bad-2", "months": "2026-13..2026-14"},
        {**first, "record_id": "bad-3", "balance": "-20.00"},
        {**first, "record_id": "bad-4", "region": "999999"},
        first,
        {**first, "balance": "99999.00"},
    ]


def write(folder: Path, seed: int = SEED, count: int = PEOPLE) -> None:
    """Write feeds and `bank.csv` to the folder."""
    stage = Stage(regions.load(Settings().regions), OPENED, STOPPED, FIRST, STAGE_DAYS)
    rows, orders = play(Random(seed), stage, count)
    feeds = feed.number(rows, stage.regions)
    records = dict(feeds.records)
    records["ha-hrss"] = [*records["ha-hrss"], *damaged(records["ha-hrss"])]
    folder.mkdir(parents=True, exist_ok=True)
    feed.write(folder, feed.Feeds(records, feeds.labels))
    fates.write_orders(
        folder / "bank.csv", ((*feeds.labels[label], fate) for label, fate in orders.items())
    )
    amendments.write(folder / "amendments.csv", _amended(feeds.labels))


def _amended(labels: Mapping[str, tuple[str, str]]) -> Iterator[Amendment]:
    for label, record in labels.items():
        if label.endswith(_OPENING):
            start = labels[label.removesuffix(_OPENING)]
            yield Amendment(_FOUND_OUT, ZHENGZHOU, record, _TRUE_BALANCE, start)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    write(chosen.folder, chosen.seed, chosen.people)
