"""The transfer's money as a story: released, advanced, funded; every invariant after every step."""

import pytest

from services.settlement.exposure import Limits
from shared.decision import Unexpected
from shared.messages.settlement import (
    AdvanceCredited,
    AdvanceDeclined,
    AdvanceFunded,
    ExcessFound,
    FundsCorrected,
    FundsCredited,
    FundsReleased,
    NothingToRelease,
    OfferAgain,
    ReceiptUnmatched,
    ShortfallFound,
)
from tests.unit.settlement_world import (
    PERSON,
    T1,
    T2,
    A,
    B,
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

OTHER = "0" * 31 + "2"


def test_a_release_empties_the_account_and_owes_it_to_the_destination() -> None:
    world = opened_world(408412)

    said = world.send(release_funds())

    event = only(FundsReleased, said)
    assert (event.to, event.principal_fen, event.interest_fen, event.unfunded_fen) == (
        B,
        408412,
        0,
        0,
    )
    assert event.version == 1
    assert world.balance(A) == 0
    assert world.account(A, f"payable:{B}") == 408412


def test_asked_again_a_release_answers_the_same_and_moves_nothing() -> None:
    world = opened_world()
    first = world.send(release_funds())

    again = world.send(release_funds())

    assert again == first
    assert world.release().released_fen == 100


@pytest.mark.parametrize(
    ("account", "code"), [({"account": True}, "zero_balance"), ({"account": False}, "no_account")]
)
def test_an_empty_account_has_nothing_to_release(account: dict[str, bool], code: str) -> None:
    world = World()
    world.send(open_account(A, **account))

    said = world.send(release_funds())

    assert only(NothingToRelease, said).code == code


def test_nobody_known_has_nothing_to_release_and_an_account_opened_late_goes_on() -> None:
    world = World()
    first = world.send(release_funds())

    late = world.send(open_account(A, 70))

    assert only(NothingToRelease, first).code == "no_account"
    corrected = only(FundsCorrected, late)
    assert (corrected.version, corrected.delta_fen, corrected.to) == (1, 70, B)
    assert world.balance(A) == 0


def test_an_advance_is_credited_against_a_receivable() -> None:
    world = opened_world(408412)
    said = world.send(release_funds())

    credited = only(AdvanceCredited, world.send(*announced(said)))

    assert (credited.amount_fen, credited.credited_fen, credited.open_fen) == (408412,) * 3
    assert world.balance(B) == 408412
    assert world.account(B, f"advance:{A}") == 408412


def test_an_advance_repeated_is_answered_and_not_credited_again() -> None:
    world = advanced(100)

    said = world.send(credit(100))

    assert only(AdvanceCredited, said).credited_fen == 100
    assert world.balance(B) == 100


@pytest.mark.parametrize(
    ("limits", "advance", "account", "code"),
    [
        (Limits(99, 1000), True, True, "limit_reached"),
        (Limits(1000, 99), True, True, "single_limit"),
        (Limits(1000, 1000), False, True, "switched_off"),
        (Limits(1000, 1000), True, False, "no_account"),
    ],
)
def test_a_declined_advance_is_awaited_and_not_spendable(
    limits: Limits,
    advance: bool,  # noqa: FBT001 - parametrised
    account: bool,  # noqa: FBT001 - parametrised
    code: str,
) -> None:
    world = World(limits=limits)
    world.send(open_account(B, account=account))

    said = world.send(credit(100, advance=advance))

    declined = only(AdvanceDeclined, said)
    assert (declined.code, declined.awaiting_fen) == (code, 100)
    assert world.balance(B) == 0
    assert world.account(B, f"awaited:{A}") == 100


def test_an_exact_receipt_makes_the_advance_real_and_the_balance_stays() -> None:
    world = advanced(408412)

    said = world.send(receipt("r", detail(408412, T1, payer_region=A)))

    funded = only(AdvanceFunded, said)
    assert (funded.applied_fen, funded.matched_fen, funded.open_fen) == (408412, 408412, 0)
    assert world.balance(B) == 408412
    assert world.account(B, f"advance:{A}") == 0
    assert world.account(B, "suspense") == 0
    assert world.part("r").verdict == "exact"


def test_a_short_receipt_leaves_the_rest_open_and_a_second_one_completes_it() -> None:
    world = advanced(100)

    first = world.send(receipt("r1", detail(60, T1)))
    second = world.send(receipt("r2", detail(40, T1)))

    short = only(ShortfallFound, first)
    assert (short.matched_fen, short.open_fen) == (60, 40)
    assert only(AdvanceFunded, second).matched_fen == 100
    assert (world.part("r1").verdict, world.part("r2").verdict) == ("short", "partial")


def test_an_excess_stays_in_suspense() -> None:
    world = advanced(100)

    said = world.send(receipt("r", detail(130, T1)))

    assert only(AdvanceFunded, said).matched_fen == 100
    assert only(ExcessFound, said).excess_fen == 30
    assert world.account(B, "suspense") == 30
    assert world.part("r").verdict == "over"


def test_a_payment_that_arrives_twice_is_a_duplicate_and_credits_nothing() -> None:
    world = advanced(100)
    world.send(receipt("r1", detail(100, T1)))

    said = world.send(receipt("r2", detail(100, T1)))

    assert only(ReceiptUnmatched, said).code == "duplicate"
    assert only(ExcessFound, said).excess_fen == 100
    assert (world.balance(B), world.account(B, "suspense")) == (100, 100)


def test_a_receipt_read_twice_counts_once_and_with_other_content_is_refused() -> None:
    world = advanced(100)
    world.send(receipt("r", detail(60, T1)))

    again = world.send(receipt("r", detail(60, T1)))

    assert again == []
    assert world.claim().matched_fen == 60
    with pytest.raises(Unexpected):
        world.send(receipt("r", detail(61, T1)))


def test_a_receipt_before_the_announcement_waits_for_it() -> None:
    world = opened_world(100)

    early = world.send(receipt("r", detail(100, T1, payer_region=A)))
    said = world.send(*announced(world.send(release_funds())))

    assert only(ReceiptUnmatched, early).code == "unknown"
    assert only(AdvanceCredited, said).open_fen == 100
    assert only(AdvanceFunded, said).matched_fen == 100


def test_money_that_was_not_advanced_is_credited_when_it_arrives() -> None:
    world = World()
    world.send(open_account(B), credit(100, advance=False))

    said = world.send(receipt("r", detail(100, T1)))

    arrived = only(FundsCredited, said)
    assert (arrived.credited_fen, arrived.matched_fen, arrived.open_fen) == (100, 100, 0)
    assert world.balance(B) == 100
    assert world.account(B, f"awaited:{A}") == 0


def test_a_correction_up_adds_to_the_advance_and_uses_an_earlier_excess() -> None:
    world = advanced(100)
    world.send(receipt("r", detail(130, T1)))

    said = world.send(*late_contribution(world, 30))

    assert only(AdvanceCredited, said).credited_fen == 130
    assert only(AdvanceFunded, said).excess_fen == 0
    assert world.account(B, "suspense") == 0


def test_when_the_limit_frees_the_oldest_declined_advance_is_offered_again() -> None:
    world = World(limits=Limits(open_fen=150, single_fen=150))
    world.send(open_account(B), open_account(B, person=OTHER, record=some_id("other")))
    world.send(credit(100))
    declined = only(AdvanceDeclined, world.send(credit(80, T2, person=OTHER)))

    said = world.send(receipt("r", detail(100, T1)))

    assert declined.code == "limit_reached"
    offered = only(AdvanceCredited, said)
    assert (offered.person, offered.amount_fen) == (OTHER, 80)
    assert world.balance(B, OTHER) == 80


def test_an_offer_for_a_claim_that_was_funded_meanwhile_changes_nothing() -> None:
    world = World()
    world.send(open_account(B), credit(100, advance=False), receipt("r", detail(100, T1)))

    said = world.send(OfferAgain(to=B, person=PERSON, transfer=T1, origin=A))

    assert said == []


def test_an_account_opened_after_the_announcement_gets_the_advance() -> None:
    world = World()
    declined = only(AdvanceDeclined, world.send(credit(100)))

    said = world.send(open_account(B))

    assert declined.code == "no_account"
    assert only(AdvanceCredited, said).credited_fen == 100


@pytest.mark.parametrize(
    "message", [credit(0), credit(-1), credit(100, origin=B), release_funds(at=A, to=A)]
)
def test_what_can_mean_nothing_is_refused(message: object) -> None:
    world = opened_world(100)

    with pytest.raises(Unexpected):
        world.send(message)  # type: ignore[arg-type] # parametrised commands


def test_a_region_that_has_not_joined_is_refused() -> None:
    world = opened_world(100)

    with pytest.raises(Unexpected):
        world.send(credit(100, origin="999999"))
