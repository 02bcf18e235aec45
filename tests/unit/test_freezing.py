"""An account that is held: what comes in is credited, nothing leaves it until it is free."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.settlement.people.states import Item, item_id
from services.settlement.states import Holder
from shared.decision import Unexpected
from shared.messages.enrollment import AnswerAnew
from shared.messages.settlement import (
    AdvanceCredited,
    FundsReleased,
    FundsWithheld,
    PaidOut,
    PayOut,
    Spend,
)
from shared.messages.settlement_compensation import (
    ActDeclined,
    AdvanceAdjusted,
    AdvanceReversed,
    Recover,
    ReverseAdvance,
)
from shared.messages.settlement_freezing import (
    AccountFrozen,
    AccountUnfrozen,
    FreezeAccount,
    UnfreezeAccount,
)
from shared.messages.settlement_people import ActRefused, Approve, Propose
from tests.unit.compensation_world import MOVED, Story
from tests.unit.enrollment_world import NANNING, ZHENGZHOU
from tests.unit.enrollment_world import PERSON as SOMEBODY
from tests.unit.settlement_world import (
    PERSON,
    T1,
    A,
    B,
    World,
    advanced,
    announced,
    late_contribution,
    only,
    opened_world,
    release_funds,
    some_id,
)

TWO: dict[str, Any] = {"proposed_by": "li", "approved_by": "wang", "reason": "court-order"}


def freeze(region: str = A, **others: Any) -> FreezeAccount:  # noqa: ANN401 a message's fields
    return FreezeAccount.model_validate({"to": region, "person": PERSON, **TWO, **others})


def unfreeze(region: str = A) -> UnfreezeAccount:
    return UnfreezeAccount.model_validate({"to": region, "person": PERSON, **TWO})


def spend(world: World, region: str, fen: int, days: int = 0) -> list[Any]:
    on = world.at.date() - timedelta(days=days)
    record = some_id(f"spend {world.number}")
    return world.send(Spend(to=region, person=PERSON, record=record, amount_fen=fen, spent_on=on))


def holder(world: World, region: str) -> Holder:
    found = world.states["holder", PERSON, region]
    assert isinstance(found, Holder)
    return found


def test_one_proposes_and_another_approves() -> None:
    world = opened_world()
    item = item_id("freeze", A, PERSON)
    body: dict[str, Any] = {"to": A, "person": PERSON, "what": "all", "until": "2099-01-01"}
    world.send(
        Propose(
            to=A,
            item=item,
            about=PERSON,
            act=FreezeAccount.type,
            body=body,
            by="li",
            roles=("clerk",),
            reason="court-order",
        )
    )

    said = world.send(Approve(to=A, item=item, about=PERSON, by="wang", roles=("director",)))

    assert only(AccountFrozen, said).until == date(2099, 1, 1)
    [found] = world.all(Item)
    assert found.state == "done"


def test_one_alone_holds_nothing() -> None:
    with pytest.raises(Unexpected, match="two people"):
        opened_world().send(freeze(approved_by="li"))


def test_a_held_account_is_not_released_before_its_day() -> None:
    world = opened_world()
    until = world.at.date() + timedelta(days=10)
    world.send(freeze(until=until))

    told = only(FundsWithheld, world.send(release_funds()))
    early = world.send(release_funds())
    freed = only(AccountUnfrozen, world.wait(11))
    released = world.send(release_funds())

    assert (told.code, told.until) == ("account_frozen", until)
    assert only(FundsWithheld, early) == told
    assert freed.reason == "over"
    assert only(FundsReleased, released).principal_fen == 100


def test_without_a_day_it_is_asked_for_again_after_a_month_until_two_people_let_it_go() -> None:
    world = opened_world()
    world.send(freeze())

    told = only(FundsWithheld, world.send(release_funds()))
    world.send(unfreeze())
    released = world.send(release_funds())

    assert told.until == world.at.date() + timedelta(days=30)
    assert only(FundsReleased, released).principal_fen == 100


def test_a_later_decision_replaces_the_day() -> None:
    world = opened_world()
    world.send(freeze(until=world.at.date() + timedelta(days=10)))
    world.send(freeze(until=world.at.date() + timedelta(days=90)))

    world.wait(30)

    assert only(FundsWithheld, world.send(release_funds())).code == "account_frozen"


def test_an_advance_is_credited_to_a_held_account_and_cannot_be_spent() -> None:
    world = opened_world()
    world.send(freeze(B))

    credited = world.send(*announced(world.send(release_funds())))
    refused = spend(world, B, 10)

    assert only(AdvanceCredited, credited).amount_fen == 100
    assert only(AnswerAnew, refused).code == "account_frozen"
    assert world.balance(B) == 100


def test_what_was_spent_before_it_was_held_counts() -> None:
    world = opened_world()
    world.send(freeze())

    spend(world, A, 30, days=1)

    assert world.balance(A) == 70


def test_where_only_the_leaving_is_held_a_bill_is_settled_and_then_it_leaves() -> None:
    world = opened_world()
    world.send(freeze(what="leaving", reason="unsettled"))

    only(FundsWithheld, world.send(release_funds()))
    spend(world, A, 40)
    world.send(unfreeze())

    assert only(FundsReleased, world.send(release_funds())).principal_fen == 60


def test_nothing_is_taken_back_or_recovered_from_a_held_account() -> None:
    world = advanced()
    world.send(freeze(B))
    claim: dict[str, Any] = {"to": B, "origin": A, "person": PERSON, "transfer": T1}

    adjusted = world.send(*announced(spend(world, A, 30, days=3)))
    declined = world.send(Recover(**claim, **TWO))
    reversed_ = world.send(ReverseAdvance(**claim, number=1))

    assert only(AdvanceAdjusted, adjusted).recoverable_fen == 30
    assert only(ActDeclined, declined).code == "nothing_to_recover"
    assert only(AdvanceReversed, reversed_).amount_fen == 0
    assert world.balance(B) == 100


def test_what_comes_after_the_release_stays_until_it_is_free() -> None:
    world = advanced()
    world.send(freeze())

    assert late_contribution(world, 25) == []
    assert world.balance(A) == 25
    world.send(*announced(world.send(unfreeze())))

    assert (world.balance(A), world.balance(B)) == (0, 125)


def test_heirs_are_paid_when_it_is_free() -> None:
    world = opened_world()
    world.send(freeze(until=world.at.date() + timedelta(days=10)))

    held = world.send(PayOut(to=A, person=PERSON, reason="deceased", record=some_id("dead")))
    paid = world.wait(11)

    assert [m for m in held if isinstance(m, PaidOut)] == []
    assert only(PaidOut, paid).amount_fen == 100


def test_who_is_not_held_is_not_let_go() -> None:
    world = opened_world()
    item = item_id("freeze", A, PERSON)
    body: dict[str, Any] = {"to": A, "person": PERSON}
    about: dict[str, Any] = {"to": A, "item": item, "about": PERSON}
    world.send(
        Propose(
            **about,
            act=UnfreezeAccount.type,
            body=body,
            by="li",
            roles=("clerk",),
            reason="error",
        )
    )

    said = world.send(Approve(**about, by="wang", roles=("director",)))

    assert only(ActRefused, said).code == "not_frozen"


def test_a_transfer_waits_for_a_held_account_and_asks_again_on_its_day() -> None:
    story = Story()
    opened, *rest = MOVED
    story.tell(opened)
    held = freeze(ZHENGZHOU, person=SOMEBODY)
    story.tell(held, *rest)
    assert story.transfer().money == "withheld"
    assert story.transfer().reason == "account_frozen"

    again = unfreeze(ZHENGZHOU).model_copy(update={"person": SOMEBODY})
    story.tell(again)

    assert story.balance(NANNING) == 0
    assert holder_of(story).frozen is None


def holder_of(story: Story) -> Holder:
    found = story.network.settlement.states["holder", SOMEBODY, ZHENGZHOU]
    assert isinstance(found, Holder)
    return found
