"""A match is undone by two people, and by nobody and nothing else."""

from typing import Any
from uuid import UUID

import pytest

from services.settlement.people.states import Item, item_id, part_subject
from services.settlement.states import Claim, Part
from shared.decision import Unexpected
from shared.messages import Message
from shared.messages.settlement import AdvanceFunded, CorrectBalance, InstructRemittance
from shared.messages.settlement_compensation import (
    ActDeclined,
    MatchUndone,
    ReturnReceipt,
    UndoMatch,
    WriteOff,
)
from shared.messages.settlement_people import ItemOpened, MatchReceipt
from tests.unit.settlement_back import about
from tests.unit.settlement_world import (
    PERSON,
    T1,
    T2,
    A,
    B,
    World,
    advanced,
    announced,
    credit,
    detail,
    late_contribution,
    only,
    receipt,
    some_id,
)

R1 = some_id("r1")
TWO = {"proposed_by": "chen", "approved_by": "li", "reason": "error"}
ITEM = item_id("receipt", B, part_subject(R1, 0))
OTHER = "0" * 31 + "2"


def claims(world: World) -> list[Claim]:
    return list(world.all(Claim))


def claim_in(world: World, transfer: UUID = T1) -> Claim:
    return next(claim for claim in claims(world) if claim.transfer == transfer)


def part_in(world: World, receipt: UUID = R1) -> Part:
    parts: list[Part] = list(world.all(Part))
    return next(part for part in parts if part.receipt == receipt)


def item_in(world: World, id_: UUID = ITEM) -> Item:
    found = world.states["item", id_]
    assert isinstance(found, Item)
    return found


def matched(*transfers: UUID, **fields: object) -> MatchReceipt:
    first, *others = transfers or (T1,)
    named = {"receipt": R1, "transfer": first, "others": others, **TWO, **fields}
    return MatchReceipt.model_validate({"to": B, "account": f"{B}:income", **named})


def undo(world: World, transfer: UUID = T1, **fields: object) -> UndoMatch:
    named: dict[str, Any] = {"receipt": R1, "account": f"{B}:income", **TWO, **fields}
    return about(claim_in(world, transfer), UndoMatch, **named)


def by_hand(amount_fen: int = 100, **fields: object) -> World:
    """An advance of 100, and a receipt that two people have said is for it."""
    world = advanced()
    world.send(receipt("r1", detail(amount_fen)), matched(**fields))
    return world


def test_the_debt_is_open_again_and_the_receipt_waits_for_its_owner() -> None:
    world = by_hand()
    before = dict(world.entries)
    assert (claim_in(world).open_fen, item_in(world).state) == (0, "done")

    said = world.send(undo(world))

    told = only(MatchUndone, said)
    assert (told.amount_fen, told.open_fen, told.matched_fen) == (100, 100, 0)
    assert (claim_in(world).open_fen, claim_in(world).credited_fen) == (100, 100)
    part = part_in(world)
    assert (part.rest_fen, part.verdict, part.rule) == (100, "unknown", "undone")
    assert part.transfers == ()
    assert only(ItemOpened, said).item == ITEM
    assert (item_in(world).state, item_in(world).amount_fen) == ("open", 100)
    assert world.account(B, "suspense") == 100
    assert before.items() <= world.entries.items(), "nothing that was booked is changed"
    undone = {"transfer": str(T1), "by": ["chen", "li"], "reason": "error", "why": ""}
    assert (part.evidence or {})["undone"] == [undone]


def test_it_can_be_matched_by_people_again() -> None:
    world = by_hand()
    world.send(undo(world))

    said = world.send(matched())

    assert only(AdvanceFunded, said).matched_fen == 100
    assert claim_in(world).open_fen == 0


def test_undone_twice_is_undone_once() -> None:
    world = by_hand()
    world.send(undo(world))

    said = world.send(undo(world))

    assert only(ActDeclined, said).code == "unknown_receipt"
    assert claim_in(world).open_fen == 100


def test_one_alone_undoes_nothing() -> None:
    world = by_hand()

    with pytest.raises(Unexpected):
        world.send(undo(world, approved_by="chen"))


def test_no_automatic_run_undoes_a_manual_match() -> None:
    world = by_hand()
    kept = part_in(world)

    world.send(
        receipt("r1", detail(100)),  # the same line once more
        receipt("r2", detail(100, T1)),
        credit(100, T2, person=OTHER),
        *late_contribution(world, 50),
    )

    assert part_in(world) == kept
    assert kept.rule == "manual"


def test_no_automatic_run_matches_anew_what_people_took_apart() -> None:
    world = advanced()
    world.send(receipt("r1", detail(100, T1)))
    assert part_in(world).rule == "reference-amount"
    world.send(undo(world))

    world.send(*late_contribution(world, 50))

    assert (part_in(world).rest_fen, claim_in(world).matched_fen) == (100, 0)


def test_what_was_too_much_of_it_is_taken_along() -> None:
    world = by_hand(130)
    assert claim_in(world).excess_fen == 30

    told = only(MatchUndone, world.send(undo(world)))

    assert (told.amount_fen, told.excess_fen, told.open_fen) == (100, 0, 100)
    assert part_in(world).rest_fen == 130


def test_of_a_match_with_several_one_is_undone() -> None:
    world = advanced()
    world.send(credit(40, T2), receipt("r1", detail(140)), matched(T1, T2))
    assert part_in(world).applied_fen == 140

    world.send(undo(world, T2))

    assert (claim_in(world, T1).open_fen, claim_in(world, T2).open_fen) == (0, 40)
    part = part_in(world)
    assert (part.rest_fen, part.transfers, part.rule) == (40, (T1,), "manual")
    assert item_in(world).amount_fen == 40


def test_only_what_people_gave_of_it_is_taken_back() -> None:
    """Of one receipt 60 by hand, of another 60 by its reference: 20 too much are the other's."""
    world = advanced()
    world.send(receipt("r1", detail(100)), matched(amount_fen=60), receipt("r2", detail(60, T1)))
    assert claim_in(world).excess_fen == 20

    world.send(undo(world))

    found = claim_in(world)
    assert (found.matched_fen, found.excess_fen, found.open_fen) == (40, 20, 60)
    assert (part_in(world).rest_fen, part_in(world, some_id("r2")).rest_fen) == (100, 20)


def test_what_is_still_paid_by_others_is_short() -> None:
    world = advanced()
    world.send(receipt("r2", detail(40, T1)), receipt("r1", detail(60)), matched())

    world.send(undo(world))

    short = item_in(world, item_id("shortfall", B, str(T1)))
    assert (short.state, short.amount_fen) == ("open", 60)


def test_what_a_loss_was_made_smaller_by_is_owed_again() -> None:
    world = advanced()
    world.send(about(claim_in(world), WriteOff, what="claim", **TWO))
    world.send(receipt("r1", detail(100)), matched())

    world.send(undo(world))

    assert (claim_in(world).open_fen, claim_in(world).written_off_fen) == (100, 0)


def test_what_is_owed_back_is_owed_back_no_more_and_what_went_back_stays() -> None:
    def corrected() -> World:
        world = by_hand()
        less = {"person": PERSON, "record": some_id("less"), "refers_to": some_id(f"open {A}")}
        said = world.send(CorrectBalance.model_validate({"to": A, "balance_fen": 70, **less}))
        world.send(*announced(said))
        assert claim_in(world).back_payable_fen == 30
        return world

    world = corrected()
    world.send(undo(world))
    assert (claim_in(world).open_fen, claim_in(world).back_payable_fen) == (70, 0)

    world = corrected()
    claim = claim_in(world)
    fields = {"destination": claim.origin, "run": "b", "amount_fen": 30}
    world.send(about(claim, InstructRemittance, **fields))
    assert only(ActDeclined, world.send(undo(world))).code == "paid_back"


def test_an_excess_that_went_back_to_its_origin_does_not_come_again() -> None:
    world = by_hand(130)
    world.send(about(claim_in(world), ReturnReceipt, receipt=R1, **TWO))

    world.send(undo(world))

    assert (part_in(world).rest_fen, claim_in(world).back_payable_fen) == (100, 30)


def test_of_a_list_matched_by_the_books_none_is_undone_alone() -> None:
    world = advanced()
    lump: Message = receipt("r1", detail(140, T1, T2))
    world.send(credit(40, T2), lump)
    assert part_in(world).applied_fen == 140

    assert only(ActDeclined, world.send(undo(world, T2))).code == "unknown_receipt"
