"""Whatever comes in what order, nothing is advanced above a limit or on a suspended corridor."""

from collections import deque
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.exposure import in_force
from services.settlement.states import Corridor, Declined
from shared.messages import Message
from shared.messages.settlement import AdvanceCredited, OfferAgain
from shared.messages.settlement_limits import ChangeLimit, ResumeCorridor, SuspendCorridor
from tests.unit.settlement_world import A, B, World
from tests.unit.test_limits import LIMITS
from tests.unit.test_limits_story import TWO, asked, paid, person

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(1, 310)),
        st.tuples(st.just("pay"), st.integers(0, 30)),
        st.tuples(st.just("wait"), st.integers(1, 30)),
        st.tuples(st.sampled_from(["suspend", "resume"]), st.just(0)),
        st.tuples(st.just("limit"), st.integers(0, 1500)),
    ),
    max_size=40,
)


class Watched:
    """A world whose every message is watched; commands of the books come when they are drawn."""

    def __init__(self, data: st.DataObject) -> None:
        self.world = World(limits=LIMITS, held=deque())
        self.owing: dict[int, int] = {}
        self.data = data

    @property
    def corridor(self) -> Corridor:
        found = self.world.states.get(("corridor", A, B), Corridor(A, B))
        assert isinstance(found, Corridor)
        return found

    def act(self, number: int, act: str, value: int) -> None:
        by_two: dict[str, Any] = {"suspend": SuspendCorridor, "resume": ResumeCorridor}
        if act == "ask":
            self.owing[number] = value
            self.send(*asked(number, value))
        elif act == "pay" and self.owing:
            self.pay(list(self.owing)[value % len(self.owing)])
        elif act == "wait":
            self.world.wait(value)
        elif act in by_two:
            self.send(by_two[act](**TWO))
        elif act == "limit":
            self.send(ChangeLimit(**TWO, open_fen=value))

    def pay(self, number: int) -> None:
        self.send(paid(number, self.owing.pop(number)))

    def some(self) -> None:
        """Some of the books' own commands are handled, in any order."""
        held = self.world.held
        assert held is not None
        for _ in range(self.data.draw(st.integers(0, len(held)))):
            index = self.data.draw(st.integers(0, len(held) - 1))
            message = held[index]
            del held[index]
            self.send(message)

    def all(self) -> None:
        while self.world.held:
            self.send(self.world.held.popleft())

    def send(self, *messages: Message) -> None:
        for message in messages:
            before, start = self.corridor, len(self.world.said)
            self.world.send(message)
            said, after = self.world.said[start:], self.corridor
            if any(isinstance(m, AdvanceCredited) for m in said):
                assert before.suspended is None
                assert after.open_fen <= in_force(before, LIMITS).open_fen
            offered = [m.transfer for m in said if isinstance(m, OfferAgain)]
            if offered:
                assert after.suspended is None
                queue = sorted(self.world.all(Declined), key=lambda d: (d.declined_at, d.person))
                first = [d.transfer for d in queue if d.transfer in offered]
                assert offered == first


@settings(max_examples=150, deadline=None)
@given(acts=ACTS, data=st.data())
def test_no_interleaving_advances_above_a_limit_or_on_a_suspended_corridor(
    acts: list[tuple[str, int]], data: st.DataObject
) -> None:
    watched = Watched(data)
    for number, (act, value) in enumerate(acts):
        watched.act(number, act, value)
        watched.some()
    for number in list(watched.owing):
        watched.pay(number)
    watched.all()

    assert watched.corridor.open_fen == 0
    balances = {n: watched.world.balance(B, person(n)) for n in range(len(acts))}
    assert balances == {n: value if act == "ask" else 0 for n, (act, value) in enumerate(acts)}
