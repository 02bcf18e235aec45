"""An account is free again: what the person owes comes first, then what waited goes on."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.settlement.people.states import Item, item_id
from shared.messages import Message
from shared.messages.enrollment import AnswerAnew
from shared.messages.settlement import FundsWithheld, PaidOut, PayOut
from shared.messages.settlement_compensation import AdvanceAdjusted, Recovered
from shared.messages.settlement_freezing import AccountUnfrozen, EndFreeze, UnfreezeAccount
from shared.messages.settlement_people import Approve, ItemDone, Propose
from tests.unit.settlement_world import (
    PERSON,
    T1,
    T2,
    A,
    B,
    C,
    World,
    advanced,
    announced,
    late_contribution,
    only,
    open_account,
    opened_world,
    release_funds,
    some_id,
)
from tests.unit.test_freezing import freeze, holder, spend, unfreeze

DEAD: dict[str, Any] = {"person": PERSON, "reason": "deceased", "record": some_id("dead")}
TO_PERSON: dict[str, Any] = {"person": PERSON, "reason": "no-account-at-destination"}


def told(world: World, said: list[Any]) -> list[Any]:
    """What transfers make of it, and of what follows."""
    found, more = list(said), announced(said)
    while more:
        news: list[Any] = world.send(*more)
        found += news
        more = announced(news)
    return found


def owing(**until: Any) -> World:  # noqa: ANN401 a message's fields
    """100 were advanced at B and are held there; 30 of them were spent at A before."""
    world = advanced()
    world.send(freeze(B, **until))
    adjusted = told(world, spend(world, A, 30, days=3))
    assert only(AdvanceAdjusted, adjusted).recoverable_fen == 30
    assert world.balance(B) == 100
    return world


def moved_on() -> World:
    """A→B→C: all of it has gone on to C."""
    world = advanced()
    world.send(open_account(C))
    told(world, world.send(release_funds(T2, at=B, to=C)))
    assert (world.balance(B), world.balance(C)) == (0, 100)
    return world


def in_days(world: World, days: int) -> date:
    return world.at.date() + timedelta(days=days)


# --- what the person owes ---------------------------------------------------------------------


def test_what_is_owed_is_recovered_when_two_people_let_it_go() -> None:
    world = owing()

    recovered = only(Recovered, world.send(unfreeze(B)))

    assert (recovered.amount_fen, recovered.recoverable_fen, recovered.by_demand) == (30, 0, False)
    assert world.balance(B) == 70


def test_heirs_are_paid_without_what_is_owed() -> None:
    world = owing()
    world.send(PayOut(to=B, **DEAD))

    said = world.send(unfreeze(B))

    assert only(Recovered, said).amount_fen == 30
    assert only(PaidOut, said).amount_fen == 70
    assert world.balance(B) == 0


def test_it_leaves_for_the_next_region_without_what_is_owed() -> None:
    world = owing()
    world.send(open_account(C), unfreeze(B))

    told(world, world.send(release_funds(T2, at=B, to=C)))

    assert (world.balance(B), world.balance(C)) == (0, 70)
    assert (world.release().owed_fen, world.claim().recoverable_fen) == (70, 0)


@pytest.mark.parametrize("asked", ["release", "payout", "heirs", "spend"])
def test_its_day_has_come_and_nobody_was_reminded_yet(asked: str) -> None:
    world = owing(until=in_days(opened_world(), 10))
    world.send(open_account(C))
    world.later += timedelta(days=20)
    asking: dict[str, Message] = {
        "release": release_funds(T2, at=B, to=C),
        "payout": PayOut(to=B, transfer=T2, destination=C, **TO_PERSON),
        "heirs": PayOut(to=B, **DEAD),
    }

    said = world.send(asking[asked]) if asked in asking else spend(world, B, 70)

    assert only(AccountUnfrozen, said).reason == "over"
    assert only(Recovered, said).amount_fen == 30
    told(world, said)
    assert world.balance(B) == 0
    assert world.balance(C) == (70 if asked == "release" else 0)
    assert world.send(EndFreeze(to=B, person=PERSON)) == []


def test_a_reminder_that_comes_when_the_clock_was_set_back_is_not_lost() -> None:
    world = opened_world()
    world.send(freeze(B, until=in_days(world, 10)))
    (timer,) = (t for t in world.timers.values() if isinstance(t.message, EndFreeze))

    assert world.send(EndFreeze(to=B, person=PERSON)) == []  # of an earlier version

    assert timer.message
    assert only(AccountUnfrozen, world.send(timer.message)).reason == "over"


def test_what_comes_back_from_the_next_region_passes_through_a_held_account() -> None:
    world = moved_on()
    world.send(freeze(B))

    said = told(world, spend(world, A, 30, days=3))

    of_b = next(m for m in said if isinstance(m, AdvanceAdjusted) and m.transfer == T1)
    assert (of_b.unspent_fen, of_b.recoverable_fen) == (30, 0)
    assert (world.balance(B), world.balance(C)) == (0, 70)
    assert told(world, world.send(unfreeze(B)))[1:] == []
    assert world.balance(C) == 70


def test_only_what_came_back_passes_through_a_held_account() -> None:
    world = moved_on()
    world.send(freeze(B))
    told(world, world.send(*late_contribution(world, 20)))

    told(world, spend(world, A, 30, days=3))

    assert (world.balance(B), world.balance(C)) == (20, 70)
    told(world, world.send(unfreeze(B)))
    assert (world.balance(B), world.balance(C)) == (0, 90)


# --- renewed ----------------------------------------------------------------------------------


def test_a_freeze_that_is_renewed_is_held_since_it_began() -> None:
    world = opened_world()
    world.send(freeze(until=in_days(world, 30)))
    world.later += timedelta(days=10)
    world.send(freeze(until=in_days(world, 60)))

    between = spend(world, A, 10, days=5)
    before = spend(world, A, 20, days=11)

    assert only(AnswerAnew, between).code == "account_frozen"
    assert [m for m in before if isinstance(m, AnswerAnew)] == []
    assert world.balance(A) == 80


@pytest.mark.parametrize("first", [{"what": "leaving"}, {"until": 5}])
def test_what_could_be_spent_until_it_was_held_counts(first: dict[str, Any]) -> None:
    world = opened_world()
    if "until" in first:
        first = {"until": in_days(world, first["until"])}
    world.send(freeze(**first))
    world.later += timedelta(days=10)
    world.send(freeze())

    spend(world, A, 10, days=2)

    assert world.balance(A) == 90


# --- people, and the transfer that asks -------------------------------------------------------


def test_what_is_proposed_in_the_meantime_is_still_to_be_decided() -> None:
    world = opened_world()
    item = item_id("freeze", A, PERSON)
    about: dict[str, Any] = {"to": A, "item": item, "about": PERSON, "roles": ("director",)}
    unfreezing: dict[str, Any] = {"act": UnfreezeAccount.type, "reason": "error"}
    world.send(Propose(**about, by="li", **unfreezing, body={"to": A, "person": PERSON}))

    said = world.send(freeze())

    assert [m for m in said if isinstance(m, ItemDone)] == []
    [found] = world.all(Item)
    assert (found.state, found.act) == ("proposed", UnfreezeAccount.type)
    assert only(AccountUnfrozen, world.send(Approve(**about, by="wang"))).reason == "error"
    [found] = world.all(Item)
    assert found.state == "done"


def test_an_account_may_be_let_go_early_so_it_is_asked_for_again_within_a_month() -> None:
    world = opened_world()
    world.send(freeze(until=date(2099, 1, 1)))

    asked = only(FundsWithheld, world.send(release_funds()))

    assert asked.until == in_days(world, 30)
    assert holder(world, A).frozen_until == date(2099, 1, 1)
