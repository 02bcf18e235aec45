"""How work items and their history are rows."""

import json

from services.settlement.people.states import Item, ItemStep
from services.settlement.rows import Table

ITEMS = Table(
    "items",
    Item,
    2,
    "about text, item uuid, queue text, region text, subject text, opened_by text,"
    " opened_at timestamptz, amount_fen bigint, facts jsonb, state text, proposal uuid, act text,"
    " body jsonb, reason text, why text, proposed_by text, proposed_at timestamptz,"
    " decided_by text, decided_at timestamptz",
)
STEP = ("about", "item", "step", "cause", "at", "what", "by", "code", "act", "body", "why")


def step_row(step: ItemStep) -> tuple[object, ...]:
    """A step in the order of its columns."""
    body = None if step.body is None else json.dumps(step.body)
    return tuple(body if name == "body" else getattr(step, name) for name in STEP)
