"""Which claims one payment may be for: the only set that adds up, or none."""

from itertools import combinations
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.settlement.covering import MOST, covering


def claims(*amounts_fen: int) -> dict[UUID, int]:
    return {UUID(int=number): fen for number, fen in enumerate(amounts_fen, start=1)}


def numbers(found: tuple[UUID, ...] | None) -> list[int] | None:
    return None if found is None else sorted(claim.int for claim in found)


def test_the_only_set_that_adds_up_is_told() -> None:
    assert numbers(covering(claims(100, 250, 330, 470), 580)) == [2, 3]
    assert numbers(covering(claims(100, 250, 330, 470), 1150)) == [1, 2, 3, 4]


def test_two_sets_that_add_up_are_no_answer() -> None:
    assert covering(claims(100, 200, 300), 300) is None
    assert covering(claims(100, 100, 50), 150) is None


def test_one_claim_alone_is_no_set_and_too_many_are_not_looked_at() -> None:
    assert covering(claims(100, 250), 100) is None
    assert covering({}, 100) is None
    assert covering(claims(*(2**n for n in range(MOST + 1))), 2**MOST + 1) is None


def test_claims_above_the_amount_do_not_count() -> None:
    many = claims(*[10**6 + n for n in range(100)], 100, 250)

    assert numbers(covering(many, 350)) == [101, 102]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(1, 200))
def test_it_finds_what_trying_all_finds(amounts_fen: list[int], total_fen: int) -> None:
    amounts = claims(*amounts_fen)
    small = [claim for claim in amounts if amounts[claim] <= total_fen]
    tried = [
        set(chosen)
        for size in range(1, len(small) + 1)
        for chosen in combinations(small, size)
        if sum(amounts[claim] for claim in chosen) == total_fen
    ]
    only = tried[0] if len(tried) == 1 and len(tried[0]) > 1 else None

    found = covering(amounts, total_fen)

    assert (set(found) if found else None) == only
