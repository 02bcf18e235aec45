"""What is owed and how banks write it: the stuff that stories of known truth are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from uuid import UUID, uuid5

from deploy.sandbox import people
from shared import names
from shared.messages import NAMESPACE
from shared.money import yuan
from shared.regions import Regions

DESTINATION = "450100"
FIRST_DAY = date(2026, 3, 2)
_DAYS = 60


@dataclass(frozen=True)
class Owed:
    """A transfer released by `origin`: announced at the destination, or, late, after its money."""

    transfer: UUID
    person: str
    name: str
    origin: str
    amount_fen: int
    released_on: date
    late: bool = False


@dataclass(frozen=True)
class Paid:
    """A bank line: its columns, whose money it is by transfer (empty: nobody's), and what it is."""

    kind: str
    row: dict[str, str]
    truth: dict[UUID, int]
    matchable: bool


@dataclass
class Story:
    """Everything of one seed: what is owed, and what comes in, in order."""

    owed: list[Owed] = field(default_factory=list)
    leaving: list[Owed] = field(default_factory=list)
    paid: list[Paid] = field(default_factory=list)


REMARKS = (
    "{name} 医保个人账户转移",
    "医疗保险关系转移 {name}",
    "个人账户余额划转（{name}）",
    "转移接续-{name}-职工医保",
    "姓名：{name} 基本医疗保险个人账户",
    "{name}个人帐户转出",
    "付职工{name}医疗账户余额",
    "转{name}医保款",
    "医保转出：{name}/跨省",
    "个人账户转移支出 {name} 2026年3月",
    "关于{name}同志医保关系转移的款项",
    "MEDICAL INSURANCE TRANSFER {name}",
)


class Teller:
    def __init__(self, random: Random, regions: Regions) -> None:
        self.random = random
        self.regions = regions
        self.origins = [r.code for r in regions.all if r.code != DESTINATION]
        self.story = Story()
        self.number = 0
        self.amounts: set[tuple[str, int]] = set()

    # --- what is owed -------------------------------------------------------------------------

    def owe(self, **given: object) -> Owed:
        self.number += 1
        random = self.random
        origin = random.choice(self.origins)
        fields = {
            "transfer": uuid5(NAMESPACE, f"matching {random.random()} {self.number}"),
            "person": f"{self.number:032x}",
            "name": people.name(random),
            "origin": origin,
            "amount_fen": self.amount(str(given.get("origin", origin))),
            "released_on": FIRST_DAY + timedelta(days=random.randrange(_DAYS)),
            "late": random.random() < 0.03,
            **given,
        }
        owed = Owed(**fields)  # type: ignore[arg-type]
        self.story.owed.append(owed)
        return owed

    def amount(self, origin: str) -> int:
        """One that no other claim on the origin has, unless a trap wants it so."""
        while True:
            amount_fen = max(people.balance_fen(self.random), 1_00) + self.random.randrange(100)
            if (origin, amount_fen) not in self.amounts:
                self.amounts.add((origin, amount_fen))
                return amount_fen

    # --- what comes in ------------------------------------------------------------------------

    def pay(
        self,
        kind: str,
        origin: str,
        amount_fen: int,
        truth: dict[UUID, int],
        *,
        matchable: bool,
        after: date = FIRST_DAY,
        **columns: str,
    ) -> None:
        random = self.random
        payer = self.regions.get(origin)
        assert payer is not None
        account = payer.bank.expense_account if random.random() < 0.6 else ""
        row = {
            "account": self._account,
            "entry_ref": f"L{len(self.story.paid):06d}",
            "booked_at": (after + timedelta(days=random.randrange(0, 45))).isoformat(),
            "direction": "credit",
            "amount": yuan(amount_fen),
            "currency": "CNY",
            "payer_name": random.choice(payer.bank.payer_names),
            "payer_account": account,
            **columns,
        }
        self.story.paid.append(Paid(kind, row, truth, matchable))

    @property
    def _account(self) -> str:
        own = self.regions.get(DESTINATION)
        assert own is not None
        return own.bank.income_account

    def referring(self, owed: Owed, name: str | None = None) -> dict[str, str]:
        """The columns of a line with a reference: in its field or in the remark."""
        written = self.written(owed.name) if name is None else name
        remark = self.random.choice(REMARKS).format(name=written)
        reference = owed.transfer.hex if self.random.random() < 0.7 else str(owed.transfer)
        if self.random.random() < 0.6:
            return {"end_to_end_id": reference, "remark": remark}
        return {"remark": f"{remark} {reference}"}

    def written(self, name: str) -> str:
        """A name as banks write it where the reference tells all: whole, Latin or damaged."""
        spelt: Sequence[Callable[[str], str]] = (str, str, str, _latin, self.damaged)
        return self.random.choice(spelt)(name)

    def damaged(self, name: str) -> str:
        place = self.random.randrange(len(name))
        return name[:place] + self.random.choice("?·") + name[place + 1 :]

    def pay_bare(self, kind: str, owed: Owed, written: str, *, matchable: bool) -> None:
        own_field = self.random.random() < 0.4
        remark = "医保个人账户转移" if own_field else self.random.choice(REMARKS)
        columns = {"remark": remark.format(name=written)}
        if own_field:
            columns["payee_name"] = written
        self.pay(
            kind, owed.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
            matchable=matchable, after=owed.released_on, **columns,
        )  # fmt: skip

    def owe_several(self) -> list[Owed]:
        origin = self.random.choice(self.origins)
        day = FIRST_DAY + timedelta(days=self.random.randrange(_DAYS))
        count = self.random.randrange(2, 6)
        return [self.owe(origin=origin, released_on=day, late=False) for _ in range(count)]

    def neighbour(self, name: str) -> str:
        place = self.random.randrange(1, len(name))
        other = self.random.choice([c for c in "伟芳娜敏静丽强磊" if c != name[place]])
        return name[:place] + other + name[place + 1 :]


def _latin(name: str) -> str:
    return names.pinyin(name).upper()
