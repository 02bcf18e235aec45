"""Bank lines whose truth is known: who was paid, and whether a careful clerk could tell.

Troubles as spread in real statements, times five, and traps on top: twins (same name, origin and
amount), homophones and names one character apart, swapped names, references of others, transfers
that nobody pays while money that looks like theirs comes. All of it follows from a seed.

A line is `matchable` when a clerk with the books and the line alone could say for certain whose it
is: it carries the reference of a transfer and no other person's name; or, without a reference, it
names a payer that is known, the exact amount of an open claim on it, and a name that is that of
the claim's person and could be no other's (whole, in Latin letters, or with one character lost),
where no other claim of that origin and amount has a name that could be taken for it.
"""

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


def story(seed: int, lines: int, regions: Regions) -> Story:
    """So many lines and what they are about."""
    teller = _Teller(Random(seed), regions)
    kinds, weights = zip(*_SHARES.items(), strict=True)
    while len(teller.story.paid) < lines:
        kind = teller.random.choices(kinds, weights)[0]
        getattr(teller, kind)()
    told = teller.story
    del told.paid[lines:]
    told.paid.sort(key=lambda paid: (paid.row["booked_at"], paid.row["entry_ref"]))
    return told


# Shares in a thousand; the troubles are those of real statements (3 % other amounts, 1 % returned,
# 2 % ambiguous names) times five.
_SHARES = {
    "plain": 460,
    "bare": 170,
    "other_amount": 150,
    "in_parts": 30,
    "listed": 15,
    "lump_without_list": 10,
    "twice": 25,
    "returned": 50,
    "nobodys": 60,
    "never_paid": 60,
    "twins": 30,
    "look_alikes": 30,
    "swapped": 25,
    "mistyped": 35,
    "before_release": 10,
    "unknown_payer": 15,
}

_REMARKS = (
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
_NOBODYS = ("利息收入", "灵活就业人员缴费", "财政补助", "退回多缴保费 {name}", "社会捐赠")


class _Teller:
    def __init__(self, random: Random, regions: Regions) -> None:
        self.random = random
        self.regions = regions
        self.origins = [r.code for r in regions.all if r.code != DESTINATION]
        self.story = Story()
        self.number = 0
        self.amounts: set[tuple[str, int]] = set()

    # --- what is owed -------------------------------------------------------------------------

    def _owed(self, **given: object) -> Owed:
        self.number += 1
        random = self.random
        origin = random.choice(self.origins)
        fields = {
            "transfer": uuid5(NAMESPACE, f"matching {random.random()} {self.number}"),
            "person": f"{self.number:032x}",
            "name": people.name(random),
            "origin": origin,
            "amount_fen": self._amount(str(given.get("origin", origin))),
            "released_on": FIRST_DAY + timedelta(days=random.randrange(_DAYS)),
            "late": random.random() < 0.03,
            **given,
        }
        owed = Owed(**fields)  # type: ignore[arg-type]
        self.story.owed.append(owed)
        return owed

    def _amount(self, origin: str) -> int:
        """One that no other claim on the origin has, unless a trap wants it so."""
        while True:
            amount_fen = max(people.balance_fen(self.random), 1_00) + self.random.randrange(100)
            if (origin, amount_fen) not in self.amounts:
                self.amounts.add((origin, amount_fen))
                return amount_fen

    # --- what comes in ------------------------------------------------------------------------

    def _pay(
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

    def _referring(self, owed: Owed, name: str | None = None) -> dict[str, str]:
        """The columns of a line with a reference: in its field or in the remark."""
        written = self._written(owed.name) if name is None else name
        remark = self.random.choice(_REMARKS).format(name=written)
        reference = owed.transfer.hex if self.random.random() < 0.7 else str(owed.transfer)
        if self.random.random() < 0.6:
            return {"end_to_end_id": reference, "remark": remark}
        return {"remark": f"{remark} {reference}"}

    def _written(self, name: str) -> str:
        """A name as banks write it where the reference tells all: whole, Latin or damaged."""
        spelt: Sequence[Callable[[str], str]] = (str, str, str, _latin, self._damaged)
        return self.random.choice(spelt)(name)

    def _damaged(self, name: str) -> str:
        place = self.random.randrange(len(name))
        return name[:place] + self.random.choice("?·") + name[place + 1 :]

    def plain(self) -> None:
        """A reference and the amount."""
        owed = self._owed()
        whole = {owed.transfer: owed.amount_fen}
        self._pay(
            "plain", owed.origin, owed.amount_fen, whole, matchable=True, after=owed.released_on,
            **self._referring(owed),
        )  # fmt: skip

    def bare(self) -> None:
        """No reference: payer, name and amount."""
        owed = self._owed()
        self._bare("bare", owed, self._written(owed.name), matchable=True)

    def _bare(self, kind: str, owed: Owed, written: str, *, matchable: bool) -> None:
        own_field = self.random.random() < 0.4
        remark = "医保个人账户转移" if own_field else self.random.choice(_REMARKS)
        columns = {"remark": remark.format(name=written)}
        if own_field:
            columns["payee_name"] = written
        self._pay(
            kind, owed.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
            matchable=matchable, after=owed.released_on, **columns,
        )  # fmt: skip

    def other_amount(self) -> None:
        """A reference, and less or more than is owed; some without a reference, too."""
        owed = self._owed()
        amount_fen = max(1, owed.amount_fen + self.random.choice((-1, 1)) * self._little(owed))
        whole = {owed.transfer: amount_fen}
        columns = self._referring(owed)
        matchable = self.random.random() < 0.8
        if not matchable:
            columns = {"remark": self.random.choice(_REMARKS).format(name=owed.name)}
        self._pay(
            "other_amount", owed.origin, amount_fen, whole, matchable=matchable,
            after=owed.released_on, **columns,
        )  # fmt: skip

    def _little(self, owed: Owed) -> int:
        return self.random.choice((1, 100, 5000, owed.amount_fen // 3 + 1))

    def in_parts(self) -> None:
        """One transfer in two or three payments, each with its reference."""
        owed = self._owed()
        count = self.random.choice((2, 3))
        share = owed.amount_fen // count
        for part in range(count):
            fen = share if part < count - 1 else owed.amount_fen - share * (count - 1)
            if fen > 0:
                self._pay(
                    "in_parts", owed.origin, fen, {owed.transfer: fen}, matchable=True,
                    after=owed.released_on, **self._referring(owed),
                )  # fmt: skip

    def _several(self) -> list[Owed]:
        origin = self.random.choice(self.origins)
        day = FIRST_DAY + timedelta(days=self.random.randrange(_DAYS))
        count = self.random.randrange(2, 6)
        return [self._owed(origin=origin, released_on=day, late=False) for _ in range(count)]

    def listed(self) -> None:
        """One payment for several, with its list."""
        all_owed = self._several()
        rows = (f"{owed.transfer.hex} {yuan(owed.amount_fen)}" for owed in all_owed)
        self._pay(
            "listed", all_owed[0].origin, sum(owed.amount_fen for owed in all_owed),
            {owed.transfer: owed.amount_fen for owed in all_owed}, matchable=True,
            after=all_owed[0].released_on, remark="；".join(rows),
        )  # fmt: skip

    def lump_without_list(self) -> None:
        """One payment for several, and nothing that says for whom."""
        all_owed = self._several()
        self._pay(
            "lump_without_list", all_owed[0].origin, sum(o.amount_fen for o in all_owed),
            {owed.transfer: owed.amount_fen for owed in all_owed}, matchable=False,
            after=all_owed[0].released_on, remark="医保转移资金汇总",
        )  # fmt: skip

    def twice(self) -> None:
        """Paid, and paid again: with a reference the second is known as the transfer's too."""
        owed = self._owed()
        with_reference = self.random.random() < 0.7
        for _ in range(2):
            if with_reference:
                self._pay(
                    "twice", owed.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
                    matchable=True, after=owed.released_on, **self._referring(owed),
                )  # fmt: skip
            else:
                # One of the two is the transfer's, and nobody minds which: neither is a mistake.
                self._bare("twice", owed, owed.name, matchable=False)

    def returned(self) -> None:
        """A payment of ours that comes back; nobody's claim is paid by it."""
        self.number += 1
        owed = Owed(
            uuid5(NAMESPACE, f"matching {self.random.random()} {self.number}"),
            f"{self.number:032x}", people.name(self.random), self.random.choice(self.origins),
            self._amount("returned"), FIRST_DAY,
        )  # fmt: skip
        self.story.leaving.append(owed)
        self._pay(
            "returned", owed.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
            matchable=True, payer_name="南宁市社会医疗保险基金", payer_account="",
            return_of=owed.transfer.hex, remark="账号户名不符 退汇",
        )  # fmt: skip

    def nobodys(self) -> None:
        """Interest, premiums, and what another agency pays for something else."""
        remark = self.random.choice(_NOBODYS).format(name=people.name(self.random))
        self._pay(
            "nobodys", self.random.choice(self.origins), self._amount(""), {}, matchable=False,
            remark=remark,
        )  # fmt: skip

    def never_paid(self) -> None:
        """Nobody pays it, and something that looks like it comes: another's amount, name, payer."""
        owed = self._owed()
        other = people.name(self.random)
        trap = self.random.randrange(3)
        origin, fen, name = owed.origin, owed.amount_fen, owed.name
        if trap == 0:
            name = other if not _mistaken(other, owed.name) else f"{other}国"
        elif trap == 1:
            fen += self.random.choice((-1, 1, 100))
        else:
            origin = self.random.choice([o for o in self.origins if o != owed.origin])
        remark = self.random.choice(_REMARKS).format(name=name)
        self._pay(
            "never_paid", origin, fen, {}, matchable=False, after=owed.released_on, remark=remark
        )

    def twins(self) -> None:
        """Two of the same name, origin and amount: one pays, or both do, with or without."""
        one = self._owed(late=False)
        same = {"name": one.name, "origin": one.origin, "amount_fen": one.amount_fen}
        other = self._owed(**same, released_on=one.released_on, late=False)
        for owed in self.random.choice(((one,), (one, other))):
            if self.random.random() < 0.4:
                self._pay(
                    "twins", owed.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
                    matchable=True, after=owed.released_on, **self._referring(owed),
                )  # fmt: skip
            else:
                self._bare("twins", owed, owed.name, matchable=False)

    def look_alikes(self) -> None:
        """Two of one origin and amount whose names sound alike or differ in one character."""
        one = self._owed(late=False)
        other_name = self.random.choice((_homophone, self._neighbour))(one.name)
        self._owed(
            name=other_name, origin=one.origin, amount_fen=one.amount_fen,
            released_on=one.released_on, late=False,
        )  # fmt: skip
        self._bare("look_alikes", one, self._written(one.name), matchable=False)

    def _neighbour(self, name: str) -> str:
        place = self.random.randrange(1, len(name))
        other = self.random.choice([c for c in "伟芳娜敏静丽强磊" if c != name[place]])
        return name[:place] + other + name[place + 1 :]

    def swapped(self) -> None:
        """The reference of one with the name of another: right is the one or the other."""
        one, other = self._owed(late=False), self._owed(late=False)
        if _mistaken(one.name, other.name):
            return
        owed = self.random.choice((one, other))
        columns = self._referring(one, other.name)
        columns["payee_name"] = other.name
        self._pay(
            "swapped", one.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
            matchable=False, after=max(one.released_on, other.released_on), **columns,
        )  # fmt: skip

    def mistyped(self) -> None:
        """A wrong character in the name, and no reference; some are somebody else's name so."""
        owed = self._owed()
        wrong = self._neighbour(owed.name)
        if self.random.random() < 0.3:
            self._owed(name=wrong)
        self._bare("mistyped", owed, wrong, matchable=False)

    def before_release(self) -> None:
        """Money that came before the transfer was released, with the same name and amount."""
        day = FIRST_DAY + timedelta(days=80)
        owed = self._owed(released_on=day, late=True)
        remark = self.random.choice(_REMARKS).format(name=owed.name)
        self._pay(
            "before_release", owed.origin, owed.amount_fen, {}, matchable=False, remark=remark
        )

    def unknown_payer(self) -> None:
        """A bank that no region is known by, and no reference."""
        owed = self._owed()
        remark = self.random.choice(_REMARKS).format(name=owed.name)
        self._pay(
            "unknown_payer", owed.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
            matchable=False, after=owed.released_on, remark=remark, payer_account="",
            payer_name="代理支付结算专户",
        )  # fmt: skip


def _latin(name: str) -> str:
    return names.pinyin(name).upper()


def _homophone(name: str) -> str:
    """A name that is read the same and written otherwise."""
    pairs = {"伟": "薇", "芳": "方", "静": "净", "丽": "莉", "军": "君", "洋": "阳", "勇": "永"}
    pairs |= {"明": "鸣", "英": "瑛", "玉": "郁", "文": "雯", "辉": "晖", "建": "健", "平": "萍"}
    pairs |= {"强": "墙", "敏": "闽", "磊": "垒", "杰": "洁", "涛": "桃", "华": "铧", "红": "宏"}
    last = name[-1]
    return name[:-1] + pairs[last] if last in pairs else f"{name}华"


def _mistaken(one: str, other: str) -> bool:
    return names.same_person(one, other) is not None
