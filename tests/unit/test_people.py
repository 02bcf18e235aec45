"""Who decides: items that the books open and settle, and acts that take two people."""

from uuid import UUID

import pytest

from services.settlement.people.acts import ACTS, QUEUES, REASONS
from services.settlement.people.states import Item, ItemStep, item_id, part_subject
from shared.decision import Unexpected
from shared.messages import Message
from shared.messages.settlement import AdvanceFunded, ApplyReceipt, ShortfallFound
from shared.messages.settlement_people import (
    ActApproved,
    ActProposed,
    ActRefused,
    ActRejected,
    Approve,
    ItemDone,
    ItemOpened,
    MatchReceipt,
    Propose,
    Reject,
)
from tests.unit.settlement_world import (
    PERSON,
    T1,
    T2,
    A,
    B,
    World,
    advanced,
    credit,
    detail,
    only,
    open_account,
    receipt,
    some_id,
)

MATCH = MatchReceipt.type
INCOME = f"{B}:income"
R1 = some_id("r1")
OTHER = "0" * 31 + "2"
ITEM = item_id("receipt", B, part_subject(R1, 0))


def propose(item: UUID = ITEM, transfer: UUID = T1, *, by: str = "li", **others: object) -> Propose:
    body = {"to": B, "account": INCOME, "receipt": str(R1), "part": 0, "transfer": str(transfer)}
    fields = {
        "to": B, "about": INCOME, "roles": ("clerk",), "act": MATCH, "body": body,
        "reason": "evidence", **others,
    }  # fmt: skip
    return Propose.model_validate({"item": item, "by": by, **fields})


def approve(item: UUID = ITEM, *, by: str = "wang", **others: object) -> Approve:
    fields = {"to": B, "about": INCOME, "roles": ("supervisor",), **others}
    return Approve.model_validate({"item": item, "by": by, **fields})


def reject(item: UUID = ITEM, *, by: str = "wang", **others: object) -> Reject:
    fields = {"to": B, "about": INCOME, "roles": ("supervisor",), **others}
    return Reject.model_validate({"item": item, "by": by, **fields})


def item_in(world: World, id_: UUID = ITEM) -> Item:
    found = world.states["item", id_]
    assert isinstance(found, Item)
    return found


def steps(world: World, id_: UUID = ITEM) -> list[str]:
    return [step.what for step in world.all(ItemStep) if step.item == id_]


def in_doubt(amount_fen: int = 100) -> World:
    """A receipt that refers to nothing, beside an advance of 100."""
    world = advanced()
    opened = only(ItemOpened, world.send(receipt("r1", detail(amount_fen))))
    assert (opened.item, opened.queue, opened.amount_fen) == (ITEM, "receipt", amount_fen)
    return world


def refusal(said: list[Message]) -> str:
    return only(ActRefused, said).code


def test_what_one_proposes_and_another_approves_is_done() -> None:
    world = in_doubt()

    assert only(ActProposed, world.send(propose())).by == "li"
    said = world.send(approve())

    assert only(ActApproved, said).by == "wang"
    assert only(AdvanceFunded, said).matched_fen == 100
    given = only(MatchReceipt, world.said)
    assert (given.proposed_by, given.approved_by, given.reason) == ("li", "wang", "evidence")
    assert only(ItemDone, said).code == "matched"
    assert item_in(world).state == "done"
    assert steps(world) == ["opened", "proposed", "approved", "done"]


def test_nobody_approves_their_own_proposal() -> None:
    world = in_doubt()
    world.send(propose(by="li"))

    said = world.send(approve(by="li", roles=("director",)))

    assert refusal(said) == "same_person"
    assert item_in(world).state == "proposed"
    assert not [m for m in world.said if isinstance(m, MatchReceipt)]


@pytest.mark.parametrize(
    ("roles", "amount_fen", "code"),
    [
        ((), 100, "not_allowed"),
        (("clerk",), 100, "not_allowed"),
        (("supervisor",), 50_000_00, None),
        (("supervisor",), 50_000_01, "not_allowed"),
        (("director",), 50_000_01, None),
        (("clerk", "director"), 900_000_00, None),
    ],
)
def test_an_amount_takes_a_role_that_may_approve_so_much(
    roles: tuple[str, ...], amount_fen: int, code: str | None
) -> None:
    world = in_doubt(amount_fen)
    world.send(propose())

    refused = [m.code for m in world.send(approve(roles=roles)) if isinstance(m, ActRefused)]

    assert refused == ([code] if code else [])


def test_a_decision_is_about_the_proposal_that_was_read() -> None:
    world = in_doubt()
    read = only(ActProposed, world.send(propose())).proposal
    world.send(reject(by="li", why="the wrong transfer"))
    world.send(propose(transfer=T2))

    assert refusal(world.send(approve(proposal=read))) == "changed_meanwhile"


def test_nothing_is_decided_twice_or_before_it_is_proposed() -> None:
    world = in_doubt()

    assert refusal(world.send(approve())) == "nothing_proposed"
    world.send(propose())
    assert refusal(world.send(propose(by="zhao"))) == "already_proposed"
    world.send(approve())
    assert refusal(world.send(approve(by="zhao"))) == "already_decided"
    assert refusal(world.send(reject(by="zhao"))) == "already_decided"
    assert refusal(world.send(approve(some_id("none")))) == "unknown_item"


def test_a_rejected_item_of_the_books_waits_again() -> None:
    world = in_doubt()
    world.send(propose())

    said = world.send(reject(why="another person of that name"))

    assert only(ActRejected, said).why == "another person of that name"
    assert item_in(world).state == "open"
    only(ActProposed, world.send(propose()))


def test_a_new_item_may_be_opened_by_its_proposal_and_ends_with_its_rejection() -> None:
    world = in_doubt()
    world.states.pop(("item", ITEM))

    world.send(propose(), reject())

    assert (item_in(world).opened_by, item_in(world).state) == ("li", "rejected")


@pytest.mark.parametrize(
    ("others", "code"),
    [
        ({"roles": ()}, "not_allowed"),
        ({"reason": "because"}, "unknown_reason"),
        ({"to": A}, "other_region"),
        ({"item": some_id("another"), "about": PERSON}, "other_queue"),
    ],
)
def test_a_proposal_that_cannot_be_is_refused(others: dict[str, object], code: str) -> None:
    world = in_doubt()

    assert refusal(world.send(propose(**{"item": ITEM, **others}))) == code  # type: ignore[arg-type]
    assert item_in(world).state == "open"


def test_an_act_that_nobody_knows_is_refused_as_meaningless() -> None:
    with pytest.raises(Unexpected, match="cannot be proposed"):
        in_doubt().send(propose(act="settlement.nothing.v1"))
    with pytest.raises(Unexpected, match="cannot be proposed"):
        in_doubt().send(propose(body={"to": B}))


def test_an_act_given_by_one_alone_is_refused() -> None:
    alone = MatchReceipt(
        to=B, account=INCOME, receipt=R1, transfer=T1, proposed_by="li", approved_by="li",
        reason="evidence",
    )  # fmt: skip

    with pytest.raises(Unexpected, match="two people"):
        in_doubt().send(alone)


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"transfer": some_id("none")}, "unknown_claim"), ({"part": 7}, "unknown_receipt")],
)
def test_an_act_that_cannot_be_done_is_given_back(changed: dict[str, object], code: str) -> None:
    world = in_doubt()
    body = {**propose().body, **{name: str(value) for name, value in changed.items()}}
    subject = part_subject(R1, int(str(changed.get("part", 0))))
    item = item_id("receipt", B, subject)
    world.send(propose(item, body=body))

    said = world.send(approve(item, roles=("director",)))

    assert [m.code for m in said if isinstance(m, ActRefused)] == [code]
    assert item_in(world, item).state == "open"


def test_part_of_a_receipt_may_be_matched_and_the_rest_waits() -> None:
    world = in_doubt(150)
    world.send(propose(body={**propose().body, "amount_fen": 100}), approve())

    assert world.claim().matched_fen == 100
    assert (item_in(world).state, item_in(world).amount_fen) == ("open", 50)


def test_the_books_settle_what_they_opened_when_its_cause_is_gone() -> None:
    world = advanced()
    said = world.send(receipt("short", detail(60, T1)))
    shortfall = only(ItemOpened, said)
    assert (shortfall.queue, shortfall.amount_fen) == ("shortfall", 40)
    only(ShortfallFound, said)

    said = world.send(receipt("rest", detail(40, T1)))

    assert only(ItemDone, said).item == shortfall.item


def test_an_excess_waits_for_a_person() -> None:
    said = advanced().send(receipt("over", detail(130, T1)))

    opened = only(ItemOpened, said)
    assert (opened.queue, opened.amount_fen, opened.about) == ("excess", 30, PERSON)


def test_an_automatic_match_settles_the_item_of_a_waiting_receipt() -> None:
    world = World()
    waiting = only(ItemOpened, world.send(receipt("early", detail(100, T1)))).item

    said = world.send(credit(100))

    assert only(ItemDone, said).item == waiting
    assert [m.rule for m in world.said if isinstance(m, ApplyReceipt)] == ["reference-amount"]


def test_every_act_says_where_it_is_decided_and_why_it_may_be_proposed() -> None:
    for act in ACTS.values():
        assert {act.queue, *act.on} <= QUEUES.keys()
        assert act.reasons
        assert set(act.reasons) <= REASONS.keys()
        fields = act.message.model_fields
        assert {*act.subject, *([act.amount] if act.amount else [])} <= fields.keys()


def test_one_payment_may_be_matched_to_several() -> None:
    world = in_doubt(170)
    world.send(open_account(B, person=OTHER), credit(60, T2, person=OTHER))
    body = {**propose().body, "others": [str(T2)]}

    world.send(propose(body=body), approve())

    assert world.claim().matched_fen == 100
    assert world.claim(T2, OTHER).matched_fen == 60
    assert (item_in(world).state, item_in(world).amount_fen) == ("open", 10)


def test_what_people_have_matched_no_automatic_run_touches() -> None:
    world = in_doubt(150)
    world.send(propose(), approve())
    before = world.part("r1")

    world.send(open_account(B, person=OTHER), credit(50, T2, person=OTHER))

    assert world.part("r1") == before
    assert before.rule == "manual"
