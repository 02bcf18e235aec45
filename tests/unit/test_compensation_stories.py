"""Going back, told to the three services that think, in any order of their messages.

Every story ends closed, or waits for somebody named; the saga knows what the books know, and the
invariants of the books hold after every message (`settlement_world`). The numbers are those of the
edge cases that each story is.
"""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.transfer.states import Transfer
from shared.messages import Message, record_uuid, transfer_uuid
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import settlement_compensation as k
from shared.messages import transfer as t
from tests.unit.compensation_world import (
    ABOUT,
    ALL,
    CLAIM,
    MOVED,
    ONWARD,
    REVERSE,
    TWO,
    Story,
    corrected,
    spend,
)
from tests.unit.enrollment_world import MARCH, NANNING, PERSON, ZHENGZHOU
from tests.unit.settlement_world import DAY, detail, some_id
from tests.unit.test_interleavings import (
    DECEASE,
    GUILIN,
    MOVE_ON,
    STOP_AGAIN,
    TRANSFER,
    came,
)

# --- 5: the origin corrects its figures after the advance ---------------------------------------


def test_5_more_is_owed_than_was_said() -> None:
    story = Story().tell(*MOVED, corrected(ALL + 100))

    assert (story.balance(), story.ends()[1]) == (ALL + 100, "advanced")


def test_5_less_is_owed_and_the_money_is_still_there() -> None:
    story = Story().tell(*MOVED, corrected(ALL - 100), came("r", ALL - 100))

    assert (story.balance(), story.ends()) == (ALL - 100, ("joined", "funded", True))


def test_5_nothing_was_owed_at_all() -> None:
    story = Story().tell(*MOVED, corrected(0))

    assert (story.balance(), story.ends()) == (0, ("joined", "none", True))


def test_5_what_was_spent_without_right_is_recovered_from_what_comes_later() -> None:
    story = Story().tell(*MOVED, spend(ALL - 50), corrected(ALL - 100))
    assert (story.balance(), story.claim().recoverable_fen) == (0, 50)

    story.tell(came("r", ALL - 100))
    assert story.ends() == ("joined", "recovering", False)
    paid = s.Contribute(to=NANNING, person=PERSON, record=some_id("paid"), amount_fen=80)
    story.tell(paid)

    assert (story.balance(), story.ends()) == (30, ("joined", "recovered", True))


def test_5_a_late_spend_at_the_origin_is_a_correction_of_its_release() -> None:
    late = {"to": ZHENGZHOU, "person": PERSON, "record": some_id("late"), "amount_fen": 100}
    early = MARCH.date() - timedelta(days=9)
    story = Story().tell(*MOVED, s.Spend.model_validate({**late, "spent_on": early}))

    assert (story.balance(ZHENGZHOU), story.balance()) == (0, ALL - 100)


def test_5_what_was_funded_is_paid_back_when_less_was_owed() -> None:
    story = Story().tell(*MOVED, came("r", ALL), corrected(ALL - 100))
    back = {"to": NANNING, "person": PERSON, "transfer": TRANSFER, "destination": ZHENGZHOU}

    story.tell(s.InstructRemittance.model_validate({**back, "run": "b", "amount_fen": 100}))

    assert story.claim().back_remitting_fen == 100
    assert story.ends() == ("joined", "funded", True)


# --- 4, 30: the record is withheld, or a transfer is reversed -----------------------------------


def test_4_a_record_withheld_after_the_advance_takes_the_money_back() -> None:
    story = Story().tell(*MOVED)
    about = {**ABOUT, "origin": ZHENGZHOU}
    dispute = e.RecordDisputed.model_validate({**about, "code": "overlapping-months", "version": 1})
    disputed = story.transfer()
    story.network.transfers[PERSON, TRANSFER] = Transfer(
        **{**vars(disputed), "joined_version": 0, "record": "released"}
    )

    for _ in range(10):  # the origin gives up after ten versions
        version = story.transfer().version
        now = story.transfer()
        story.network.transfers[PERSON, TRANSFER] = Transfer(
            **{**vars(now), "joined_version": version - 1}
        )
        story.tell(dispute.model_copy(update={"version": version}))

    assert story.ends() == ("refused", "restored", True)
    assert (story.balance(), story.balance(ZHENGZHOU)) == (0, ALL)


def test_30_an_already_funded_case_is_reversed_by_two_people() -> None:
    story = Story().tell(*MOVED, came("r", ALL), spend(100), REVERSE)

    assert story.ends() == ("restored", "restored", True)
    assert (story.balance(), story.balance(ZHENGZHOU)) == (0, ALL - 100)
    assert story.claim().back_payable_fen == ALL - 100
    relation = story.network.enrollment.relation(ZHENGZHOU)
    assert (relation.state, relation.released) == ("suspended", None)
    assert not story.network.enrollment.relation(NANNING).joined


def test_30_one_alone_reverses_nothing() -> None:
    alone = t.Reverse.model_validate({**ABOUT, **TWO, "approved_by": "chen"})
    story = Story().tell(*MOVED, alone)

    assert story.ends() == ("joined", "advanced", False)
    assert [m.code for m in story.said(t.ReversalRefused)] == ["needs_two_people"]  # type: ignore[attr-defined]


def test_13_what_was_spent_before_the_reversal_stays_claimed_from_the_origin() -> None:
    story = Story().tell(*MOVED, spend(100), REVERSE)
    assert story.ends() == ("restored", "advanced", False)

    story.tell(came("r", 100))

    assert story.ends() == ("restored", "restored", True)
    assert story.balance(ZHENGZHOU) == ALL - 100


def test_30_a_reversed_transfer_can_be_made_again() -> None:
    again = transfer_uuid("test", "again")
    story = Story().tell(*MOVED, REVERSE)
    asked = {"person": PERSON, "record": record_uuid("test", "again"), "source": "test"}
    asked |= {"record_id": "again", "action": "apply", "occurred_at": MARCH, "scheme": "310"}
    apply = e.Register.model_validate(
        {"to": NANNING, **asked, "previous_region": ZHENGZHOU, "transfer": again}
    )

    story.tell(apply)

    assert story.ends(again) == ("joined", "advanced", False)
    assert story.balance() == ALL


# --- 12: a chain A→B→C -------------------------------------------------------------------------


def test_12_a_reversal_after_the_person_moved_on_is_refused() -> None:
    story = Story().tell(*MOVED, STOP_AGAIN, MOVE_ON, REVERSE)

    assert story.ends() == ("joined", "advanced", False)
    assert story.balance(GUILIN) == ALL
    assert [m.code for m in story.said(t.ReversalRefused)] == ["moved-on"]  # type: ignore[attr-defined]


def test_12_a_correction_is_forwarded_and_taken_back_from_the_end_of_the_chain() -> None:
    story = Story().tell(*MOVED, STOP_AGAIN, MOVE_ON, spend(ALL - 50, GUILIN), corrected(ALL - 100))

    assert (story.balance(NANNING), story.balance(GUILIN)) == (0, 0)
    assert story.claim(ONWARD).recoverable_fen == 50
    assert story.claim().recoverable_fen == 0


# --- 10, 6: the bank, and money that does not stay ----------------------------------------------


def test_10_a_credit_that_the_bank_takes_back_reopens_the_advance() -> None:
    story = Story().tell(*MOVED, came("r", ALL))
    fields = {"to": NANNING, "account": f"{NANNING}:income", "bank": "income"}
    line = {"receipt": some_id("back"), "amount_fen": ALL, "booked_on": DAY.date()}
    one = detail(ALL, TRANSFER, return_code="AC04")

    story.tell(s.RecordDebit.model_validate({**fields, **line, "details": (one,)}))
    assert story.ends() == ("joined", "advanced", False)
    story.tell(came("again", ALL))

    assert story.ends() == ("joined", "funded", True)
    assert story.network.settlement.account(NANNING, "unexplained") == 0


def test_6_an_excess_goes_back_to_the_origin() -> None:
    story = Story().tell(*MOVED, came("r", ALL + 100))
    assert story.ends()[1] == "over"

    story.tell(k.ReturnReceipt.model_validate({**CLAIM, "receipt": some_id("r")}))

    assert story.ends() == ("joined", "funded", True)
    assert story.claim().back_payable_fen == 100


def test_6_all_that_arrived_for_nothing_is_returned_to_the_origin() -> None:
    story = Story().tell(*MOVED, corrected(0), came("r", ALL))
    story.tell(k.ReturnReceipt.model_validate({**CLAIM, "receipt": some_id("r")}))

    assert story.ends() == ("joined", "returned_to_origin", True)


# --- 9, 29: it never comes ----------------------------------------------------------------------


def test_9_a_loss_is_written_off_by_two_people_and_what_comes_after_all_makes_it_smaller() -> None:
    story = Story().tell(*MOVED, k.WriteOff.model_validate(CLAIM))
    assert story.ends() == ("joined", "written_off", True)

    story.tell(came("r", ALL))

    assert story.ends() == ("joined", "funded", True)
    assert story.network.settlement.account(NANNING, "write-off") == 0


def test_29_what_was_never_advanced_is_credited_when_it_is_given_up() -> None:
    story = Story(most=1).tell(*MOVED)
    assert (story.balance(), story.ends()[1]) == (0, "awaiting_funds")

    story.tell(k.Waive.model_validate(CLAIM))

    assert (story.balance(), story.ends()[1]) == (ALL, "written_off")
    assert story.network.settlement.account(ZHENGZHOU, f"payable:{NANNING}") == 0


# --- 11: death ----------------------------------------------------------------------------------


def test_11_heirs_get_what_is_unspent_and_a_reversal_gives_back_nothing_of_it() -> None:
    story = Story().tell(*MOVED, spend(100), DECEASE, REVERSE)

    assert (story.balance(), story.balance(ZHENGZHOU)) == (0, 0)
    assert story.ends() == ("restored", "advanced", False)
    paid = story.said(s.PaidOut)
    assert [m.amount_fen for m in paid] == [ALL - 100]  # type: ignore[attr-defined]


def test_11_what_the_heirs_had_no_right_to_is_owed_by_the_estate() -> None:
    story = Story().tell(*MOVED, DECEASE, corrected(ALL - 100), came("r", ALL - 100))
    assert story.ends() == ("joined", "recovering", False)

    story.tell(k.WriteOff.model_validate({**CLAIM, "what": "person"}))

    assert story.ends() == ("joined", "written_off", True)


# --- any story ----------------------------------------------------------------------------------

_FEN = st.integers(1, ALL)
_ACTS = st.one_of(
    st.builds(spend, _FEN),
    st.builds(lambda fen: spend(fen, GUILIN), _FEN),
    st.builds(corrected, st.integers(0, 2 * ALL)),
    st.builds(lambda fen: came(f"came {fen}", fen), _FEN),
    st.just(came("all", ALL)),
    st.just(REVERSE),
    st.just(DECEASE),
    st.sampled_from([STOP_AGAIN, MOVE_ON]),
    st.builds(lambda fen: k.WriteOff.model_validate({**CLAIM, "amount_fen": fen}), _FEN),
    st.just(k.Waive.model_validate(CLAIM)),
    st.just(k.WriteOff.model_validate({**CLAIM, "what": "person"})),
    st.just(k.Recover.model_validate(CLAIM)),
    st.just(k.ReturnReceipt.model_validate({**CLAIM, "receipt": some_id("all")})),
)


@settings(max_examples=40, deadline=None)
@given(acts=st.lists(_ACTS, max_size=6, unique_by=repr), data=st.data(), at_once=st.booleans())
def test_every_story_ends_closed_or_waits_for_somebody(
    acts: list[Message],
    data: st.DataObject,
    at_once: bool,  # noqa: FBT001 - drawn
) -> None:
    story = Story(lambda n: data.draw(st.integers(0, n - 1)))
    story.tell(*MOVED)

    story.tell(*acts, at_once=at_once)

    found = story.transfer()
    if found.closed_at:
        claim = story.claim()
        assert not claim.unpaid_fen
        assert not claim.recoverable_fen
