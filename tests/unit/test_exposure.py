"""Exposure: what is refused, how the corridor grows and shrinks, who is offered again."""

from datetime import timedelta

import pytest

from services.settlement.exposure import Limits, offers, opened, refusal
from services.settlement.states import Corridor, Declined
from tests.unit.settlement_world import DAY, A, B, some_id

LIMITS = Limits(open_fen=1000, single_fen=300)


@pytest.mark.parametrize(
    ("exposed_fen", "open_fen", "amount_fen", "code"),
    [
        (0, 0, 300, None),
        (0, 0, 301, "single_limit"),
        (0, 200, 101, "single_limit"),
        (700, 0, 300, None),
        (701, 0, 300, "limit_reached"),
        (1000, 0, 1, "limit_reached"),
    ],
)
def test_an_advance_fits_both_limits_or_is_refused(
    exposed_fen: int, open_fen: int, amount_fen: int, code: str | None
) -> None:
    corridor = Corridor(A, B, exposed_fen, 3)

    assert refusal(corridor, LIMITS, open_fen, amount_fen, DAY.date()) == code


@pytest.mark.parametrize(
    ("before_fen", "after_fen", "open_fen", "claims"),
    [(0, 50, 150, 3), (50, 20, 70, 2), (50, 0, 50, 1), (0, 0, 100, 2)],
)
def test_the_corridor_counts_what_is_open_and_how_many_claims_it_is(
    before_fen: int, after_fen: int, open_fen: int, claims: int
) -> None:
    corridor = opened(Corridor(A, B, 100, 2), before_fen, after_fen)

    assert (corridor.open_fen, corridor.claims) == (open_fen, claims)


def declined(number: int, amount_fen: int) -> Declined:
    at = DAY + timedelta(days=number)
    return Declined(A, B, f"{number:032x}", some_id(f"declined {number}"), at, amount_fen)


def test_the_oldest_that_fit_are_offered_and_none_jumps_the_queue() -> None:
    waiting = [declined(1, 200), declined(2, 150), declined(3, 200), declined(4, 10)]

    chosen = offers(Corridor(A, B, 500, 2), LIMITS, waiting, DAY.date())

    assert chosen == waiting[:2]


def test_a_full_corridor_offers_nothing() -> None:
    assert offers(Corridor(A, B, 1000, 4), LIMITS, [declined(1, 1)], DAY.date()) == []
