"""What the books refuse after the rules accepted it: the sender hears, and once only."""

from collections.abc import Sequence

import pytest

from shared.decision import Unexpected
from shared.messages import Message
from shared.messages import enrollment as e
from tests.unit.enrollment_world import PERSON, ZHENGZHOU, World, month, ranges, record


def refuse(world: World, name: str, what: str, code: str) -> Sequence[Message]:
    return world.tell(
        e.AnswerAnew(
            to=ZHENGZHOU,
            person=PERSON,
            record=record(name),
            what=what,  # type: ignore[arg-type]  # one of the literals
            code=code,
        )
    )


def opened() -> World:
    world = World()
    world.open()
    return world


def test_a_spend_that_the_books_refuse_is_answered_as_refused() -> None:
    world = opened()
    assert world.register("spend", "s", to=ZHENGZHOU, amount_fen=999_999_99) is None

    (answer,) = refuse(world, "s", "spend", "insufficient_balance")

    assert answer == e.Answered(
        to=ZHENGZHOU,
        person=PERSON,
        record=record("s"),
        source="test",
        record_id="s",
        decision="refused",
        code="insufficient_balance",
    )
    verdict = world.states["verdict", record("s")]
    assert (verdict.decision, verdict.code) == ("refused", "insufficient_balance")  # type: ignore[attr-defined]


def test_the_refusal_of_the_books_can_be_explained() -> None:
    world = opened()
    world.register("spend", "s", to=ZHENGZHOU, amount_fen=999_999_99)
    refuse(world, "s", "spend", "insufficient_balance")

    whys = [v for k, v in world.changes.items() if isinstance(k, tuple) and k[0] == "explanation"]

    assert [(w.subject, w.region) for w in whys] == [(record("s"), ZHENGZHOU)]  # type: ignore[attr-defined]


def test_a_correction_that_the_books_refuse_leaves_its_months() -> None:
    world = opened()
    months = ranges("2020-01..2026-02")
    fields = {"refers_to": record("open"), "months": months, "balance_fen": 1}
    assert world.register("correct", "c", to=ZHENGZHOU, **fields) is None
    before = world.person

    (answer,) = refuse(world, "c", "correct", "insufficient_balance")

    assert isinstance(answer, e.Answered)
    assert answer.decision == "refused"
    assert world.person == before
    assert world.relation(ZHENGZHOU).months == months


def test_a_refusal_is_told_once() -> None:
    world = opened()
    world.contribute("c", "2026-03", ZHENGZHOU, month=month("2026-03"), amount_fen=100)
    refuse(world, "c", "contribute", "no_account")

    assert refuse(world, "c", "contribute", "no_account") == []


def test_a_relation_stands_whatever_became_of_its_balance() -> None:
    world = opened()

    assert refuse(world, "open", "open", "no_account") == []
    assert world.states["verdict", record("open")].decision == "accepted"  # type: ignore[attr-defined]


def test_a_refusal_of_a_record_that_never_was_means_nothing() -> None:
    with pytest.raises(Unexpected):
        refuse(opened(), "nowhere", "spend", "insufficient_balance")
