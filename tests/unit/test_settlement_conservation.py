"""No fen is lost or doubled, whatever the story and in whatever order its messages come.

Every invariant of the books is checked after every message (`settlement_world.check`). Messages
of one producer keep their order; those of different producers are interleaved at random.
"""

from collections import deque
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.exposure import Limits
from services.settlement.states import Claim, Part
from shared.messages import Message
from shared.messages.settlement import Contribute, PayOut, Spend
from tests.unit.settlement_world import (
    PERSON,
    T1,
    T2,
    T3,
    A,
    B,
    C,
    World,
    announced,
    detail,
    open_account,
    receipt,
    release_funds,
    some_id,
)

OTHER = "0" * 31 + "2"
EXACT = Limits(open_fen=10**9, single_fen=10**9)
Lanes = dict[str, list[Message]]


@st.composite
def stories(draw: st.DrawFn) -> Lanes:
    """A person moves A→B→C (or back to A), another A→B; what is paid is exact, or is not."""
    balance_fen, late_fen, other_fen = draw(st.tuples(*[st.integers(0, 60)] * 3))
    last = draw(st.sampled_from([A, C]))
    enrollment: list[Message] = [
        open_account(A, balance_fen),
        open_account(A, other_fen, person=OTHER, record=some_id("other A")),
        open_account(B),
        open_account(B, person=OTHER, record=some_id("other B")),
    ]
    if late_fen:
        enrollment.append(
            Contribute(to=A, person=PERSON, record=some_id("late"), amount_fen=late_fen)
        )
    if last == C:
        enrollment.append(open_account(C))
    transfers: list[Message] = [release_funds(T1), release_funds(T3, person=OTHER)]
    if draw(st.booleans()):
        transfers.append(release_funds(T2, at=B, to=last))
    amounts = draw(st.lists(st.integers(1, 130), max_size=4))
    due = draw(st.permutations([(T1, balance_fen + late_fen), (T3, other_fen)]))
    paid = [*zip([T1, T3, T1, T2], amounts, strict=False), *(one for one in due if one[1])]
    bank: list[Message] = [
        receipt(f"r{number}", detail(fen, transfer, payer_region=draw(st.sampled_from([None, A]))))
        for number, (transfer, fen) in enumerate(paid)
        if transfer != T2
    ]
    return {"enrollment": enrollment, "transfer": transfers, "bank": bank}


def told(world: World, lanes: Lanes, choose: Callable[[list[str]], str], *, advance: bool) -> World:
    """Delivers all messages of the lanes, the next lane chosen every time."""
    world.held = deque()
    waiting = {name: deque(messages) for name, messages in lanes.items()}
    waiting["books"] = world.held
    steps = 0
    while ready := [name for name, messages in waiting.items() if messages]:
        steps += 1
        assert steps < 200, "the story never ends"
        message = waiting[choose(ready)].popleft()
        said = world.send(message)
        waiting["transfer"] += announced(said, advance=advance)
    return world


def end_of(world: World) -> dict[str, object]:
    """What must not depend on the order: who holds what, who owes what, what is unmatched."""
    return {
        "claims": {
            (c.transfer, c.person): (
                *(c.announced_fen, c.credited_fen, c.awaiting_fen),
                *(c.matched_fen, c.excess_fen),
            )
            for c in world.all(Claim)
        },
        "balances": {
            (region, person): world.balance(region, person)
            for region in (A, B, C)
            for person in (PERSON, OTHER)
        },
        "owed": {
            (region, account): world.account(region, account)
            for region in (A, B)
            for account in ("suspense", f"payable:{A}", f"payable:{B}", f"payable:{C}")
        },
    }


@settings(max_examples=300, deadline=None)
@given(lanes=stories(), data=st.data(), advance=st.booleans())
def test_any_interleaving_ends_the_same(lanes: Lanes, data: st.DataObject, advance: bool) -> None:  # noqa: FBT001
    expected = told(World(limits=EXACT), lanes, lambda ready: ready[0], advance=advance)

    found = told(
        World(limits=EXACT), lanes, lambda ready: data.draw(st.sampled_from(ready)), advance=advance
    )

    assert end_of(found) == end_of(expected)


@settings(max_examples=300, deadline=None)
@given(
    lanes=stories(),
    data=st.data(),
    limits=st.builds(Limits, open_fen=st.integers(0, 150), single_fen=st.integers(0, 150)),
    spent_fen=st.integers(1, 80),
)
def test_the_books_balance_under_any_limit_with_spending_death_and_repetition(
    lanes: Lanes, data: st.DataObject, limits: Limits, spent_fen: int
) -> None:
    spend = Spend(to=B, person=PERSON, record=some_id("spend"), amount_fen=spent_fen)
    death = PayOut(to=B, person=OTHER, record=some_id("death"), reason="deceased")
    repeated = [*lanes["transfer"], *lanes["bank"]]
    more: Lanes = {**lanes, "person": [spend], "heirs": [death], "again": repeated}

    world = told(
        World(limits=limits), more, lambda ready: data.draw(st.sampled_from(ready)), advance=True
    )

    assert sum(p.reserved_fen for p in world.all(Part)) == 0
    assert not any(c.open_fen and c.excess_fen for c in world.all(Claim))
