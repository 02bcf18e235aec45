"""What a feed sends about a record that has left: a correction waits for two people of the origin,
what moves the account corrects its release.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.people.states import Item, item_id
from shared.decision import Unexpected
from shared.messages import enrollment as e
from shared.messages import record_uuid
from shared.messages import settlement_people as p
from shared.messages.settlement import FundsReleased
from tests.unit.compensation_world import ALL, MOVED, TWO, Story
from tests.unit.enrollment_world import MARCH, PERSON, ZHENGZHOU, month, ranges
from tests.unit.settlement_world import only
from tests.unit.test_interleavings import TRANSFER, register

OPENED, FIX = record_uuid("test", "open"), record_uuid("test", "fix")
ITEM = item_id("correction", ZHENGZHOU, str(OPENED))
DIRECTOR, SUPERVISOR = ({"by": "li", "roles": (role,)} for role in ("director", "supervisor"))


def fix(name: str = "fix", **fields: Any) -> e.Register:  # noqa: ANN401 a message's fields
    return register("correct", name, ZHENGZHOU, refers_to=OPENED, person_type=None, **fields)


def moved(*messages: e.Register) -> Story:
    return Story().tell(*MOVED, *messages)


def answers(story: Story, record: UUID = FIX) -> list[tuple[str, str | None]]:
    said = [m for m in story.said(e.Answered) if isinstance(m, e.Answered) and m.record == record]
    return [(m.decision, m.code) for m in said]


def item(story: Story) -> Item:
    found = story.network.settlement.states["item", ITEM]
    assert isinstance(found, Item)
    return found


def act(kind: type[e.AmendRecord | e.DropAmendment], story: Story, **others: object) -> Any:  # noqa: ANN401
    """The act as it is proposed for the item: what is not typed comes from its facts."""
    facts = {**(item(story).facts or {}), **others}
    return kind.model_validate({"to": ZHENGZHOU, **facts, **TWO, "reason": "evidence"})


def amended(balance_fen: int, refers_to: UUID = OPENED) -> e.AmendRecord:
    """A balance that two people correct though no feed has asked for it."""
    about = {"to": ZHENGZHOU, "person": PERSON, "refers_to": refers_to}
    fields = {"balance_fen": balance_fen, **TWO, "reason": "evidence"}
    return e.AmendRecord.model_validate({**about, **fields})


def two_decide(
    story: Story,
    meant: e.AmendRecord | e.DropAmendment,
    checker: Mapping[str, object] = DIRECTOR,
) -> Story:
    """Through the work item, as people do."""
    return story.tell(*by_two(meant, checker))


def by_two(
    meant: e.AmendRecord | e.DropAmendment, checker: Mapping[str, object]
) -> tuple[p.Propose, p.Approve]:
    item_ = item_id("correction", ZHENGZHOU, str(meant.refers_to))
    about = {"to": ZHENGZHOU, "item": item_, "about": PERSON}
    names = {"proposed_by", "approved_by", "reason", "why"}
    body = {"act": meant.type, "body": meant.model_dump(mode="json", exclude=names)}
    maker = {"by": "chen", "roles": ("clerk",), "reason": "evidence"}
    return (
        p.Propose.model_validate({**about, **body, **maker}),
        p.Approve.model_validate({**about, **checker}),
    )


def at(day: date) -> dict[str, datetime]:
    return {"occurred_at": datetime.combine(day, MARCH.timetz())}


def test_a_correction_waits_for_two_people_and_nothing_changes_before() -> None:
    story = moved(fix(balance_fen=ALL - 100))

    assert answers(story) == [("accepted", "needs_two_people")]
    assert (item(story).state, item(story).amount_fen) == ("open", 100)
    assert (story.balance(), story.balance(ZHENGZHOU)) == (ALL, 0)


def test_what_two_people_approve_is_corrected_and_its_sender_told() -> None:
    story = moved(fix(balance_fen=ALL - 100))

    two_decide(story, act(e.AmendRecord, story))

    assert (story.balance(), story.transfer().funds.released) == (ALL - 100, ALL - 100)
    assert answers(story) == [("accepted", "needs_two_people"), ("accepted", None)]
    assert item(story).state == "done"


def test_corrected_months_go_to_who_has_the_record_now() -> None:
    story = moved(fix(months=ranges("2018-01..2026-02")))

    two_decide(story, act(e.AmendRecord, story))

    assert story.network.enrollment.relation().months == ranges("2018-01..2026-03")


MAY = 50_000_00


@pytest.mark.parametrize(
    ("was_fen", "is_fen", "refused"),
    [
        (MAY + ALL, 0, True),
        (0, MAY + ALL, True),
        (MAY + 1, 0, True),
        (MAY, 0, False),
        (0, MAY, False),
        (MAY + ALL, MAY + ALL + 1, False),
    ],
)
def test_taking_away_needs_the_authority_that_giving_needs(
    was_fen: int, is_fen: int, refused: object
) -> None:
    opened, *others = MOVED
    story = Story().tell(opened.model_copy(update={"balance_fen": was_fen}), *others)

    two_decide(story, amended(is_fen), SUPERVISOR)

    assert item(story).amount_fen == abs(is_fen - was_fen)
    codes = [m.code for m in story.said(p.ActRefused) if isinstance(m, p.ActRefused)]
    assert (codes, story.balance()) == ((["not_allowed"], was_fen) if refused else ([], is_fen))


@settings(max_examples=25)
@given(st.lists(st.integers(0, 10**10), min_size=2, max_size=4))
def test_a_correction_is_as_much_as_the_balance_changes_by(balances: list[int]) -> None:
    opened, *others = MOVED
    story = Story(most=10**12).tell(opened.model_copy(update={"balance_fen": balances[0]}), *others)

    for was_fen, is_fen in pairwise(balances):
        two_decide(story, amended(is_fen))
        assert item(story).amount_fen == abs(is_fen - was_fen)
        assert story.balance() == is_fen


def test_what_a_feed_says_meanwhile_makes_no_proposal_look_small() -> None:
    opened, *others = MOVED
    story = Story().tell(opened.model_copy(update={"balance_fen": MAY + ALL}), *others)
    proposed, approved = by_two(amended(0), SUPERVISOR)

    story.tell(proposed, fix(balance_fen=MAY), approved)

    assert only(p.ActRefused, story.network.told).code == "not_allowed"
    assert (item(story).state, item(story).amount_fen) == ("proposed", MAY + ALL)
    assert (item(story).facts or {})["balance_fen"] == MAY


def test_leaving_it_as_it_is_is_as_much_as_what_the_feed_asked_for_last() -> None:
    opened, *others = MOVED
    story = Story().tell(opened.model_copy(update={"balance_fen": 0}), *others, fix(balance_fen=1))
    story.tell(by_two(amended(1), SUPERVISOR)[0], fix("again", balance_fen=MAY + 1))
    story.tell(
        p.Reject.model_validate({"to": ZHENGZHOU, "item": ITEM, "about": PERSON, **SUPERVISOR})
    )
    assert item(story).state == "open"

    two_decide(story, act(e.DropAmendment, story), SUPERVISOR)

    assert only(p.ActRefused, story.network.told).code == "not_allowed"
    assert item(story).amount_fen == MAY + 1


def test_of_a_record_that_the_books_do_not_know_nobody_knows_how_much_it_changes() -> None:
    story = moved(fix(balance_fen=ALL - 100))

    two_decide(story, amended(1, refers_to=record_uuid("test", "stop")), SUPERVISOR)

    assert only(p.ActRefused, story.network.told).code == "not_allowed"


def test_what_two_people_leave_as_it_is_is_refused_to_its_sender() -> None:
    story = moved(fix(balance_fen=1))

    two_decide(story, act(e.DropAmendment, story))

    assert answers(story) == [("accepted", "needs_two_people"), ("refused", "not_agreed")]
    assert (item(story).state, story.balance()) == ("done", ALL)


def test_what_cannot_be_corrected_waits_for_them_again() -> None:
    story = moved(fix(balance_fen=1))

    two_decide(story, act(e.AmendRecord, story, month=month("2020-01")))

    assert item(story).state == "open"
    assert only(e.AmendmentRefused, story.network.told).code == "not_correctable"
    assert answers(story) == [("accepted", "needs_two_people")]


def test_the_books_may_refuse_it_too_and_then_it_waits_again() -> None:
    opened, *others = MOVED
    early = at(MARCH.date() - timedelta(days=5))
    spent = register("spend", "early", ZHENGZHOU, amount_fen=100, **early)
    story = Story().tell(opened, spent, *others, fix(balance_fen=99))

    two_decide(story, act(e.AmendRecord, story))

    assert (item(story).state, story.balance()) == ("open", ALL - 100)
    assert only(e.AmendmentRefused, story.network.told).code == "insufficient_balance"


def test_what_the_feed_says_last_is_what_is_to_be_decided() -> None:
    months = ranges("2018-01..2026-02")
    story = moved(fix("first", months=ranges("2017-01..2026-02")), fix(months=months))

    assert item(story).facts == {
        "person": PERSON,
        "asked": str(FIX),
        "refers_to": str(OPENED),
        "transfer": str(TRANSFER),
        "months": [list(one) for one in months],
    }


def test_a_correction_that_means_nothing_is_refused_at_once() -> None:
    assert answers(moved(fix())) == [("refused", "nothing_to_correct")]
    assert answers(moved(fix(month=month("2020-01")))) == [("refused", "not_correctable")]


def test_a_new_phone_needs_nobody() -> None:
    assert answers(moved(fix(sealed="new"))) == [("accepted", None)]


def test_one_alone_decides_nothing() -> None:
    story = moved(fix(balance_fen=1))
    alone = act(e.AmendRecord, story).model_copy(update={"approved_by": "chen"})

    with pytest.raises(Unexpected) as refused:
        story.tell(alone)
    assert refused.value.code == "needs_two_people"


def test_a_late_contribution_brings_its_month_and_its_money_after_the_person() -> None:
    paid = {"month": month("2019-02"), "nature": "back-paid", "paid_on": MARCH.date()}

    story = moved(register("contribute", "fix", ZHENGZHOU, amount_fen=500, **paid))

    assert answers(story) == [("accepted", None)]
    assert (story.balance(ZHENGZHOU), story.balance()) == (0, ALL + 500)
    assert story.transfer().version == 2
    assert story.network.enrollment.relation().months == ranges("2019-02..2026-03")


def test_a_late_spend_is_taken_back_from_the_release_and_its_refund_goes_along() -> None:
    early = at(MARCH.date() - timedelta(days=5))
    story = moved(register("spend", "fix", ZHENGZHOU, amount_fen=100, **early))
    assert (answers(story), story.balance()) == ([("accepted", None)], ALL - 100)

    story.tell(register("refund", "back", ZHENGZHOU, amount_fen=40, refers_to=FIX))

    assert (story.balance(ZHENGZHOU), story.balance()) == (0, ALL - 60)


def test_nothing_is_spent_at_the_origin_once_the_money_has_left() -> None:
    story = moved()
    left = only(FundsReleased, story.network.told).released_on

    story.tell(register("spend", "fix", ZHENGZHOU, amount_fen=100, **at(left)))

    assert answers(story) == [("accepted", None), ("refused", "insufficient_balance")]
    assert story.balance() == ALL
