"""What becomes of a payment on its way: the trouble it meets, how long it takes, what is written.

The delays are of the size that people report: 60 % within 15 working days, 30 % within 45, 8 %
within 90, 2 % never. Each fate follows from a seed and the payment's own reference, so that the
order of payments changes nothing.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pypinyin import lazy_pinyin

from shared import messages, names

TROUBLES = (
    *("none", "short", "over", "partial", "lump", "duplicate", "returned", "never"),
    *("rejected", "reversed", "taken-back"),
)
TAKEN_BACK = {"reversed": "reverse", "taken-back": "take-back"}
_AGAIN_DAYS, _RETURN_DAYS = 3, 2
WRITINGS = ("reference", "remark", "name", "pinyin", "typo", "damaged", "nothing")

_TROUBLES = {"none": 86.5, "short": 1.5, "over": 1.5, "partial": 3.0, "lump": 5.5,
             "duplicate": 1.0, "returned": 1.0}  # fmt: skip
# Of those that meet no other.
_MORE_TROUBLES = {"none": 98.5, "rejected": 1.0, "reversed": 0.5}
# How a statement comes: as it should, twice, after that of the next day, after a notice.
_MAILS = {"": 90.0, "twice": 3.0, "late": 3.0, "noticed": 4.0}
_WRITINGS = {"reference": 70.0, "remark": 15.0, "name": 9.0, "pinyin": 2.0, "typo": 1.5,
             "damaged": 1.5, "nothing": 1.0}  # fmt: skip
_ANNOUNCED = 0.5
# Share, first and last working day.
_DELAYS = ((0.60, 1, 15), (0.30, 16, 45), (0.08, 46, 90))
# One character in the place of another that looks or sounds like it.
_TYPOS = dict(zip("伟芳娜敏静强磊军洋勇艳杰涛明超秀霞平刚桂英华玉红健文辉建玲燕宇浩欣雨子",
                  "玮方那闽净墙雷均羊永燕节滔名朝绣侠萍钢贵瑛花王虹建纹晖健铃艳雨皓新宇籽",
                  strict=True))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fate:
    """Trouble, delay in working days (None: it never comes), and how the case is written."""

    trouble: str
    days: int | None
    writing: str


PROMPT = Fate("none", 1, "reference")


@dataclass(frozen=True, slots=True)
class Temper:
    """How a bank is: `troubles` and `delays` as in the world, or prompt and exact."""

    seed: int
    realistic: bool = True
    orders: Mapping[str, Fate] | None = None

    def fate(self, reference: str, attempt: int) -> Fate:
        """What becomes of the n-th payment with this reference; what is ordered goes first."""
        if attempt == 1 and self.orders and reference in self.orders:
            return self.orders[reference]
        # What was paid wrongly once is watched: a second payment comes soon and as it should.
        if attempt > 1:
            return PROMPT
        if not self.realistic:
            return Fate("none", 0, "reference")
        random = Random(f"{self.seed}:{reference}")
        days = _delay(random)
        trouble = "never" if days is None else _drawn(random, _TROUBLES)
        writing = _drawn(random, _WRITINGS)
        if trouble == "none":
            trouble = _drawn(Random(f"{self.seed}:{reference}:more"), _MORE_TROUBLES)
        return Fate(trouble, days, writing)

    def mail(self, statement: str) -> str:
        """How a statement comes."""
        if not self.realistic:
            return ""
        return _drawn(Random(f"{self.seed}:{statement}:mail"), _MAILS)

    def announces(self, reference: str) -> bool:
        """Whether the bank says that a payment comes back before its statement shows it."""
        return self.realistic and Random(f"{self.seed}:{reference}:back").random() < _ANNOUNCED


def steps(
    temper: Temper, fate: Fate, reference: str, amount_fen: int
) -> Iterator[tuple[str, int, int]]:
    """What the bank does with a payment of such a fate: which kind of act, after how many working
    days, and of how much.
    """
    days, trouble, seed = fate.days, fate.trouble, temper.seed
    if days is None or trouble == "never":
        return
    if trouble == "rejected":
        yield "reject", 1, amount_fen
        return
    if trouble == "partial":
        for later, part in enumerate(split(seed, reference, amount_fen)):
            yield "part", days + later, part
        return
    if trouble in ("short", "over"):
        amount_fen = wrong_amount(seed, reference, amount_fen, trouble)
    yield "pay", days, amount_fen
    if trouble == "duplicate":
        yield "again", days + _AGAIN_DAYS, amount_fen
    if trouble == "returned":
        yield "return", days + _RETURN_DAYS, amount_fen
        if temper.announces(reference):
            yield "announce", days + 1, amount_fen
    if kind := TAKEN_BACK.get(trouble):
        yield kind, days + 1, amount_fen


def _drawn(random: Random, weights: Mapping[str, float]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def _delay(random: Random) -> int | None:
    point = random.random()
    for share, first, last in _DELAYS:
        if point < share:
            return random.randint(first, last)
        point -= share
    return None


def wrong_amount(seed: int, reference: str, amount_fen: int, trouble: str) -> int:
    """What arrives in the place of `amount_fen`: one to twenty percent too little or too much."""
    percent = Random(f"{seed}:{reference}:amount").randint(1, 20)
    difference = max(1, amount_fen * percent // 100)
    return amount_fen - difference if trouble == "short" else amount_fen + difference


def split(seed: int, reference: str, amount_fen: int) -> list[int]:
    """The two or three parts in which an amount arrives."""
    random = Random(f"{seed}:{reference}:parts")
    count = min(random.choice((2, 3)), amount_fen)
    cuts = sorted(random.sample(range(1, amount_fen), count - 1)) if count > 1 else []
    return [b - a for a, b in zip([0, *cuts], [*cuts, amount_fen], strict=True)]


def written(fate: Fate, reference: str, name: str) -> tuple[str, str]:
    """The reference and the remark that the destination's bank shows."""
    shown = {
        "reference": (reference, f"个人账户转移 {name}"),
        "remark": ("", f"医保转移接续 {name} 案号{reference}"),
        "name": ("", f"个人账户转移资金 {name}"),
        "pinyin": ("", f"YIBAO ZHUANYI {' '.join(lazy_pinyin(name)).upper()}"),
        "typo": ("", f"个人账户转移资金 {_mistyped(name)}"),
        "damaged": ("", f"个人账户转移资金 {name[:-1]}?"),
        "nothing": ("", "转移资金"),
    }
    return shown[fate.writing]


def _mistyped(name: str) -> str:
    for place in range(len(name) - 1, 0, -1):
        if name[place] in _TYPOS:
            return name[:place] + _TYPOS[name[place]] + name[place + 1 :]
    return name[::-1]


def name_in(remark: str, reference: str) -> str:
    """The payee's name in an instruction's remark: what stands there besides the case number."""
    remark = remark.replace(reference, " ")
    found = [form for form in names.candidates(remark) if form.startswith("n:")]
    return found[0].removeprefix("n:") if found else ""


def read_orders(path: Path) -> dict[str, Fate]:
    """The fates that a `bank.csv` orders, by the reference of the payment."""
    with path.open(encoding="utf-8", newline="") as file:
        return dict(map(_order, csv.DictReader(file)))


def _order(row: Mapping[str, str]) -> tuple[str, Fate]:
    transfer = messages.transfer_uuid(row["source"], row["record_id"])
    if row["trouble"] not in TROUBLES or row["writing"] not in WRITINGS:
        raise ValueError(f"bank.csv knows no {row['trouble']} or {row['writing']}")
    days = int(row["days"]) if row["days"] else None
    return transfer.hex, Fate(row["trouble"], days, row["writing"])


def write_orders(path: Path, orders: Iterable[tuple[str, str, Fate]]) -> None:
    """Write fates by source and record id as a `bank.csv`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("source", "record_id", "trouble", "days", "writing"))
        for source, record_id, fate in orders:
            days = "" if fate.days is None else fate.days
            writer.writerow((source, record_id, fate.trouble, days, fate.writing))
