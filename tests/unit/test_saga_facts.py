"""What each step leaves in a transfer beside its two states, and what its messages carry."""

from dataclasses import fields
from datetime import date, datetime, timedelta

import pytest

from services.transfer.states import Deadline, Transfer
from shared.messages import Message
from tests.unit.saga_steps import RECORD_STEPS
from tests.unit.saga_steps_money import MONEY_STEPS
from tests.unit.test_saga_repair import Dialogue

NOT_SHOWN = {"asked", "held", "funds"}
ALWAYS = {"person", "transfer", "origin", "destination", "months", "digest", "opened_at"}


def shown(value: object) -> str:
    match value:
        case tuple():
            return " ".join(f"{shown(one)}" for one in value) or "-"
        case Deadline():
            return f"{value.step}@{shown(value.due_at)}" + f"+{value.level}" * bool(value.level)
        case datetime():
            return f"{value:%m-%dT%H:%M}".removesuffix("T00:00")
        case date():
            return f"{value:%m-%d}"
    return "-" if value is None else str(value)


def left(before: Transfer, after: Transfer) -> str:
    """The facts that are others than before, as `name=value`."""
    found = [
        f"{fact.name}={shown(getattr(new, fact.name))}"
        for old, new in ((before, after), (before.funds, after.funds))
        for fact in fields(new)
        if fact.name not in NOT_SHOWN and getattr(old, fact.name) != getattr(new, fact.name)
    ]
    return " ".join(found)


def told(message: Message) -> str:
    body = message.model_dump(exclude_defaults=True, exclude=ALWAYS)
    kind = message.type.split(".")[1]
    where = "O" if body.pop("to") == "410100" else "D"
    return " ".join([f"{kind}→{where}", *(f"{key}={shown(body[key])}" for key in body)])


STEPS = RECORD_STEPS | MONEY_STEPS


@pytest.mark.parametrize("step", STEPS, ids=lambda name: name.replace(" ", "-"))
def test_a_step_leaves_these_facts_and_says_this(step: str) -> None:
    heard, facts, says = STEPS[step]
    dialogue = Dialogue()
    before: Transfer | None = None
    said: list[Message] = []

    for act in heard:
        if isinstance(act, timedelta):
            dialogue.at += act
        else:
            before, said = dialogue.now, dialogue.hear(act)

    assert before
    assert (left(before, dialogue.seen), "; ".join(map(told, said))) == (facts, says)
