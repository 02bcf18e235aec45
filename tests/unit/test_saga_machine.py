"""The saga under any sequence of messages that its partners could send, as a state machine.

The rules play the origin and the destination; what they say is always legitimate, if late, early
or repeated. Whatever the order, the saga never refuses it, never goes back over the pivot and
never counts a fen twice.
"""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.transfer import saga
from services.transfer.states import MONEY_ENDS, RECORD_ENDS, Transfer
from shared import regions
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import settlement_compensation as k
from shared.messages import transfer as t
from shared.settings import Settings
from tests.unit.saga_stories import ABOUT, FROM, ID, MONDAY, MONTHS, funds, registered, released

REGIONS = regions.load(Settings().regions)
FEN = st.integers(1, 500)
SAID_AGAIN = (e.RecordReleased, s.FundsReleased, s.FundsCorrected)
PAST_THE_PIVOT = {"released", "joined", "disputed", "refused"}


class Saga(RuleBasedStateMachine):
    """One transfer, and what its partners' books and records say of it."""

    def __init__(self) -> None:
        super().__init__()
        self.at: datetime = MONDAY
        self.said: list[Message] = []
        self.heard: list[Message] = []
        self.owed = self.credited = self.matched = self.excess = self.version = 0
        self.restored = 0
        self.decided = ""
        self.now: Transfer = self.hear(registered())

    def hear(self, message: Message) -> Transfer:
        self.at += timedelta(seconds=1)
        before = getattr(self, "now", None)
        step = saga.decide(before, message, self.at, REGIONS)
        assert step.transfer is not None
        self.said += step.say
        self.heard.append(message)
        self.now = step.transfer
        if before is not None and before.version:
            assert step.transfer.version >= before.version
            assert step.transfer.record in PAST_THE_PIVOT
        return step.transfer

    def asked(self, kind: type[Message]) -> int:
        return sum(isinstance(m, kind) for m in self.said)

    # --- the origin's record --------------------------------------------------------------

    @rule()
    def accepts(self) -> None:
        if not self.decided:
            self.hear(e.ReleaseAccepted(**FROM))

    @rule()
    def releases(self) -> None:
        if self.decided in ("", "released"):
            self.decided = "released"
            self.hear(released())

    @rule(code=st.sampled_from(["duplicate", "origin-not-stopped", "deceased"]))
    def refuses(self, code: str) -> None:
        if self.decided in ("", "refused"):
            self.decided = "refused"
            self.hear(e.ReleaseRefused(**FROM, code=code))

    @precondition(lambda self: self.asked(e.CancelRelease))
    @rule()
    def answers_the_cancellation(self) -> None:
        if self.decided == "released":
            self.hear(released())
        else:
            self.decided = "cancelled"
            self.hear(e.ReleaseCancelled(**FROM))

    # --- people and time ------------------------------------------------------------------

    @rule()
    def withdraws(self) -> None:
        self.hear(t.Withdraw(**ABOUT))

    @rule()
    def dies(self) -> None:
        self.hear(e.PersonDeceased(**ABOUT, died_on=MONDAY.date()))

    @rule()
    def time_passes(self) -> None:
        due = self.now.next_due
        if due is not None:
            self.at = max(self.at, due)
            self.hear(t.Remind(**ABOUT, due_at=due))

    # --- the destination's record ---------------------------------------------------------

    @precondition(lambda self: self.asked(e.JoinRecord))
    @rule(wrong=st.booleans())
    def joins(self, wrong: bool) -> None:  # noqa: FBT001 - drawn
        if wrong and self.now.record == "released":
            self.hear(e.RecordDisputed(**FROM, code="digest-mismatch"))
            return
        self.hear(
            e.RecordJoined(
                **FROM,
                months=MONTHS,
                months_total=84,
                entitled_from=None,
                waiting_months=0,
                retroactive_from=None,
            )
        )

    @precondition(lambda self: self.now.record == "disputed")
    @rule(withheld=st.booleans())
    def corrects(self, withheld: bool) -> None:  # noqa: FBT001 - drawn
        if withheld:
            self.hear(e.RecordWithheld(**FROM, code="not_correctable"))
            return
        version = self.now.version + 1
        given: dict[str, Any] = {"scheme": "310", "months": MONTHS, "last_month": 1, "digest": "d"}
        self.hear(e.RecordCorrected(**FROM, version=version, **given))

    # --- the money ------------------------------------------------------------------------

    @precondition(lambda self: self.asked(s.ReleaseFunds) and not self.version)
    @rule(fen=st.integers(0, 300), frozen=st.booleans())
    def releases_funds(self, fen: int, frozen: bool) -> None:  # noqa: FBT001 - drawn
        if self.now.money == "none":
            return
        if frozen:
            until = (self.at + timedelta(days=9)).date()
            self.hear(s.FundsWithheld(**FROM, code="account_frozen", until=until))
        elif not fen:
            self.hear(s.NothingToRelease(**FROM, code="zero_balance"))
        else:
            self.owed, self.version = fen, 1
            self.hear(funds(fen))

    @precondition(lambda self: self.version)
    @rule(fen=FEN)
    def owes_more(self, fen: int) -> None:
        self.version += 1
        self.owed += fen
        given: dict[str, Any] = {"delta_fen": fen, "released_on": MONDAY.date()}
        self.hear(s.FundsCorrected(**FROM, version=self.version, **given))

    @precondition(lambda self: self.asked(s.CreditAdvance))
    @rule(code=st.sampled_from(["", "limit_reached", "single_limit"]))
    def answers_the_advance(self, code: str) -> None:
        more = self.owed - self.credited
        said: dict[str, Any]
        if code and more:
            said = {"version": self.version, "code": code, "awaiting_fen": more}
            self.hear(s.AdvanceDeclined(**FROM, **said))
        elif more:
            self.credited = self.owed
            opened = self.credited - self.matched
            said = {"version": self.version, "amount_fen": more, "open_fen": opened}
            self.hear(s.AdvanceCredited(**FROM, credited_fen=self.credited, **said))

    @precondition(lambda self: self.asked(s.CreditAdvance))
    @rule(fen=FEN)
    def receives(self, fen: int) -> None:
        applied = min(fen, self.owed - self.matched)
        self.matched += applied
        self.excess += fen - applied
        self.credited = max(self.credited, self.matched)
        given: dict[str, Any] = {"applied_fen": applied, "matched_fen": self.matched}
        given |= {"open_fen": self.credited - self.matched, "excess_fen": self.excess}
        kind = s.ExcessFound if self.excess else s.AdvanceFunded
        self.hear(kind(**FROM, receipt=ID, credited_fen=self.credited, **given))

    @precondition(lambda self: self.asked(k.ReverseAdvance) > self.now.funds.restorations)
    @rule(unspent=FEN)
    def goes_back(self, unspent: int) -> None:
        """D takes back what it can, and O restores it."""
        number = self.asked(k.ReverseAdvance)
        back = self.owed - self.credited + min(unspent, self.credited)
        self.credited -= min(unspent, self.credited)
        self.matched = min(self.matched, self.credited)
        self.owed -= back
        self.restored += back
        zero = dict.fromkeys(
            ("awaiting", "undue", "recoverable", "recovered", "lost", "written_off", "sent_back"), 0
        )
        facts = {"amount": back, "credited": self.credited, "matched": self.matched, **zero}
        facts |= {"open": self.credited - self.matched, "excess": self.excess}
        given: dict[str, Any] = {f"{name}_fen": fen for name, fen in facts.items()}
        self.hear(k.AdvanceReversed(**FROM, number=number, **given))
        total: dict[str, Any] = {"amount_fen": back, "total_fen": self.restored}
        self.hear(k.FundsRestored(**FROM, number=number, **total))

    @precondition(lambda self: any(isinstance(m, e.RecordReleased) for m in self.heard))
    @rule(data=st.data())
    def something_is_said_again(self, data: st.DataObject) -> None:
        """Only what the inbox would let through: answers that were asked for twice."""
        again = [m for m in self.heard if isinstance(m, SAID_AGAIN)]
        before = self.now
        after = self.hear(data.draw(st.sampled_from(again)))
        assert after == before

    # --- what holds -----------------------------------------------------------------------

    @invariant()
    def it_is_closed_when_both_are_at_an_end(self) -> None:
        ended = self.now.record in RECORD_ENDS and self.now.money in MONEY_ENDS
        assert ended == (self.now.closed_at is not None)
        assert not (self.now.closed_at and self.now.deadlines)

    @invariant()
    def what_ends_before_the_pivot_ends_at_once(self) -> None:
        if self.now.record in ("refused", "withdrawn", "not_needed") and not self.now.version:
            assert self.now.closed_at

    @invariant()
    def it_knows_what_the_books_know(self) -> None:
        kept = self.now.funds
        assert (kept.released, kept.credited) == (self.owed, self.credited)
        assert (kept.matched, kept.excess) == (self.matched, self.excess)
        assert kept.open == self.credited - self.matched
        if self.asked(k.ReverseAdvance) > kept.restorations:
            assert self.now.money == "restoring"
        elif self.excess:
            assert self.now.money == "over"
        elif self.version and self.owed == self.matched:
            assert self.now.money == ("restored" if self.restored else "funded")

    @invariant()
    def every_fen_that_is_owed_was_to_be_credited_once(self) -> None:
        asked = [m for m in self.said if isinstance(m, s.CreditAdvance)]
        assert sum(m.amount_fen for m in asked) == self.owed + self.restored
        assert [m.version for m in asked] == list(range(1, self.version + 1))


TestSaga = Saga.TestCase
TestSaga.settings = settings(max_examples=100, stateful_step_count=30, derandomize=True)
