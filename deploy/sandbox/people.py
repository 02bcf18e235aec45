"""Invented people: numbers that verify, names as they are spread, phones, employers, balances.

All of it follows from a seed. Nobody here exists; numbers begin with real prefixes because the
checks want them to.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from shared import identity

# Surnames by millions of bearers, roughly, as the household census gives them.
_SURNAMES = {
    "王": 101, "李": 100, "张": 95, "刘": 72, "陈": 63, "杨": 46, "黄": 34, "赵": 29, "吴": 28,
    "周": 27, "徐": 20, "孙": 19, "马": 19, "朱": 18, "胡": 16, "郭": 16, "何": 15, "林": 15,
    "高": 14, "罗": 14, "韦": 12, "覃": 10, "莫": 8, "蒙": 5, "单": 2, "仇": 1, "解": 2, "查": 1,
    "欧阳": 1, "上官": 1, "逄": 1, "亓": 1, "仝": 1, "尉迟": 1,
}  # fmt: skip
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红健文辉建玲燕宇浩凯鑫欣雨子梓轩"
# Characters that the code pages of some banks lack.
_RARE = "喆堃翀赟犇骉㛃珺婳煊昇暐玥彧"
_RARE_SHARE = 0.04
_TWO_CHARACTERS = 0.7

_PHONES = ("130", "135", "138", "150", "158", "186", "199")
_EMPLOYER_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"

_OLDEST, _YOUNGEST = date(1970, 1, 1), date(2001, 12, 31)

# Log-normal with a mean of some 4,084 yuan, the national average per account at the end of 2024.
MEAN_YUAN, LEAST_YUAN, MOST_YUAN = 4084.0, 100.0, 20_000.0
_SPREAD = 0.8
_ZERO_SHARE = 0.10


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person as their document and phone have them."""

    id_no: str
    name: str
    phone: str


def people(random: Random, prefixes: tuple[str, ...]) -> Iterator[Person]:
    """People without end, no number twice, with numbers first issued in one of `prefixes`."""
    seen: set[str] = set()
    days = (_YOUNGEST - _OLDEST).days
    while True:
        born = _OLDEST + timedelta(days=random.randrange(days))
        id_no = identity.make_id(random.choice(prefixes), born, random.randrange(1, 1000))
        if id_no not in seen:
            seen.add(id_no)
            yield Person(id_no, name(random), phone(random))


def name(random: Random) -> str:
    """A name: common surnames are common, some names have a rare character."""
    surname = random.choices(list(_SURNAMES), list(_SURNAMES.values()))[0]
    given = "".join(random.choices(_GIVEN, k=2 if random.random() < _TWO_CHARACTERS else 1))
    if random.random() < _RARE_SHARE:
        given = given[:-1] + random.choice(_RARE)
    return surname + given


def phone(random: Random) -> str:
    """Eleven digits."""
    return random.choice(_PHONES) + f"{random.randrange(10**8):08d}"


def employer_id(random: Random, region: str) -> str:
    """A unified social credit code that verifies (GB 32100)."""
    body = f"91{region}" + "".join(random.choices(_EMPLOYER_SIGNS, k=9))
    total = sum(_EMPLOYER_SIGNS.index(sign) * pow(3, i, 31) for i, sign in enumerate(body))
    return body + _EMPLOYER_SIGNS[-total % 31]


def balance_fen(random: Random) -> int:
    """What a personal account holds: nothing for one in ten, else 100 to 20,000 yuan."""
    if random.random() < _ZERO_SHARE:
        return 0
    drawn = random.lognormvariate(math.log(MEAN_YUAN) - _SPREAD**2 / 2, _SPREAD)
    return round(min(max(drawn, LEAST_YUAN), MOST_YUAN) * 100)
