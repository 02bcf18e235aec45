"""The people of one run: what happens to each, as the rows their registration systems send."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Literal

from deploy.sandbox import feed, stories
from deploy.sandbox.feed import Row
from deploy.sandbox.people import Person, people
from shared.regions import Regions

Channel = Literal["upstream", "post", "file"]
Kind = Literal[
    "exact", "short", "twice", "lump", "refused", "applied", "withdrawn", "unpaid"
]  # fmt: skip

KINDS: tuple[Kind, ...] = (
    "exact", "short", "twice", "lump", "lump", "refused", "applied", "withdrawn", "unpaid",
)  # fmt: skip
CHANNELS: tuple[Channel, ...] = ("upstream", "post", "file")
NANNING, ZHENGZHOU, HEFEI, BAODING = "450100", "410100", "340100", "130600"
# Zhengzhou pays single amounts, Hefei in a lump; at Baoding a clerk answers, so there is time to
# withdraw; Hefei starts on application.
CORRIDORS: Mapping[Kind, tuple[str, str]] = {
    "exact": (ZHENGZHOU, NANNING),
    "short": (ZHENGZHOU, NANNING),
    "twice": (ZHENGZHOU, NANNING),
    "unpaid": (ZHENGZHOU, NANNING),
    "refused": (ZHENGZHOU, NANNING),
    "lump": (HEFEI, NANNING),
    "applied": (ZHENGZHOU, HEFEI),
    "withdrawn": (BAODING, HEFEI),
}
BALANCE_FEN = 100_000


@dataclass(frozen=True, slots=True)
class Mover:
    """One person of a run: their rows in order, and what is sent only after the first of them
    are handled.
    """

    kind: Kind
    channel: Channel
    id_no: str
    rows: Sequence[Mapping[str, str]]
    later: Sequence[Mapping[str, str]] = ()

    @property
    def everything(self) -> list[Mapping[str, str]]:
        return [*self.rows, *self.later]


def movers(seed: str, today: date, regions: Regions) -> list[Mover]:
    """One person of each kind, two for the lump; the same from the same seed."""
    random = Random(seed)
    stage = stories.Stage(
        regions, today - timedelta(days=20), today - timedelta(days=10), _last_working(today), 1
    )
    folk = people(random, tuple(f"4101{n:02d}" for n in range(1, 90)))
    made = [
        _mover(random, stage, kind, replace(who, phone="13800000000"), f"{seed}-{n}")
        for n, (kind, who) in enumerate(zip(KINDS, folk, strict=False))
    ]
    random.shuffle(made)
    return made


def _last_working(today: date) -> date:
    day = today - timedelta(days=1)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return day


def _mover(random: Random, stage: stories.Stage, kind: Kind, who: Person, prefix: str) -> Mover:
    origin, destination = CORRIDORS[kind]
    mover = stories.Mover(
        prefix, who, origin, destination,
        old_type="employee", new_type="employee", balance=BALANCE_FEN,
    )  # fmt: skip
    rows = [*stories.history(random, stage, mover)]
    if kind != "refused":
        rows.append(stories.stop(random, stage, mover))
    rows += stories.arrival(random, stage, mover)
    later = []
    if kind == "withdrawn":
        at = rows[-1].at + timedelta(minutes=1)
        later = [Row(at, destination, "withdraw", who, {"scheme": "310"}, refers=mover.label)]
    numbered = feed.number([*rows, *later], stage.regions)
    records = sorted(
        (record for source in numbered.records.values() for record in source),
        key=lambda record: record["occurred_at"],
    )
    named = [_own_numbers(record, prefix) for record in records]
    return Mover(
        kind,
        random.choice(CHANNELS),
        who.id_no,
        named[: len(rows)],
        named[len(rows) :],
    )


def _own_numbers(record: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Numbers that no other run has."""
    numbers = {
        name: f"{prefix}-{record[name]}" for name in ("record_id", "refers_to") if name in record
    }
    return {name: text for name, text in {**record, **numbers}.items() if text}
