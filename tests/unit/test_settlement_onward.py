"""Money that moves on: A→B→C before it came, round trips, payouts and heirs."""

from services.settlement.exposure import Limits
from shared.messages.settlement import (
    AdvanceCredited,
    AdvanceDeclined,
    FundsCorrected,
    FundsCredited,
    FundsReleased,
    NothingToRelease,
    PaidOut,
    PayOut,
    Spend,
)
from tests.unit.settlement_world import (
    DAY,
    PERSON,
    T1,
    T2,
    A,
    B,
    C,
    World,
    advanced,
    announced,
    credit,
    detail,
    late_contribution,
    only,
    open_account,
    opened_world,
    receipt,
    release_funds,
    some_id,
)


def test_the_unfunded_balance_moves_on_with_the_person() -> None:
    world = advanced(100)
    world.send(open_account(C))

    said = world.send(release_funds(T2, at=B, to=C))

    event = only(FundsReleased, said)
    assert (event.principal_fen, event.unfunded_fen) == (100, 100)
    assert world.balance(B) == 0
    assert world.account(B, f"advance:{A}") == 100
    assert world.account(B, f"payable:{C}") == 100


def test_what_is_only_awaited_becomes_an_advance_and_moves_on() -> None:
    world = World(limits=Limits(10, 10))
    world.send(open_account(B), credit(100))

    said = world.send(release_funds(T2, at=B, to=C))

    assert only(AdvanceCredited, said).transfer == T1
    assert only(FundsReleased, said).unfunded_fen == 100
    assert world.account(B, f"awaited:{A}") == 0


def test_what_is_announced_after_the_person_has_left_goes_on_as_a_correction() -> None:
    world = opened_world(100)
    nothing = world.send(release_funds(T2, at=B, to=C))

    said = world.send(credit(100))

    assert only(NothingToRelease, nothing).code == "zero_balance"
    corrected = only(FundsCorrected, said)
    assert (corrected.transfer, corrected.version, corrected.delta_fen) == (T2, 1, 100)
    assert (corrected.to, world.balance(B)) == (C, 0)


def test_money_does_not_go_round_between_two_regions_for_ever() -> None:
    world = advanced(100)

    back = announced(world.send(release_funds(T2, at=B, to=A)))
    said = world.send(*back)

    assert only(AdvanceCredited, said).transfer == T2
    assert world.balance(A) == 100


def test_a_late_release_along_a_circle_ends_where_the_person_is() -> None:
    world = opened_world(100)
    world.send(release_funds(T2, at=B, to=A))

    first = announced(world.send(release_funds(T1)))
    second = announced(world.send(*first))
    last = world.send(*second)

    assert only(AdvanceCredited, last).transfer == T2
    assert (world.balance(A), world.balance(B)) == (100, 0)


def test_a_payout_for_a_destination_without_an_account_is_answered_to_it() -> None:
    world = World()
    world.send(open_account(A, 100))
    order = PayOut(
        to=A,
        person=PERSON,
        transfer=T1,
        destination=C,
        reason="no-account-at-destination",
        opened_at=DAY,
    )

    said = world.send(order, order)

    assert [(m.to, m.amount_fen) for m in said if isinstance(m, PaidOut)] == [(C, 100)] * 2
    assert world.account(A, "payout") == -100


def test_heirs_get_what_is_unspent_and_nothing_more_is_advanced() -> None:
    world = advanced(100)
    world.send(Spend(to=B, person=PERSON, record=some_id("spend"), amount_fen=30))

    paid = world.send(PayOut(to=B, person=PERSON, reason="deceased", record=some_id("death")))
    later = world.send(*late_contribution(world, 20))

    assert only(PaidOut, paid).amount_fen == 70
    assert only(AdvanceDeclined, later).code == "deceased"
    assert world.balance(B) == 0


def test_what_arrives_for_a_dead_person_is_paid_to_the_heirs() -> None:
    world = World()
    world.send(open_account(B), credit(100, advance=False))
    world.send(PayOut(to=B, person=PERSON, reason="deceased", record=some_id("death")))

    said = world.send(receipt("r", detail(100, T1)))

    assert only(FundsCredited, said).credited_fen == 100
    assert only(PaidOut, said).amount_fen == 100
