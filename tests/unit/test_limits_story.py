"""A corridor in stories: who is advanced while its origin pays, does not pay, and pays again."""

from collections import deque
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.settlement.exposure import Limits
from services.settlement.people.states import item_id
from services.settlement.states import Claim, Corridor
from shared.decision import Unexpected
from shared.messages import Message
from shared.messages.settlement import AdvanceCredited, AdvanceDeclined, OfferAgain
from shared.messages.settlement_limits import (
    ChangeLimit,
    CorridorResumed,
    CorridorSuspended,
    ExposureWarned,
    LimitChanged,
    ResumeCorridor,
    ReviewCorridor,
    SuspendCorridor,
)
from shared.messages.settlement_people import Approve, ItemDone, Propose
from tests.unit.settlement_world import (
    A,
    B,
    World,
    credit,
    detail,
    only,
    open_account,
    receipt,
    some_id,
)
from tests.unit.test_limits import LIMITS, WORKED

TWO: dict[str, Any] = {"to": B, "origin": A, "proposed_by": "x", "approved_by": "y", "reason": "r"}


def person(number: int) -> str:
    return f"{number:032x}"


def transfer(number: int) -> Any:  # noqa: ANN401 a UUID
    return some_id(f"transfer {number}")


def asked(number: int, amount_fen: int = 100) -> list[Message]:
    """Somebody arrives, and is to be advanced."""
    opened = open_account(B, person=person(number), record=some_id(f"open {number}"))
    return [opened, credit(amount_fen, transfer(number), person=person(number))]


def paid(number: int, amount_fen: int = 100) -> Message:
    return receipt(f"paid {number}", detail(amount_fen, transfer(number), payer_region=A))


def corridor_of(world: World) -> Corridor:
    found = world.states.get(("corridor", A, B), Corridor(A, B))
    assert isinstance(found, Corridor)
    return found


def test_an_origin_that_does_not_pay_is_suspended_and_resumed_when_it_does() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1), *asked(2))

    suspended = only(CorridorSuspended, world.wait(25))
    declined = world.send(*asked(3), *asked(4, 90))
    nothing = [m for m in world.send(paid(1)) if isinstance(m, CorridorResumed)]
    resumed = world.send(paid(2))

    assert (suspended.code, suspended.overdue_fen) == ("overdue_share", 200)
    codes = [m.code for m in declined if isinstance(m, AdvanceDeclined)]
    assert codes == ["corridor_suspended"] * 2
    assert nothing == []
    assert only(CorridorResumed, resumed).code == "paid"
    offered = [m.transfer for m in world.said if isinstance(m, OfferAgain)]
    assert offered == [transfer(3), transfer(4)]
    credited = [m.transfer for m in resumed if isinstance(m, AdvanceCredited)]
    assert credited == [transfer(3), transfer(4)]


def test_people_of_a_suspended_corridor_are_credited_when_their_own_money_comes() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1))
    world.wait(25)

    world.send(*asked(2))
    before = world.balance(B, person(2))
    world.send(paid(2))

    assert (before, world.balance(B, person(2))) == (0, 100)
    assert corridor_of(world).suspended == "overdue_share"


def test_the_age_limit_declines_before_the_clock_has_looked() -> None:
    world = World(limits=Limits(1000, 300, age_days=5, calendar=WORKED))
    world.send(*asked(1))
    world.later += timedelta(days=10)  # the timer is late

    said = world.send(*asked(2))

    assert only(AdvanceDeclined, said).code == "age_limit"
    assert only(CorridorSuspended, said).code == "too_old"


def test_what_was_paid_in_time_holds_nobody_up_though_the_clock_has_not_looked() -> None:
    world = World(limits=Limits(1000, 300, age_days=5, calendar=WORKED))
    world.send(*asked(1))
    world.later += timedelta(days=3)
    world.send(*asked(2), paid(1))
    world.later += timedelta(days=4)

    said = world.send(*asked(3))

    assert [m.transfer for m in said if isinstance(m, AdvanceCredited)] == [transfer(3)]


def test_a_resumed_corridor_waits_for_its_working_days() -> None:
    limits = Limits(1000, 300, (), 60, 20, 30, 3, calendar=WORKED)
    world = World(limits=limits)
    world.send(*asked(1))
    world.wait(25)
    world.send(paid(1))

    before = corridor_of(world).suspended
    said = world.wait(4)

    assert before == "overdue_share"
    assert only(CorridorResumed, said).code == "paid"


def test_two_people_suspend_and_only_two_people_resume() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1))

    suspended = only(CorridorSuspended, world.send(SuspendCorridor(**TWO)))
    again = world.send(SuspendCorridor(**TWO))
    world.send(*asked(2), ReviewCorridor(to=B, origin=A), paid(1))
    still = corridor_of(world).suspended
    resumed = world.send(ResumeCorridor(**TWO))

    assert (suspended.code, suspended.proposed_by, suspended.approved_by) == ("by_hand", "x", "y")
    assert again == []
    assert still == "by_hand"
    assert only(CorridorResumed, resumed).code == "by_hand"
    assert only(AdvanceCredited, resumed).transfer == transfer(2)
    assert world.send(ResumeCorridor(**TWO)) == []


def test_what_is_overdue_when_two_people_resume_is_excused_and_later_debts_are_not() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1))
    world.wait(25)

    world.send(ResumeCorridor(**TWO))
    credited = only(AdvanceCredited, world.send(*asked(2)))
    later = only(CorridorSuspended, world.wait(25))

    assert credited.transfer == transfer(2)
    assert (later.code, later.overdue_fen) == ("overdue_share", 100)


def test_two_people_raise_a_limit_and_the_oldest_declined_are_advanced() -> None:
    world = World(limits=LIMITS)
    world.send(*[m for n in range(4) for m in asked(n, 300)], *asked(4, 200))

    said = world.send(ChangeLimit(**TWO, open_fen=1200))

    assert only(LimitChanged, said).open_fen == 1200
    assert [m.transfer for m in said if isinstance(m, AdvanceCredited)] == [transfer(3)]
    world.send(ChangeLimit(**TWO))
    assert only(AdvanceDeclined, world.send(*asked(5, 1))).code == "limit_reached"


def test_two_people_raise_the_limit_of_one_advance_and_whose_was_too_large_are_advanced() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1, 500), *asked(2, 900), *asked(3, 400))
    assert {c.declined for c in world.all(Claim)} == {"single_limit"}

    said = world.send(ChangeLimit(**TWO, single_fen=600))

    assert [m.transfer for m in said if isinstance(m, AdvanceCredited)] == [
        transfer(1),
        transfer(3),
    ]
    assert world.claim(transfer(2), person(2)).declined == "single_limit"
    lowered = world.send(ChangeLimit(**TWO, single_fen=100), ChangeLimit(**TWO, single_fen=600))
    assert [m for m in lowered if isinstance(m, AdvanceCredited)] == []


def test_a_policy_that_raises_the_limit_of_one_advance_is_noticed_by_the_next_working_day() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1, 500), *asked(2, 900))
    before = [m for m in world.wait(5) if isinstance(m, AdvanceCredited)]

    world.limits = replace(LIMITS, single_fen=600)
    said = world.wait(5)

    assert before == []
    assert [m.transfer for m in said if isinstance(m, AdvanceCredited)] == [transfer(1)]


def test_who_is_offered_again_already_is_not_queued_a_second_time() -> None:
    """What is offered is handled on the person's lane, which may be behind."""
    world = World(limits=LIMITS)
    world.send(*asked(1, 500))
    world.limits = replace(LIMITS, single_fen=600)
    held: deque[Message] = deque()
    world.held = held
    review = ReviewCorridor(to=B, origin=A)

    world.send(review, review)

    assert [m.transfer for m in held if isinstance(m, OfferAgain)] == [transfer(1)]


def test_a_corridor_where_nobody_is_kept_waiting_is_not_looked_at_every_day() -> None:
    world = World(limits=Limits(1000, 300))
    world.send(*asked(1, 500), paid(1, 500))
    world.wait(5)

    handled = world.number
    world.wait(20)

    assert world.number == handled


def test_who_fits_into_one_advance_still_waits_for_room_in_the_corridor() -> None:
    world = World(limits=LIMITS)
    world.send(*[m for n in range(3) for m in asked(n, 300)], *asked(4, 500))

    said = world.send(ChangeLimit(**TWO, single_fen=600))

    assert [m for m in said if isinstance(m, AdvanceCredited)] == []
    freed = world.send(paid(0, 300), paid(1, 300))
    assert only(AdvanceCredited, freed).transfer == transfer(4)


@pytest.mark.parametrize(
    "message",
    [
        SuspendCorridor(**{**TWO, "approved_by": "x"}),
        ResumeCorridor(**{**TWO, "approved_by": "x"}),
        ChangeLimit(**{**TWO, "approved_by": "x"}),
        ChangeLimit(**TWO, open_fen=-1),
    ],
)
def test_one_person_alone_or_a_limit_below_zero_is_refused(message: Message) -> None:
    with pytest.raises(Unexpected):
        World(limits=LIMITS).send(message)


def test_crossings_are_told_once_up_and_once_back_down() -> None:
    world = World(limits=LIMITS)
    for number in range(4):
        world.send(*asked(number, 240))
    for number in range(4):
        world.send(paid(number, 240))

    told = [(m.percent, m.rising) for m in world.said if isinstance(m, ExposureWarned)]

    assert told == [(95, True), (0, False)]


def test_a_newer_row_of_the_policy_counts_from_the_next_advance_on() -> None:
    world = World(limits=LIMITS)
    world.send(*asked(1))
    world.wait(10)
    world.limits = replace(LIMITS, suspend_after=5, since=world.at.date())

    said = world.send(*asked(2, 50))

    assert only(CorridorSuspended, said).overdue_fen == 100


def test_who_proposes_and_who_approves_suspend_and_resume_by_the_work_queue() -> None:
    world, item = World(limits=LIMITS), item_id("limit", B, A)
    world.send(*asked(1))

    def decide(act: type[Message], reason: str) -> list[Message]:
        about: dict[str, Any] = {"to": B, "item": item, "about": f"{A}>{B}"}
        body = {"to": B, "origin": A}
        proposal: dict[str, Any] = {"act": act.type, "body": body, "reason": reason}
        world.send(Propose(**about, by="li", roles=("clerk",), **proposal))
        return world.send(Approve(**about, by="wang", roles=("director",)))

    suspended = decide(SuspendCorridor, "does-not-pay")
    resumed = decide(ResumeCorridor, "pays-again")

    found = only(CorridorSuspended, suspended)
    assert (found.proposed_by, found.approved_by) == ("li", "wang")
    assert only(ItemDone, suspended).item == item
    assert only(CorridorResumed, resumed).reason == "pays-again"
