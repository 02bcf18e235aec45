"""Each path of the story as a dialogue: a message in, the two states after it, messages out."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.transfer import saga
from services.transfer.states import Deadline, Transfer, ignore
from shared import regions
from shared.calendar import SHANGHAI
from shared.decision import Unexpected
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import transfer as t
from shared.settings import Settings
from tests.unit.saga_stories import (
    ABOUT,
    ACCEPTED,
    DEATH,
    FROM,
    MONDAY,
    MONTHS,
    STORIES,
    applied,
    credited,
    funds,
    joined,
    registered,
    released,
)

REGIONS = regions.load(Settings().regions)
REFUSED = e.RegistrationRefused(
    **FROM, record=FROM["transfer"], action="apply", occurred_at=MONDAY, code="not_enrolled"
)
NOT_NEEDED = registered(to="130100", origin="130600")


@dataclass
class Dialogue:
    """Plays messages to the saga and remembers where it stands."""

    now: Transfer | None = None
    at: datetime = MONDAY

    def hear(self, message: Message) -> tuple[str, list[str]]:
        step = saga.decide(self.now, message, self.at, REGIONS)
        self.now = step.transfer
        said = [m.type.split(".")[1] for m in step.say]
        return (f"{self.now.record}/{self.now.money}" if self.now else "-", said)


@pytest.mark.parametrize("story", STORIES, ids=lambda name: name.replace(" ", "-"))
def test_the_saga_tells(story: str) -> None:
    dialogue = Dialogue()

    heard = [dialogue.hear(message) for message, _, _ in STORIES[story]]

    assert heard == [(state, said) for _, state, said in STORIES[story]]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (registered(transfer=None), "no transfer was asked for"),
        (registered(origin=None), "nothing is known of another region to transfer from"),
        (registered(origin="450100"), "nothing is known of another region to transfer from"),
        (registered(origin="999999"), "the origin has not joined the network"),
        (registered(action="suspend"), "`suspend` starts no transfer"),
        (registered(to="340100"), "the destination starts such transfers on application"),
    ],
)
def test_what_starts_no_transfer_is_ignored(message: Message, why: str) -> None:
    assert saga.decide(None, message, MONDAY, REGIONS) == ignore(None, why)


@pytest.mark.parametrize(
    ("message", "record", "reason", "why"),
    [
        (REFUSED, "refused", "not_enrolled", "the destination's rules refuse the application"),
        (NOT_NEEDED, "not_needed", None, "cover goes on here without a transfer"),
    ],
)
def test_what_ends_as_it_begins_is_closed_at_once(
    message: Message, record: str, reason: str | None, why: str
) -> None:
    step = saga.decide(None, message, MONDAY, REGIONS)

    ended = step.transfer
    assert ended
    assert (ended.record, ended.money, ended.reason) == (record, "none", reason)
    assert (ended.opened_at, ended.closed_at, ended.deadlines) == (MONDAY, MONDAY, ())
    assert [m.type for m in step.say] == ["transfer.closed.v1"]
    assert (step.kind, step.why) == ("goes", why)


def test_an_open_transfer_waits_for_the_origins_answer_by_its_calendar() -> None:
    step = saga.decide(None, registered(), MONDAY, REGIONS)

    assert step.transfer
    due = datetime(2026, 3, 4, tzinfo=SHANGHAI)
    assert (step.transfer.opened_at, step.transfer.deadlines) == (
        MONDAY,
        (Deadline("answer", due),),
    )
    assert step.why == "ask the origin to release the record"


def test_nothing_is_advanced_after_death() -> None:
    dialogue = Dialogue()
    for message in (registered(), released(), DEATH):
        dialogue.hear(message)

    step = saga.decide(dialogue.now, funds(), MONDAY, REGIONS)

    assert isinstance(step.say[0], s.CreditAdvance)
    assert step.say[0].advance is False


def test_the_clock_of_the_origin_starts_when_it_accepts() -> None:
    dialogue = Dialogue()
    dialogue.hear(registered())
    dialogue.hear(ACCEPTED)

    assert dialogue.now
    assert dialogue.now.due_at == datetime(2026, 3, 24, tzinfo=SHANGHAI)
    assert {d.step for d in dialogue.now.deadlines} == {"transfer-out", "whole"}


def test_a_missed_step_is_urged_and_then_escalated_in_three_levels() -> None:
    dialogue = Dialogue()
    dialogue.hear(registered())
    heard = []
    for _ in range(6):
        assert dialogue.now
        dialogue.at = dialogue.now.next_due or dialogue.at + timedelta(days=30)
        _, said = dialogue.hear(t.Remind(**ABOUT, due_at=dialogue.at))
        heard += said

    assert heard == ["overdue", "escalated", "escalated", "escalated"]
    assert dialogue.now
    assert dialogue.now.overdue


def test_a_reminder_of_what_was_done_in_time_changes_nothing() -> None:
    dialogue = Dialogue()
    dialogue.hear(registered())

    step = saga.decide(dialogue.now, t.Remind(**ABOUT, due_at=MONDAY), MONDAY, REGIONS)

    assert step == ignore(dialogue.now, "the step was done in time")


def test_the_clocks_stand_still_while_the_record_is_disputed() -> None:
    dialogue = Dialogue()
    for message in (registered(), ACCEPTED, released()):
        dialogue.hear(message)
    assert dialogue.now
    before = dialogue.now.due_at
    dialogue.hear(e.RecordDisputed(**FROM, code="digest-mismatch"))
    assert dialogue.now.next_due is None
    dialogue.at = MONDAY + timedelta(days=7)
    dialogue.hear(
        e.RecordCorrected(**FROM, version=2, scheme="310", months=MONTHS, last_month=1, digest="")
    )

    assert before
    assert dialogue.now.due_at == before + timedelta(days=7)


def test_withheld_funds_are_asked_for_again_on_their_date() -> None:
    dialogue = Dialogue()
    for message in (registered(), released(), joined()):
        dialogue.hear(message)
    until = date(2026, 3, 10)
    dialogue.hear(s.FundsWithheld(**FROM, code="account_frozen", until=until))
    dialogue.at = datetime(2026, 3, 10, tzinfo=SHANGHAI)

    _, said = dialogue.hear(t.Remind(**ABOUT, due_at=dialogue.at))

    assert "release-funds" in said


def test_what_is_paid_out_is_asked_for_again_as_a_payout() -> None:
    dialogue = Dialogue()
    for message in (registered(), released(), joined()):
        dialogue.hear(message)
    dialogue.hear(s.FundsWithheld(**FROM, code="account_frozen", until=date(2026, 3, 10)))
    assert dialogue.now
    dialogue.now = replace(dialogue.now, account=False)
    dialogue.at = datetime(2026, 3, 10, tzinfo=SHANGHAI)

    _, said = dialogue.hear(t.Remind(**ABOUT, due_at=dialogue.at))
    paid = s.PaidOut(**ABOUT, region="410100", amount_fen=1, reason="no-account")
    dialogue.hear(paid)

    assert "pay-out" in said
    assert (dialogue.now.money, dialogue.now.reason) == ("paid_out", None)
    assert "funds" not in {deadline.step for deadline in dialogue.now.deadlines}


def test_an_account_that_was_held_back_and_is_empty_is_no_reason_any_more() -> None:
    dialogue = Dialogue()
    for message in (registered(), released(), joined()):
        dialogue.hear(message)
    dialogue.hear(s.FundsWithheld(**FROM, code="account_frozen", until=date(2026, 3, 10)))

    dialogue.hear(s.NothingToRelease(**FROM, code="zero_balance"))

    assert dialogue.now
    assert (dialogue.now.money, dialogue.now.reason) == ("none", None)


def test_an_advance_that_was_declined_is_no_reason_once_too_much_has_come() -> None:
    dialogue = Dialogue()
    for message in (registered(), released(), joined(), funds()):
        dialogue.hear(message)
    dialogue.hear(s.AdvanceDeclined(**FROM, version=1, code="single_limit", awaiting_fen=100))

    dialogue.hear(applied(s.ExcessFound, 100, excess=5))

    assert dialogue.now
    assert (dialogue.now.money, dialogue.now.reason) == ("over", None)


@pytest.mark.parametrize(
    "message",
    [ACCEPTED, released(), joined(), funds(), credited(), t.Remind(**ABOUT, due_at=MONDAY)],
)
def test_a_message_about_a_transfer_that_was_never_opened_is_refused(message: Message) -> None:
    with pytest.raises(Unexpected) as refused:
        saga.decide(None, message, MONDAY, REGIONS)

    assert refused.value.code == "unknown_transfer"


IN_PROVINCE: dict[str, Any] = {"to": "450100", "origin": "450300"}
APRIL = datetime(2026, 4, 8, 10, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("released_on", "due"),
    [
        # Published on 5 May, five working days to answer and five to pay: 9 May is worked.
        (date(2026, 4, 8), datetime(2026, 5, 19, tzinfo=SHANGHAI)),
        (date(2026, 5, 6), datetime(2026, 6, 23, tzinfo=SHANGHAI)),
        # Fifteen working days after the sheet's month has nearly gone are the later.
        (date(2026, 4, 30), datetime(2026, 5, 26, tzinfo=SHANGHAI)),
    ],
)
def test_netted_money_is_late_when_its_sheet_is_not_paid_and_no_earlier(
    released_on: date, due: datetime
) -> None:
    at = datetime.combine(released_on, APRIL.timetz())
    dialogue = Dialogue(at=at)
    dialogue.hear(registered(**IN_PROVINCE, occurred_at=at))
    dialogue.hear(released(**IN_PROVINCE))
    dialogue.hear(joined().model_copy(update=IN_PROVINCE))
    dialogue.hear(funds(**IN_PROVINCE, released_on=released_on))
    dialogue.at = due - timedelta(seconds=1)
    assert dialogue.now
    assert dialogue.now.due_at == due

    _, early = dialogue.hear(t.Remind(**ABOUT, due_at=dialogue.at))
    assert not dialogue.now.overdue
    dialogue.at = due
    _, late = dialogue.hear(t.Remind(**ABOUT, due_at=due))

    assert (early, late) == ([], ["overdue"])
    assert dialogue.now.overdue


def test_a_transfer_that_began_to_be_remitted_is_due_as_such_when_its_corridor_nets_later() -> None:
    march = datetime(2026, 3, 31, 10, tzinfo=SHANGHAI)
    dialogue = Dialogue(at=march)
    for message in (
        registered(**IN_PROVINCE, occurred_at=march),
        released(**IN_PROVINCE),
        funds(**IN_PROVINCE, released_on=march.date()),
    ):
        dialogue.hear(message)
    assert dialogue.now
    before = dialogue.now.due_at
    dialogue.at = APRIL

    more = s.FundsCorrected(
        **ABOUT, origin="450300", version=2, delta_fen=5, released_on=APRIL.date()
    )
    dialogue.hear(more)

    assert dialogue.now.clearing is None
    assert dialogue.now.due_at == before
