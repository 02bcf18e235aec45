"""Random stories of netting: every line in one final sheet, every clearing account zero."""

from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.settlement.netting.states import Line, Window
from services.settlement.states import Claim, Release
from shared.messages.settlement_netting import SettleLine
from tests.unit.netting_bank import credit, debit
from tests.unit.netting_world import (
    CITIES,
    GUANGXI,
    OPENING_FEN,
    Province,
    person,
)
from tests.unit.settlement_world import some_id

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.permutations(CITIES), st.booleans()),
        st.tuples(st.just("more"), st.integers(0, 9), st.integers(1, 900)),
        st.tuples(st.just("less"), st.integers(0, 9), st.integers(1, OPENING_FEN)),
        st.tuples(st.just("reverse"), st.integers(0, 9), st.none()),
        st.tuples(st.just("tell"), st.none(), st.none()),
        st.tuples(st.just("days"), st.integers(1, 25), st.none()),
        st.tuples(st.just("dispute"), st.integers(0, 9), st.booleans()),
        st.tuples(st.just("agree"), st.integers(0, 9), st.booleans()),
        st.tuples(st.just("direct"), st.integers(0, 9), st.integers(1, OPENING_FEN)),
        st.tuples(st.just("pay"), st.none(), st.none()),
    ),
    max_size=25,
)


_MONTHS = 4
"""Until all that both sides have, told and undisputed, is final."""


class Story:
    """Random steps in a province, and its end: all is told, answered, final and paid."""

    def __init__(self) -> None:
        self.province = Province()
        self.moves: list[tuple[int, str, str]] = []
        self.reversals = 0

    def step(self, what: str, one: object, other: object) -> None:
        province = self.province
        match what, one, other:
            case "move", (str(origin), str(to), _), bool(tell):
                number = len(self.moves)
                self.moves.append((number, origin, to))
                province.move(number, origin, to, tell=tell)
            case "more", int(n), int(fen) if self.moves:
                number, origin, _ = self.moves[n % len(self.moves)]
                province.contribute(number, fen, origin)
            case "less", int(n), int(fen) if self.moves:
                number, origin, _ = self.moves[n % len(self.moves)]
                province.spend_late(number, fen, origin)
            case "reverse", int(n), _ if self.moves:
                self.province.tell()
                self.reversals += 1
                province.reverse(*self.moves[n % len(self.moves)], self.reversals)
            case "tell", _, _:
                province.tell()
            case "days", int(n), _:
                province.go_to(province.day + timedelta(days=n))
            case "dispute" | "agree", int(n), bool(first) if province.all(Line):
                lines = province.all(Line)
                line = lines[n % len(lines)]
                region = line.origin if first else line.destination
                province.answer(line, region, agrees=what == "agree")
            case "direct", int(n), int(fen) if self.moves:
                self._direct(n, fen)
            case "pay", _, _:
                province.pay_all()

    def _direct(self, n: int, fen: int) -> None:
        """The origin pays by hand; both banks tell, before the sheet is final or too late."""
        number, origin, to = self.moves[n % len(self.moves)]
        transfer = some_id(f"transfer {number}")
        release = self.province.release(transfer, person(number))
        claim = self.province.states.get(("claim", person(number), transfer))
        fen = min(fen, release.payable_fen, getattr(claim, "available_fen", 0))
        if fen:
            self.province.bank += 1
            name = f"direct {self.province.bank}"
            self.province.send(debit(origin, name, fen, transfer))
            self.province.send(credit(to, name, fen, transfer, origin))

    def end(self) -> None:
        province = self.province
        province.tell()
        for line in province.all(Line):
            for region in line.disputes:
                province.answer(line, region, agrees=True)
        for _ in range(_MONTHS):
            province.go_to(province.day + timedelta(days=31))
        province.pay_all()


@settings(max_examples=60, deadline=None)
@given(STEPS)
@example(
    # A line that goes back left the open sheet of April for one that entered May's, and stayed out.
    [
        ("move", ["450100", "450300", "450200"], False),
        ("less", 0, 1),
        ("days", 29, None),
        ("more", 0, 1),
    ]
)
def test_every_line_is_in_one_final_sheet_and_all_clearing_is_zero_in_the_end(
    steps: list[tuple[str, object, object]],
) -> None:
    story = Story()
    for step in steps:
        story.step(*step)

    story.end()

    province = story.province
    settled = [x for x in province.said if isinstance(x, SettleLine)]
    assert len(settled) == len({(x.transfer, x.version) for x in settled})
    for line in province.all(Line):
        assert line.settled == bool(line.agreed_fen)
        assert line.origin_fen == line.destination_fen
    for window in province.all(Window):
        assert window.state in {"open", "paid"}
        assert set(province.clearing(window.month).values()) <= {0}
    for claim in province.all(Claim):
        assert (claim.unpaid_fen, claim.back_payable_fen) == (0, 0)
    for release in province.all(Release):
        assert (release.payable_fen, release.overpaid_fen) == (0, 0)
    for code in (*CITIES, GUANGXI):
        for account in ("suspense", "remitting", "unexplained"):
            assert province.account(code, account) == 0
