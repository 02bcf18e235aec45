"""A fund's bank account is changed by two people, and the former one stays known."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.settlement.bank.changes import AccountChange
from services.settlement.netting.terms import Terms
from services.settlement.people.states import Item, item_id
from shared.decision import Unexpected
from shared.messages.settlement_accounts import AccountChanged, ChangeAccount, NoteAccount
from shared.messages.settlement_people import ActRefused, Approve, Propose
from shared.region_file import NewAccount
from shared.regions import Regions
from tests.unit.settlement_world import REGIONS, A, B, World, only

BANK = item_id("bank-account", B, "income")
FIELDS: dict[str, Any] = {"bank": "income", "account_key": "k1", "sealed": "s1"}
TWO = {"proposed_by": "x", "approved_by": "y", "reason": "bank-confirmed"}


def change(world: World, days: int, key: str = "k1", **others: Any) -> ChangeAccount:  # noqa: ANN401
    since = world.at.date() + timedelta(days=days)
    given = {"to": B, "since": since, **FIELDS, "account_key": key, **TWO, **others}
    return ChangeAccount.model_validate(given)


def kept(world: World) -> list[tuple[str, date]]:
    return [(one.account_key, one.since) for one in world.all(AccountChange)]


def decided(world: World, message: ChangeAccount) -> list[Any]:
    body = message.model_dump(mode="json", exclude=set(TWO) | {"why"})
    world.send(
        Propose(
            to=B,
            item=BANK,
            about=message.key,
            act=message.type,
            body=body,
            by="li",
            roles=("clerk",),
            reason="bank-confirmed",
        )
    )
    approval = Approve(to=B, item=BANK, about=message.key, by="wang", roles=("director",))
    return world.send(approval)


def test_one_proposes_another_approves_and_it_is_kept_who() -> None:
    world = World()

    said = decided(world, change(world, 5))

    changed = only(AccountChanged, said)
    assert (changed.proposed_by, changed.approved_by) == ("li", "wang")
    [one] = world.all(AccountChange)
    assert (one.region, one.bank, one.sealed, one.reason) == (B, "income", "s1", "bank-confirmed")
    [item] = world.all(Item)
    assert item.state == "done"


def test_one_person_alone_changes_nothing() -> None:
    world = World()

    with pytest.raises(Unexpected, match="two people"):
        world.send(change(world, 5, approved_by="x"))


def test_a_change_begins_tomorrow_at_the_earliest() -> None:
    world = World()
    tomorrow = world.at.date() + timedelta(days=1)

    world.send(change(world, -3))

    assert kept(world) == [("k1", tomorrow)]


def test_an_account_that_a_fund_has_or_another_had_is_not_given_again() -> None:
    world = World()
    world.send(change(world, 5))
    world.send(change(world, 5, "k2", to=A))

    said = decided(world, change(world, 9))
    others = decided(world, change(world, 9, "k2"))

    assert [only(ActRefused, m).code for m in (said, others)] == ["account_taken"] * 2
    assert len(kept(world)) == 2


def test_a_change_before_one_that_is_known_would_turn_their_order() -> None:
    world = World()
    world.send(change(world, 5))

    said = decided(world, change(world, 4, "k2"))

    assert only(ActRefused, said).code == "changed_later"
    assert len(kept(world)) == 1


def test_a_wrong_change_is_replaced_before_it_holds_or_taken_back_after() -> None:
    world = World()
    begins = world.at.date() + timedelta(days=5)
    world.send(change(world, 5, "wrong"), change(world, 5, "right"))
    world.send(change(world, 9, "again"), change(world, 12, "right"))

    after = [begins + timedelta(days=days) for days in (0, 0, 4, 7)]
    assert kept(world) == list(zip(("wrong", "right", "again", "right"), after, strict=True))


def test_the_account_that_holds_is_the_one_of_the_last_word_and_a_former_keeps_its_number() -> None:
    first, later = date(2026, 4, 1), date(2026, 5, 1)
    old = REGIONS.entities[A].bank.expense_account
    wrong, right = "4101010104000099998", "4101010104000099999"
    new = [(first, wrong), (first, right), (later, old)]

    changed = REGIONS.with_accounts([NewAccount(A, "expense", day, which) for day, which in new])

    bank = changed.entities[A].bank
    days = [date(2026, 3, 31), first, date(2026, 4, 30), later]
    assert [bank.account_on("expense", day) for day in days] == [old, right, right, old]
    assert bank.accounts("expense") == (old, wrong, right)
    assert [changed.account_number(which) for which in (old, wrong, right)] == [0, 1, 2]


def test_other_cells_learn_of_it_once() -> None:
    cells = {"410000": "ha", "130000": "ha"}
    world = World(terms=Terms(Regions(REGIONS.all, cells, "cn")))
    world.send(change(world, 5))
    [told] = [m for m in world.said if isinstance(m, NoteAccount)]
    there = World()

    there.send(told, told)

    assert told.to[:2] in {"41", "13"}
    assert kept(there) == kept(world)


def test_what_is_paid_on_a_day_goes_to_the_account_of_that_day() -> None:
    since = date(2026, 4, 1)
    old = REGIONS.entities[A].bank
    new = NewAccount(A, "expense", since, "4101010104000099999")

    changed = REGIONS.with_accounts([new, new])

    bank = changed.entities[A].bank
    assert bank.account_on("expense", date(2026, 3, 31)) == old.expense_account
    assert bank.account_on("expense", since) == new.account
    assert bank.account_on("income", since) == old.income_account
    for number, account in enumerate((old.expense_account, new.account)):
        found = changed.by_account(account)
        assert found
        assert (found[0].code, found[1]) == (A, "expense")
        assert changed.account_number(account) == number
    assert REGIONS.by_account(new.account) is None
