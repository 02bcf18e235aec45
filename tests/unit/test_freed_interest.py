"""An account is free again: what waited leaves with its interest, as a line of its own."""

from datetime import date

from shared.messages.settlement import FundsCorrected, FundsReleased, PaidOut, PayOut
from shared.messages.settlement_compensation import Recovered
from shared.messages.settlement_freezing import EndFreeze
from shared.messages.settlement_interest import InterestCredited, SettleInterest
from tests.unit import interest_world
from tests.unit.interest_world import postings
from tests.unit.settlement_world import (
    PERSON,
    T1,
    A,
    B,
    announced,
    late_contribution,
    only,
    release_funds,
)
from tests.unit.test_freed import DEAD, TO_PERSON
from tests.unit.test_freezing import freeze, spend, unfreeze


def test_what_waited_leaves_with_its_interest_as_a_line_of_its_own() -> None:
    world = interest_world.world()
    world.wait(90)
    world.send(*announced(world.send(release_funds())))
    world.send(freeze())
    late_contribution(world, 408412)
    world.wait(90)

    said = world.send(unfreeze())

    assert only(InterestCredited, said).amount_fen == 357
    event = only(FundsCorrected, said)
    assert (event.delta_fen, event.interest_fen) == (408769, 357)
    assert postings(world, A, "release")[-2:] == [
        f"personal > payable:{B} 408412",
        f"personal > payable:{B} 357",
    ]
    assert world.release().earned_fen == 357 + 357
    assert [m for m in world.wait(400) if isinstance(m, FundsCorrected)] == []
    assert only(FundsReleased, world.send(release_funds())).interest_fen == 357


def test_interest_of_a_settlement_day_that_leaves_before_the_rest_is_said_to_be_interest() -> None:
    world = interest_world.world()
    world.send(*announced(world.send(release_funds())))
    world.send(freeze(until=date(2027, 1, 1)))
    late_contribution(world, 408412)
    world.later += date(2027, 1, 1) - world.at.date()

    settled = only(
        FundsCorrected, world.send(SettleInterest(to=A, person=PERSON, on=date(2026, 12, 31)))
    )
    rest = only(FundsCorrected, world.send(EndFreeze(to=A, person=PERSON)))

    assert settled.delta_fen == settled.interest_fen == world.account(A, "interest") > 0
    assert (rest.delta_fen, rest.interest_fen) == (408412, 0)
    assert world.release().earned_fen == settled.interest_fen


def test_what_was_paid_out_is_said_again_as_it_was_the_first_time() -> None:
    world = interest_world.world()
    world.wait(90)
    asked = PayOut(to=A, transfer=T1, destination=B, **TO_PERSON)
    first = only(PaidOut, world.send(asked))
    world.send(freeze())
    world.send(interest_world.contribution(A, 408412, "late"))
    world.wait(90)

    more = only(PaidOut, world.send(unfreeze()))

    assert (first.amount_fen, more.amount_fen, more.total_fen) == (408769, 408769, 2 * 408769)
    assert postings(world, A, "payout") == ["personal > payout 408412", "personal > payout 357"] * 2
    assert only(PaidOut, world.send(asked)).amount_fen == first.amount_fen


def test_heirs_get_the_interest_of_what_waited() -> None:
    world = interest_world.world()
    world.send(freeze(), PayOut(to=A, **DEAD))
    world.wait(90)

    paid = only(PaidOut, world.send(unfreeze()))

    assert paid.amount_fen == 408769
    assert postings(world, A, "payout") == ["personal > payout 408412", "personal > payout 357"]


def test_a_debt_is_paid_with_the_interest_first() -> None:
    world = interest_world.world(B=35)
    world.send(*announced(world.send(release_funds())))
    world.send(freeze(B))
    world.send(*announced(spend(world, A, 400, days=3)))
    world.send(PayOut(to=B, **DEAD))
    world.wait(90)

    said = world.send(unfreeze(B))

    assert sum(m.amount_fen for m in said if isinstance(m, Recovered)) == 400
    assert only(PaidOut, said).amount_fen == 408412 + 357 - 400
    assert postings(world, B, "payout") == [f"personal > payout {408412 + 357 - 400}"]


def test_what_stays_earns_on() -> None:
    world = interest_world.world()
    world.send(freeze())
    world.wait(90)

    said = world.send(unfreeze())

    assert [m for m in said if isinstance(m, InterestCredited)] == []
    released = only(FundsReleased, world.send(release_funds()))
    assert (released.principal_fen, released.interest_fen) == (408412, 357)
