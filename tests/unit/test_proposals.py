"""What may be proposed for an item, and which proposal an act that is done was."""

import json
from collections import deque
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.settlement.people.acts import ACTS, Act
from services.settlement.people.proposals import act_of
from services.settlement.people.states import Item, item_id
from shared.messages import Message
from shared.messages.settlement_accounts import ChangeAccount
from shared.messages.settlement_limits import ChangeLimit
from shared.messages.settlement_people import ActProposed, ActRefused, Approve, Propose
from tests.unit.settlement_world import T1, T2, A, B, World, advanced, detail, only, receipt

SAMPLES = Path(__file__).parents[1] / "contracts" / "samples"
NAMES = ("proposed_by", "approved_by", "reason", "why")
ON = [(act, queue) for act in ACTS.values() for queue in (act.queue, *act.on)]
CLERK = {"by": "li", "roles": ("clerk",)}


def body_of(act: Act) -> dict[str, Any]:
    sample = json.loads((SAMPLES / f"{act.message.type}.json").read_text("utf-8"))
    return {name: value for name, value in sample.items() if name not in NAMES}


def state_of(world: World, item: UUID) -> str:
    found = world.states["item", item]
    assert isinstance(found, Item)
    return found.state


@pytest.mark.parametrize(("act", "queue"), ON, ids=lambda one: getattr(one, "queue", one))
@pytest.mark.parametrize("same", [True, False])
def test_an_act_is_proposed_for_the_item_that_it_is_about_and_for_no_other(
    act: Act, queue: str, same: object
) -> None:
    world, body = World(), body_of(act)
    meant = act_of(act.message.type, body, "li", "", act.reasons[0], "")
    assert meant
    subject = act.subject_of(meant) if same else "another"
    item = Item(
        meant.key, item_id(queue, meant.to, subject), queue, meant.to, subject, "x", world.at
    )
    world.states["item", item.item] = item

    about: dict[str, Any] = {"to": meant.to, "item": item.item, "about": meant.key, **CLERK}
    proposal: dict[str, Any] = {"act": act.message.type, "body": body, "reason": act.reasons[0]}
    said = world.send(Propose(**about, **proposal))

    if same:
        assert only(ActProposed, said).item == item.item
    else:
        assert only(ActRefused, said).code == "other_subject"
        assert world.states["item", item.item] == item


def test_an_excess_is_not_lost_by_a_match_of_its_receipt() -> None:
    world = advanced()
    world.send(receipt("r1", detail(130, T1)))
    item = item_id("excess", B, str(T1))
    body = {**body_of(ACTS["settlement.match-receipt.v1"]), "transfer": str(T2)}

    about: dict[str, Any] = {"to": B, "item": item, "about": world.claim().person, **CLERK}
    proposal: dict[str, Any] = {"act": "settlement.match-receipt.v1", "body": body}
    said = world.send(Propose(**about, **proposal, reason="evidence"))

    assert only(ActRefused, said).code == "other_queue"
    assert state_of(world, item) == "open"


LIMIT: dict[str, Any] = {"to": B, "origin": A, "open_fen": 1000}
ACCOUNT: dict[str, Any] = {
    "to": B, "bank": "income", "since": "2026-04-10", "account_key": "k1", "sealed": "s1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "body", "another", "subject", "reason"),
    [
        (ChangeLimit, LIMIT, {"open_fen": 2000}, A, "demand"),
        (ChangeAccount, ACCOUNT, {"account_key": "k2"}, "income", "error"),
    ],
)
def test_what_is_proposed_before_the_approved_act_is_done_waits_for_its_own_approval(
    kind: type[Message], body: dict[str, Any], another: dict[str, Any], subject: str, reason: str
) -> None:
    world = World(held=deque())
    act = ACTS[kind.type]
    item = item_id(act.queue, B, subject)
    key = kind.model_validate({**body, **dict.fromkeys(NAMES, "")}).key
    about: dict[str, Any] = {"to": B, "item": item, "about": key}
    proposal: dict[str, Any] = {**CLERK, "act": kind.type, "reason": reason}
    approval = Approve(**about, by="wang", roles=("director",))

    world.send(Propose(**about, **proposal, body=body), approval)
    world.send(Propose(**about, **proposal, body={**body, **another}))
    assert world.held
    world.send(world.held.popleft())
    waits = state_of(world, item)
    world.send(approval)
    world.send(world.held.popleft())

    assert (waits, state_of(world, item)) == ("proposed", "done")
