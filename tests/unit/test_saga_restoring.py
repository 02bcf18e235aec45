"""Going back twice, in a race with the join, and when somebody withdraws meanwhile."""

from services.transfer import compensation as back
from services.transfer import repair, saga
from services.transfer.samples import ABOUT, AT, RECORD_STATES, O
from services.transfer.samples_money import MONEY_STATES
from services.transfer.states import Funds, Transfer
from shared import regions
from shared.decision import replace
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import settlement_compensation as k
from shared.messages import transfer as t
from shared.settings import Settings
from tests.unit.saga_stories import ABOUT as SAGA
from tests.unit.saga_stories import (
    FROM,
    WITHDRAW,
    applied,
    credited,
    funds,
    registered,
    released,
)
from tests.unit.test_saga_repair import corrected, disputed, joins

REGIONS = regions.load(Settings().regions)
NOTHING_LEFT = dict.fromkeys(
    k.ClaimChanged.model_fields.keys() - {"to", "person", "transfer", "origin", "amount_fen"}, 0
)


def reversed_(number: int, amount_fen: int) -> k.AdvanceReversed:
    fields = {**ABOUT, **NOTHING_LEFT, "origin": O, "number": number, "amount_fen": amount_fen}
    return k.AdvanceReversed.model_validate(fields)


def restored(number: int, amount_fen: int, total_fen: int) -> k.FundsRestored:
    amounts = {"amount_fen": amount_fen, "total_fen": total_fen}
    return k.FundsRestored.model_validate({**ABOUT, **amounts, "origin": O, "number": number})


def test_two_restorations_under_way_are_each_asked_for_and_counted_once() -> None:
    now = MONEY_STATES["restoring, asked of D"]
    assert now
    funds = Funds(version=2, answered=2, released=101, credited=100, open=100, reversals=2)
    now = replace(now, funds=funds)
    said: list[Message] = []

    for message in (
        reversed_(1, 100),
        reversed_(2, 1),
        restored(1, 100, total_fen=100),
        restored(2, 1, total_fen=101),
    ):
        step = saga.decide(now, message, AT, REGIONS)
        assert step.transfer
        now = step.transfer
        said += step.say

    asked = [(m.number, m.amount_fen) for m in said if isinstance(m, k.RestoreFunds)]
    assert asked == [(1, 100), (2, 1)]
    assert (now.funds.released, now.funds.restoring, now.funds.restored) == (0, 0, 101)
    assert now.money == "restored"


def test_what_d_has_not_heard_of_yet_is_taken_back_once_it_has() -> None:
    """The command to credit goes another way, and would be overtaken."""
    now = RECORD_STATES["restoring"]
    assert now
    now = replace(now, funds=Funds(version=1, released=100), money="released", months_out=False)
    out = e.RecordRestored.model_validate({**ABOUT, "origin": O, "region": now.destination})
    amounts = {"version": 1, "amount_fen": 100, "credited_fen": 100, "open_fen": 100}
    credited = s.AdvanceCredited.model_validate({**ABOUT, **amounts, "origin": O})

    first = saga.decide(now, out, AT, REGIONS)
    second = saga.decide(first.transfer, credited, AT, REGIONS)
    third = saga.decide(second.transfer, credited, AT, REGIONS)

    asked = [[type(m) for m in step.say] for step in (first, second, third)]
    assert asked == [[e.RestoreRecord], [k.ReverseAdvance], []]
    assert second.transfer
    assert second.transfer.money == "restoring"


def test_why_there_was_no_advance_is_no_reason_once_it_is_given_up() -> None:
    now = MONEY_STATES["awaiting_funds"]
    assert now
    now = replace(now, reason="single_limit", reversing=None)
    whole = {**ABOUT, **NOTHING_LEFT, "origin": O, "amount_fen": 100, "credited_fen": 100}
    lost = {"lost_fen": 100, "written_off_fen": 100, "what": "claim", "reason": "small"}

    step = saga.decide(now, k.WrittenOff.model_validate(whole | lost), AT, REGIONS)

    assert step.transfer
    assert (step.transfer.money, step.transfer.reason) == ("written_off", None)


def test_months_joined_while_they_are_asked_back_stay_joined_where_d_refuses() -> None:
    now = RECORD_STATES["restoring, not joined yet"]
    assert now
    months = {
        "months": ((24230, 24313),),
        "months_total": 84,
        "entitled_from": None,
        "waiting_months": 0,
        "retroactive_from": None,
    }
    joined = e.RecordJoined.model_validate({**ABOUT, "origin": O, "version": 1, **months})
    refused = e.RestoreRefused.model_validate({**ABOUT, "origin": O, "code": "moved-on"})

    first = saga.decide(now, joined, AT, REGIONS)
    second = saga.decide(first.transfer, refused, AT, REGIONS)

    assert [type(m) for m in first.say] == [e.TerminateRecord]
    assert first.transfer
    assert second.transfer
    assert (first.transfer.record, second.transfer.record) == ("restoring", "joined")
    assert [type(m) for m in second.say] == [t.ReversalRefused]


def test_whoever_withdraws_is_answered_while_a_transfer_goes_back() -> None:
    for state in ("restoring", "restored"):
        step = saga.decide(RECORD_STATES[state], t.Withdraw(**ABOUT), AT, REGIONS)
        assert [type(m) for m in step.say] == [t.WithdrawalRefused]


def test_whoever_withdraws_is_told_too_when_the_origin_refuses_anyway() -> None:
    now = RECORD_STATES["opened, withdrawing"]
    refusal = e.ReleaseRefused.model_validate({**ABOUT, "origin": O, "code": "in_arrears"})

    step = saga.decide(now, refusal, AT, REGIONS)

    assert step.transfer
    assert (step.transfer.record, step.transfer.reason) == ("withdrawn", "withdrawn")
    assert [type(m).__name__ for m in step.say] == ["Withdrawn", "Closed"]


def heard(now: Transfer | None, *messages: Message) -> tuple[Transfer, list[Message]]:
    said: list[Message] = []
    for message in messages:
        step = saga.decide(now, message, AT, REGIONS)
        now, said = step.transfer, [*said, *step.say]
    assert now
    return now, said


REVERSE = t.Reverse(**SAGA, proposed_by="chen", approved_by="li", reason="court-order")
STAYS = e.RestoreRefused(**FROM, code="moved-on")


def test_months_that_d_joined_come_out_though_a_later_version_was_heard_of_before() -> None:
    """D's answer and O's correction cross; then D disputes the correction and O withholds it."""
    withheld = e.RecordWithheld(**FROM, code="not_correctable")

    now, said = heard(None, registered(), released(), corrected(2), joins(1))
    _, after = heard(now, disputed(2), withheld)

    assert (now.record, now.joined_version, now.version) == ("joined", 1, 2)
    assert [type(m) for m in said[-1:]] == [e.TerminateRecord]
    assert [type(m) for m in after if isinstance(m, e.RestoreRecord)] == [e.RestoreRecord]


def test_months_that_come_while_d_is_asked_to_go_back_are_joined_when_it_refuses() -> None:
    now, said = heard(None, registered(), released(), joins(1), REVERSE, corrected(2))
    asked = [m.version for m in said if isinstance(m, e.JoinRecord)]
    retried = repair.unanswered(now, REGIONS.corridor(now.origin, now.destination, AT.date()))
    stays, later = heard(now, STAYS)
    joined, _ = heard(stays, joins(2))

    assert asked == [1]
    assert [type(m) for m in retried if m.type.startswith("enrollment")] == [e.RestoreRecord]
    assert [m.version for m in later if isinstance(m, e.JoinRecord)] == [2]
    assert (stays.record, joined.joined_version, joined.asked) == ("joined", 2, ())


def test_months_that_come_after_d_has_let_go_stay_with_the_origin() -> None:
    out = e.RecordRestored(**FROM, region="450100")

    now, said = heard(None, registered(), released(), joins(1), REVERSE, out, corrected(2))

    assert (now.record, now.version) == ("restoring", 1)
    assert [m.version for m in said if isinstance(m, e.JoinRecord)] == [1]


def test_a_dispute_is_not_forgotten_where_d_refuses_to_go_back() -> None:
    now, _ = heard(None, registered(), released(), disputed(1), REVERSE)

    stays, said = heard(now, STAYS)
    again, asked = heard(stays, disputed(1))

    assert [m.version for m in said if isinstance(m, e.JoinRecord)] == [1]
    assert (stays.record, again.record) == ("released", "disputed")
    assert [type(m) for m in asked] == [e.CorrectRecord]


def test_who_withdraws_twice_what_was_refused_is_not_told_that_it_has_ended() -> None:
    refused = e.ReleaseRefused(**FROM, code="origin-not-stopped")
    now, _ = heard(None, registered(), refused, WITHDRAW)

    step = saga.decide(now, WITHDRAW, AT, REGIONS)

    assert (step.kind, step.say) == ("ignored", ())


def test_a_second_payment_opens_the_transfer_again_with_a_date() -> None:
    story = (registered(), released(), joins(1), funds(), credited())
    closed, _ = heard(None, *story, applied(s.AdvanceFunded, 100))

    over, _ = heard(closed, applied(s.AdvanceFunded, 200, excess=100))

    assert closed.closed_at
    assert not closed.deadlines
    assert (over.money, over.closed_at) == ("over", None)
    assert [d.step for d in over.deadlines] == ["whole"]


def test_of_several_versions_the_one_that_d_has_joined_is_known() -> None:
    late, _ = heard(None, registered(), released(), joins(1), corrected(2), corrected(3), joins(2))
    going, _ = heard(None, registered(), released(), REVERSE, corrected(2), joins(1))

    assert [(now.joined_version, now.version) for now in (late, going)] == [(2, 3), (1, 2)]


def test_the_same_version_again_is_kept_for_nobody() -> None:
    now, _ = heard(None, registered(), released(), joins(1), REVERSE)

    step = saga.decide(now, corrected(1), AT, REGIONS)

    assert step.kind == "ignored"


def test_what_changes_nothing_leaves_a_closed_transfer_without_a_date() -> None:
    story = (registered(), released(), joins(1), funds(), credited())
    closed, _ = heard(None, *story, applied(s.AdvanceFunded, 100))

    again, said = heard(closed, applied(s.AdvanceFunded, 100))

    assert (again.closed_at, again.deadlines, said) == (closed.closed_at, (), [])


def test_what_o_did_not_give_back_is_owed_and_what_was_given_up_may_come_after_all() -> None:
    asked = Funds(version=1, reversals=2, reversed=2, restoring=191)
    second = restored(2, 90, total_fen=190)
    lost = Funds(version=1, released=100, credited=100, lost=30, written_off=40)
    came = applied(s.AdvanceFunded, 100).model_copy(update={"lost_fen": 10})

    first = back.given_back(asked, restored(1, 100, total_fen=100))
    last = back.given_back(replace(first, restorations=1), second)
    found = back.arrived(lost, came)

    assert (first.released, first.restoring) == (0, 91)
    assert (last.released, last.restoring, last.restored) == (1, 0, 190)
    assert (found.lost, found.written_off) == (10, 20)
