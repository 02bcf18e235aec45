"""The books under any sequence of commands, as a state machine.

`settlement_world.World` checks every invariant of the books after every message; the rules only
see to it that the commands are such as regions, people and banks give.
"""

from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.settlement.exposure import Limits
from services.settlement.states import Part
from shared.messages import Message
from shared.messages.settlement import (
    Contribute,
    FundsReleased,
    InstructRemittance,
    OfferAgain,
    PayOut,
    RecordDebit,
    Refund,
    Spend,
)
from tests.unit.settlement_world import (
    DAY,
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
FEN = st.integers(1, 120)
PEOPLE = st.sampled_from([PERSON, OTHER])
PLACES = st.sampled_from([A, B, C])
TRANSFERS: dict[Any, tuple[str, str, str]] = {
    T1: (PERSON, A, B),
    T2: (PERSON, B, C),
    T3: (OTHER, A, B),
}
WHICH = st.sampled_from(list(TRANSFERS))


class BooksOfAll(RuleBasedStateMachine):
    """Two people, three regions, three transfers: one of them a chain."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.numbers = count()
        self.spent: list[Spend] = []
        self.released: set[Any] = set()
        self.sent: list[Message] = []

    @initialize(
        opened=st.lists(st.integers(0, 100), min_size=2, max_size=2),
        limits=st.builds(Limits, open_fen=st.integers(0, 200), single_fen=st.integers(0, 200)),
        account=st.booleans(),
    )
    def begin(self, opened: list[int], limits: Limits, account: bool) -> None:  # noqa: FBT001 - drawn
        self.world.limits = limits
        for person, fen in zip((PERSON, OTHER), opened, strict=True):
            for region in (A, B, C):
                fields = {"person": person, "record": some_id((person, region))}
                held = account or region != B
                given = fen if region == A else 0
                self.tell(open_account(region, given, account=held, **fields))

    def tell(self, message: Message) -> None:
        """A message, and what the transfer service makes of the answers, until all is said."""
        self.sent.append(message)
        said = self.world.send(message)
        for credit in announced(said):
            self.sent.append(credit)
            more = self.world.send(credit)
            while following := announced(m for m in more if not isinstance(m, FundsReleased)):
                more = self.world.send(*following)

    def record(self) -> Any:  # noqa: ANN401 - an id
        return some_id(f"record {next(self.numbers)}")

    @rule(person=PEOPLE, region=PLACES, fen=FEN)
    def contributes(self, person: str, region: str, fen: int) -> None:
        self.tell(Contribute(to=region, person=person, record=self.record(), amount_fen=fen))

    @rule(person=PEOPLE, region=PLACES, fen=FEN)
    def spends(self, person: str, region: str, fen: int) -> None:
        spend = Spend(to=region, person=person, record=self.record(), amount_fen=fen)
        self.spent.append(spend)
        self.tell(spend)

    @precondition(lambda self: self.spent)
    @rule(data=st.data(), fen=FEN)
    def gives_back(self, data: st.DataObject, fen: int) -> None:
        spend = data.draw(st.sampled_from(self.spent))
        fields = {"record": self.record(), "refers_to": spend.record}
        self.tell(Refund(to=spend.to, person=spend.person, amount_fen=fen, **fields))

    @rule(transfer=WHICH)
    def releases(self, transfer: Any) -> None:  # noqa: ANN401 - an id
        person, origin, destination = TRANSFERS[transfer]
        self.released.add(transfer)
        self.tell(release_funds(transfer, origin, destination, person=person))

    @rule(person=PEOPLE, region=PLACES)
    def dies(self, person: str, region: str) -> None:
        fields = {"record": self.record(), "reason": "deceased"}
        self.tell(PayOut.model_validate({"to": region, "person": person, **fields}))

    @rule(transfer=WHICH, fen=FEN, payer=st.booleans())
    def receives(self, transfer: Any, fen: int, payer: bool) -> None:  # noqa: ANN401, FBT001 - drawn
        _, origin, destination = TRANSFERS[transfer]
        one = detail(fen, transfer, payer_region=origin if payer else None)
        self.tell(receipt(f"receipt {next(self.numbers)}", one, region=destination))

    @rule(transfer=WHICH)
    def is_offered_again(self, transfer: Any) -> None:  # noqa: ANN401 - an id
        person, origin, destination = TRANSFERS[transfer]
        self.tell(OfferAgain(to=destination, person=person, transfer=transfer, origin=origin))

    @precondition(lambda self: self.released)
    @rule(data=st.data(), fen=FEN)
    def instructs(self, data: st.DataObject, fen: int) -> None:
        transfer = data.draw(st.sampled_from(sorted(self.released)))
        person, origin, destination = TRANSFERS[transfer]
        fields: dict[str, Any] = {"run": f"run {next(self.numbers)}", "amount_fen": fen}
        fields |= {"to": origin, "person": person, "destination": destination}
        self.tell(InstructRemittance.model_validate({"transfer": transfer, **fields}))

    @precondition(lambda self: self.released)
    @rule(data=st.data(), fen=FEN)
    def pays(self, data: st.DataObject, fen: int) -> None:
        transfer = data.draw(st.sampled_from(sorted(self.released)))
        origin = TRANSFERS[transfer][1]
        fields: dict[str, Any] = {"to": origin, "account": f"{origin}:expense", "bank": "expense"}
        fields |= {"receipt": self.record(), "amount_fen": fen, "booked_on": DAY.date()}
        details = (detail(fen, transfer),)
        self.tell(RecordDebit.model_validate({**fields, "details": details}))

    @precondition(lambda self: self.released)
    @rule(data=st.data(), fen=FEN)
    def comes_back(self, data: st.DataObject, fen: int) -> None:
        transfer = data.draw(st.sampled_from(sorted(self.released)))
        one = detail(fen, transfer, return_code="AC01")
        region = TRANSFERS[transfer][1]
        name = f"receipt {next(self.numbers)}"
        self.tell(receipt(name, one, region=region, bank="expense"))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def something_comes_again(self, data: st.DataObject) -> None:
        """Natural keys hold even where the inbox has forgotten: nothing is booked twice."""
        again = data.draw(st.sampled_from(self.sent))
        if isinstance(again, OfferAgain | PayOut):
            return
        before = len(self.world.entries)
        self.world.send(again)
        assert len(self.world.entries) == before

    @invariant()
    def nothing_stays_reserved(self) -> None:
        assert not any(part.reserved_fen for part in self.world.all(Part))


TestBooks = BooksOfAll.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=25, derandomize=True)
