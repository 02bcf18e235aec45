"""The invented people: numbers verify, names and balances are spread as they are, all by seed."""

from datetime import date
from itertools import islice
from random import Random

from deploy.sandbox.people import balance_fen, employer_id, people
from shared import identity

TODAY = date(2026, 3, 2)
PREFIXES = ("410100", "450100")


def test_every_number_verifies_and_none_comes_twice() -> None:
    found = list(islice(people(Random(1), PREFIXES), 500))

    assert all(identity.normalise("01", one.id_no, TODAY) == one.id_no for one in found)
    assert len({one.id_no for one in found}) == 500
    assert {one.id_no[:6] for one in found} == set(PREFIXES)


def test_the_same_seed_gives_the_same_people() -> None:
    one, other = people(Random(5), PREFIXES), people(Random(5), PREFIXES)

    assert list(islice(one, 20)) == list(islice(other, 20))


def test_common_surnames_are_common_and_names_come_twice() -> None:
    names = [one.name for one in islice(people(Random(2), PREFIXES), 1000)]

    assert 50 < sum(name.startswith("王") for name in names) < 200
    assert len(set(names)) < len(names)


def test_employers_codes_verify() -> None:
    random = Random(3)

    assert all(identity.valid_employer_id(employer_id(random, "340100")) for _ in range(200))


def test_one_balance_in_ten_is_zero_and_the_others_are_within_bounds() -> None:
    random = Random(4)

    drawn = [balance_fen(random) for _ in range(5000)]
    held = [fen for fen in drawn if fen]

    assert 0.08 < drawn.count(0) / len(drawn) < 0.12
    assert min(held) >= 100_00
    assert max(held) <= 20_000_00
    assert 3_500_00 < sum(held) / len(held) < 4_500_00
