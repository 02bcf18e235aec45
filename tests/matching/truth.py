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

from datetime import timedelta
from random import Random
from uuid import uuid5

from deploy.sandbox import people
from shared import names
from shared.messages import NAMESPACE
from shared.money import yuan
from shared.regions import Regions
from tests.matching.teller import FIRST_DAY, REMARKS, Owed, Story, Teller


def story(seed: int, lines: int, regions: Regions) -> Story:
    """So many lines and what they are about."""
    teller = Storyteller(Random(seed), regions)
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

_NOBODYS = ("利息收入", "灵活就业人员缴费", "财政补助", "退回多缴保费 {name}", "社会捐赠")


class Storyteller(Teller):
    """Each kind of line, and the traps."""

    def plain(self) -> None:
        """A reference and the amount."""
        owed = self.owe()
        whole = {owed.transfer: owed.amount_fen}
        self.pay(
            "plain", owed.origin, owed.amount_fen, whole, matchable=True, after=owed.released_on,
            **self.referring(owed),
        )  # fmt: skip

    def bare(self) -> None:
        """No reference: payer, name and amount."""
        owed = self.owe()
        self.pay_bare("bare", owed, self.written(owed.name), matchable=True)

    def other_amount(self) -> None:
        """A reference, and less or more than is owed; some without a reference, too."""
        owed = self.owe()
        amount_fen = max(1, owed.amount_fen + self.random.choice((-1, 1)) * self._little(owed))
        whole = {owed.transfer: amount_fen}
        columns = self.referring(owed)
        matchable = self.random.random() < 0.8
        if not matchable:
            columns = {"remark": self.random.choice(REMARKS).format(name=owed.name)}
        self.pay(
            "other_amount", owed.origin, amount_fen, whole, matchable=matchable,
            after=owed.released_on, **columns,
        )  # fmt: skip

    def _little(self, owed: Owed) -> int:
        return self.random.choice((1, 100, 5000, owed.amount_fen // 3 + 1))

    def in_parts(self) -> None:
        """One transfer in two or three payments, each with its reference."""
        owed = self.owe()
        count = self.random.choice((2, 3))
        share = owed.amount_fen // count
        for part in range(count):
            fen = share if part < count - 1 else owed.amount_fen - share * (count - 1)
            if fen > 0:
                self.pay(
                    "in_parts", owed.origin, fen, {owed.transfer: fen}, matchable=True,
                    after=owed.released_on, **self.referring(owed),
                )  # fmt: skip

    def listed(self) -> None:
        """One payment for several, with its list."""
        allowe = self.owe_several()
        rows = (f"{owed.transfer.hex} {yuan(owed.amount_fen)}" for owed in allowe)
        self.pay(
            "listed", allowe[0].origin, sum(owed.amount_fen for owed in allowe),
            {owed.transfer: owed.amount_fen for owed in allowe}, matchable=True,
            after=allowe[0].released_on, remark="；".join(rows),
        )  # fmt: skip

    def lump_without_list(self) -> None:
        """One payment for several, and nothing that says for whom."""
        allowe = self.owe_several()
        self.pay(
            "lump_without_list", allowe[0].origin, sum(o.amount_fen for o in allowe),
            {owed.transfer: owed.amount_fen for owed in allowe}, matchable=False,
            after=allowe[0].released_on, remark="医保转移资金汇总",
        )  # fmt: skip

    def twice(self) -> None:
        """Paid, and paid again: with a reference the second is known as the transfer's too."""
        owed = self.owe()
        with_reference = self.random.random() < 0.7
        for _ in range(2):
            if with_reference:
                self.pay(
                    "twice", owed.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
                    matchable=True, after=owed.released_on, **self.referring(owed),
                )  # fmt: skip
            else:
                # One of the two is the transfer's, and nobody minds which: neither is a mistake.
                self.pay_bare("twice", owed, owed.name, matchable=False)

    def returned(self) -> None:
        """A payment of ours that comes back; nobody's claim is paid by it."""
        self.number += 1
        owed = Owed(
            uuid5(NAMESPACE, f"matching {self.random.random()} {self.number}"),
            f"{self.number:032x}", people.name(self.random), self.random.choice(self.origins),
            self.amount("returned"), FIRST_DAY,
        )  # fmt: skip
        self.story.leaving.append(owed)
        self.pay(
            "returned", owed.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
            matchable=True, payer_name="南宁市社会医疗保险基金", payer_account="",
            return_of=owed.transfer.hex, remark="账号户名不符 退汇",
        )  # fmt: skip

    def nobodys(self) -> None:
        """Interest, premiums, and what another agency pays for something else."""
        remark = self.random.choice(_NOBODYS).format(name=people.name(self.random))
        self.pay(
            "nobodys", self.random.choice(self.origins), self.amount(""), {}, matchable=False,
            remark=remark,
        )  # fmt: skip

    def never_paid(self) -> None:
        """Nobody pays it, and something that looks like it comes: another's amount, name, payer."""
        owed = self.owe()
        other = people.name(self.random)
        trap = self.random.randrange(3)
        origin, fen, name = owed.origin, owed.amount_fen, owed.name
        if trap == 0:
            name = other if not _mistaken(other, owed.name) else f"{other}国"
        elif trap == 1:
            fen += self.random.choice((-1, 1, 100))
        else:
            origin = self.random.choice([o for o in self.origins if o != owed.origin])
        remark = self.random.choice(REMARKS).format(name=name)
        self.pay(
            "never_paid", origin, fen, {}, matchable=False, after=owed.released_on, remark=remark
        )

    def twins(self) -> None:
        """Two of the same name, origin and amount: one pays, or both do, with or without."""
        one = self.owe(late=False)
        same = {"name": one.name, "origin": one.origin, "amount_fen": one.amount_fen}
        other = self.owe(**same, released_on=one.released_on, late=False)
        for owed in self.random.choice(((one,), (one, other))):
            if self.random.random() < 0.4:
                self.pay(
                    "twins", owed.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
                    matchable=True, after=owed.released_on, **self.referring(owed),
                )  # fmt: skip
            else:
                self.pay_bare("twins", owed, owed.name, matchable=False)

    def look_alikes(self) -> None:
        """Two of one origin and amount whose names sound alike or differ in one character."""
        one = self.owe(late=False)
        other_name = self.random.choice((_homophone, self.neighbour))(one.name)
        self.owe(
            name=other_name, origin=one.origin, amount_fen=one.amount_fen,
            released_on=one.released_on, late=False,
        )  # fmt: skip
        self.pay_bare("look_alikes", one, self.written(one.name), matchable=False)

    def swapped(self) -> None:
        """The reference of one with the name of another: right is the one or the other."""
        one, other = self.owe(late=False), self.owe(late=False)
        if _mistaken(one.name, other.name):
            return
        owed = self.random.choice((one, other))
        columns = self.referring(one, other.name)
        columns["payee_name"] = other.name
        self.pay(
            "swapped", one.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
            matchable=False, after=max(one.released_on, other.released_on), **columns,
        )  # fmt: skip

    def mistyped(self) -> None:
        """A wrong character in the name, and no reference; some are somebody else's name so."""
        owed = self.owe()
        wrong = self.neighbour(owed.name)
        if self.random.random() < 0.3:
            self.owe(name=wrong)
        self.pay_bare("mistyped", owed, wrong, matchable=False)

    def before_release(self) -> None:
        """Money that came before the transfer was released, with the same name and amount."""
        day = FIRST_DAY + timedelta(days=80)
        owed = self.owe(released_on=day, late=True)
        remark = self.random.choice(REMARKS).format(name=owed.name)
        self.pay("before_release", owed.origin, owed.amount_fen, {}, matchable=False, remark=remark)

    def unknown_payer(self) -> None:
        """A bank that no region is known by, and no reference."""
        owed = self.owe()
        remark = self.random.choice(REMARKS).format(name=owed.name)
        self.pay(
            "unknown_payer", owed.origin, owed.amount_fen, {owed.transfer: owed.amount_fen},
            matchable=False, after=owed.released_on, remark=remark, payer_account="",
            payer_name="代理支付结算专户",
        )  # fmt: skip


def _homophone(name: str) -> str:
    """A name that is read the same and written otherwise."""
    pairs = {"伟": "薇", "芳": "方", "静": "净", "丽": "莉", "军": "君", "洋": "阳", "勇": "永"}
    pairs |= {"明": "鸣", "英": "瑛", "玉": "郁", "文": "雯", "辉": "晖", "建": "健", "平": "萍"}
    pairs |= {"强": "墙", "敏": "闽", "磊": "垒", "杰": "洁", "涛": "桃", "华": "铧", "红": "宏"}
    last = name[-1]
    return name[:-1] + pairs[last] if last in pairs else f"{name}华"


def _mistaken(one: str, other: str) -> bool:
    return names.same_person(one, other) is not None
