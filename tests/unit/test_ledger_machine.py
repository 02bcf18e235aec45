"""The books under any sequence of commands, as a state machine.

`settlement_world.World` checks every invariant of the books after every message; the rules only
see to it that the commands are such as regions, people and banks give.
"""

from collections import deque
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.settlement.exposure import Limits
from services.settlement.states import Claim, Part
from shared.messages import ByTwo, Message
from shared.messages.settlement import (
    Contribute,
    CorrectBalance,
    Detail,
    InstructRemittance,
    OfferAgain,
    PayOut,
    RecordDebit,
    Refund,
    Spend,
)
from shared.messages.settlement_compensation import (
    BookWaiver,
    Recover,
    ReturnReceipt,
    ReverseAdvance,
    UndoMatch,
    Waive,
    WriteOff,
)
from shared.messages.settlement_people import MatchReceipt
from tests.unit.settlement_back import about
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
TWO = {"proposed_by": "maker", "approved_by": "checker", "reason": "court-order"}
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
        waiting = deque(announced(self.world.send(message)))
        while waiting:
            following = waiting.popleft()
            self.sent.append(following)
            waiting += announced(self.world.send(following))

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
        if isinstance(again, OfferAgain | PayOut | ByTwo):
            return
        before = len(self.world.entries)
        self.world.send(again)
        assert len(self.world.entries) == before

    # --- the books go back ----------------------------------------------------------------

    @rule(person=PEOPLE, fen=st.integers(0, 120))
    def is_corrected(self, person: str, fen: int) -> None:
        """The balance that O opened with was another one: more, less, or nothing."""
        fields: dict[str, Any] = {"to": A, "person": person, "record": self.record()}
        fields |= {"refers_to": some_id((person, A)), "balance_fen": fen}
        self.tell(CorrectBalance.model_validate(fields))

    @rule(person=PEOPLE, region=PLACES, fen=FEN)
    def has_spent_before(self, person: str, region: str, fen: int) -> None:
        early = DAY.date() - timedelta(days=1)
        fields = {"record": self.record(), "amount_fen": fen, "spent_on": early}
        self.tell(Spend.model_validate({"to": region, "person": person, **fields}))

    @precondition(lambda self: self.world.all(Claim))
    @rule(data=st.data())
    def is_reversed(self, data: st.DataObject) -> None:
        claim = self.some_claim(data)
        self.tell(about(claim, ReverseAdvance, number=claim.reversals + 1))

    @precondition(lambda self: self.world.all(Claim))
    @rule(data=st.data(), fen=st.none() | FEN)
    def is_given_up(self, data: st.DataObject, fen: int | None) -> None:
        claim = self.some_claim(data)
        what = data.draw(st.sampled_from(["claim", "person", "waive"]))
        two: dict[str, Any] = {**TWO, "amount_fen": fen}
        if what == "waive":
            self.tell(about(claim, Waive, **two))
            for waiver in [m for m in self.world.said if isinstance(m, BookWaiver)][-1:]:
                self.tell(waiver)
        else:
            self.tell(about(claim, WriteOff, what=what, **two))

    @precondition(lambda self: self.world.all(Claim))
    @rule(data=st.data(), fen=st.none() | FEN, paid_in=st.booleans())
    def is_demanded(self, data: st.DataObject, fen: int | None, paid_in: bool) -> None:  # noqa: FBT001 - drawn
        claim = self.some_claim(data)
        fields: dict[str, Any] = {**TWO, "amount_fen": fen}
        if paid_in:
            name = f"receipt {next(self.numbers)}"
            self.tell(receipt(name, detail(fen or 50), region=claim.region))
            fields["receipt"] = some_id(name)
        self.tell(about(claim, Recover, **fields))

    @precondition(lambda self: any(c.excess_fen for c in self.world.all(Claim)))
    @rule(data=st.data(), fen=st.none() | FEN)
    def sends_back(self, data: st.DataObject, fen: int | None) -> None:
        claim = self.some_claim(data)
        own = [p for p in self.world.all(Part) if claim.transfer in p.transfers]
        if not own:
            return
        part = data.draw(st.sampled_from(own))
        fields = {"receipt": part.receipt, "part": part.part, "amount_fen": fen, **TWO}
        self.tell(about(claim, ReturnReceipt, **fields))

    @precondition(lambda self: any(c.back_payable_fen for c in self.world.all(Claim)))
    @rule(data=st.data(), lost=st.booleans(), arrives=st.booleans())
    def pays_back(self, data: st.DataObject, lost: bool, arrives: bool) -> None:  # noqa: FBT001 - drawn
        """D's payment to O: instructed, debited, and it arrives or bounces."""
        owing = [c for c in self.world.all(Claim) if c.back_payable_fen]
        claim = data.draw(st.sampled_from(owing))
        fen, run = claim.back_payable_fen, f"run {next(self.numbers)}"
        fields: dict[str, Any] = {"to": claim.region, "person": claim.person, "run": run}
        fields |= {"destination": claim.origin, "transfer": claim.transfer, "amount_fen": fen}
        self.tell(InstructRemittance.model_validate(fields))
        if lost:
            return
        self.debits(claim.region, "expense", detail(fen, claim.transfer))
        name = f"receipt {next(self.numbers)}"
        if arrives:
            one = detail(fen, claim.transfer, payer_region=claim.region)
            self.tell(receipt(name, one, region=claim.origin))
        else:
            one = detail(fen, claim.transfer, return_code="AC01")
            self.tell(receipt(name, one, region=claim.region, bank="expense"))

    @precondition(lambda self: any(p.applied_fen for p in self.world.all(Part)))
    @rule(data=st.data())
    def is_taken_back_by_the_bank(self, data: st.DataObject) -> None:
        part = data.draw(st.sampled_from([p for p in self.world.all(Part) if p.applied_fen]))
        one = detail(part.amount_fen, part.transfers[0], return_code="AC04")
        self.debits(part.region, "income", one)

    @precondition(lambda self: any(p.applied_fen for p in self.world.all(Part)))
    @rule(data=st.data(), again=st.booleans())
    def is_undone(self, data: st.DataObject, again: bool) -> None:  # noqa: FBT001 - drawn
        part = data.draw(st.sampled_from([p for p in self.world.all(Part) if p.applied_fen]))
        claim = next(c for c in self.world.all(Claim) if c.transfer == part.transfers[0])
        which = {"receipt": part.receipt, "part": part.part, "account": "x", **TWO}
        self.tell(about(claim, UndoMatch, **which))
        if again:
            named = {"to": claim.region, "transfer": claim.transfer}
            self.tell(MatchReceipt.model_validate({**which, **named}))

    def debits(self, region: str, bank: str, one: Detail) -> None:
        fields: dict[str, Any] = {"to": region, "account": f"{region}:{bank}", "bank": bank}
        fields |= {"receipt": self.record(), "booked_on": DAY.date(), "details": (one,)}
        self.tell(RecordDebit.model_validate({**fields, "amount_fen": one.amount_fen}))

    def some_claim(self, data: st.DataObject) -> Claim:
        claims: list[Claim] = sorted(self.world.all(Claim), key=lambda c: (c.transfer, c.person))
        return data.draw(st.sampled_from(claims))

    @invariant()
    def nothing_stays_reserved(self) -> None:
        assert not any(part.reserved_fen for part in self.world.all(Part))


TestBooks = BooksOfAll.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=25, derandomize=True)
