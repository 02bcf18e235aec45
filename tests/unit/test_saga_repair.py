"""What an operator does with a transfer: nothing is lost by a pause, and a retry does no harm."""

from datetime import date, datetime, timedelta

import pytest

from services.transfer import repair, saga
from services.transfer.states import Paused, Transfer
from shared import regions
from shared.calendar import SHANGHAI, shanghai_day
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import transfer as t
from shared.settings import Settings
from tests.unit.saga_stories import (
    ABOUT,
    ACCEPTED,
    FROM,
    MONDAY,
    MONTHS,
    applied,
    credited,
    funds,
    joined,
    registered,
    released,
)

REGIONS = regions.load(Settings().regions)
BY = {**ABOUT, "by": "operator", "why": "the origin has asked for it"}
PAUSE, RESUME, RETRY = t.Pause(**BY), t.Resume(**BY), t.Retry(**BY)
WITHHELD = s.FundsWithheld(**FROM, code="account_frozen", until=date(2026, 3, 5))
ARRIVED = applied(s.AdvanceFunded, 100)


def corrected(version: int) -> e.RecordCorrected:
    return e.RecordCorrected(
        **FROM, version=version, scheme="310", months=MONTHS, last_month=24313, digest="d"
    )


def disputed(version: int) -> e.RecordDisputed:
    return e.RecordDisputed(**FROM, code="digest-mismatch", version=version)


def joins(version: int) -> e.RecordJoined:
    return joined().model_copy(update={"version": version})


class Dialogue:
    """Plays messages to the saga; remembers where it stands, and the whole messages it says."""

    def __init__(self, *messages: Message) -> None:
        self.now: Transfer | None = None
        self.at = MONDAY
        self.said: list[Message] = []
        self.why = ""
        for message in messages:
            self.hear(message)

    def hear(self, message: Message) -> list[Message]:
        step = saga.decide(self.now, message, self.at, REGIONS)
        self.now, self.why = step.transfer, step.why
        self.said += step.say
        return list(step.say)

    @property
    def seen(self) -> Transfer:
        assert self.now
        return self.now


STORY = (registered(), ACCEPTED, released(), funds(), joins(1), credited(), ARRIVED)


@pytest.mark.parametrize("paused_after", range(1, len(STORY)))
@pytest.mark.parametrize("resumed_after", range(2, len(STORY) + 1))
def test_a_pause_anywhere_changes_neither_the_end_nor_what_is_said(
    paused_after: int, resumed_after: int
) -> None:
    plain = Dialogue(*STORY)
    paused = Dialogue()
    for n, message in enumerate(STORY, start=1):
        paused.hear(message)
        if n == paused_after:
            paused.hear(PAUSE)
        if n >= resumed_after and paused.seen.paused:
            paused.hear(RESUME)

    assert paused.said == plain.said
    assert paused.seen == plain.seen


def test_while_paused_money_is_taken_in_and_nothing_is_said() -> None:
    dialogue = Dialogue(registered(), ACCEPTED, released(), PAUSE)

    assert dialogue.hear(funds(100)) == []
    assert dialogue.seen.money == "released"
    assert dialogue.seen.funds.released == 100
    assert dialogue.seen.next_due is None


def test_who_paused_it_and_why_stands_in_the_step() -> None:
    dialogue = Dialogue(registered(), PAUSE)

    assert "operator: the origin has asked for it" in dialogue.why
    assert dialogue.seen.paused == Paused(MONDAY, "operator", "the origin has asked for it")


def test_a_reminder_that_comes_when_the_clock_was_set_back_is_not_lost() -> None:
    dialogue = Dialogue(registered())
    due = dialogue.seen.next_due
    assert due
    dialogue.at = due - timedelta(seconds=1)

    assert [m.type for m in dialogue.hear(t.Remind(**ABOUT, due_at=due))] == ["transfer.overdue.v1"]


def test_what_is_late_when_it_is_resumed_is_urged_then_with_its_own_date() -> None:
    dialogue = Dialogue(registered(), PAUSE)
    due = dialogue.seen.deadlines[0].due_at
    dialogue.at = due + timedelta(days=3)
    assert dialogue.hear(t.Remind(**ABOUT, due_at=due)) == []

    said = dialogue.hear(RESUME)

    assert [(m.type, getattr(m, "due_at", None)) for m in said] == [("transfer.overdue.v1", due)]
    assert dialogue.seen.next_due
    assert dialogue.seen.next_due > dialogue.at


@pytest.mark.parametrize(
    ("heard", "again"),
    [
        ((registered(),), ["release-record"]),
        ((registered(), ACCEPTED), ["release-record"]),
        ((registered(), t.Withdraw(**ABOUT)), ["cancel-release"]),
        ((registered(), released()), ["join-record", "release-funds"]),
        ((registered(), released(), joins(1)), ["release-funds"]),
        ((registered(), released(), joins(1), WITHHELD), ["release-funds"]),
        ((registered(), released(), disputed(1), funds()), ["correct-record", "credit-advance"]),
        ((registered(), released(), joins(1), funds()), ["credit-advance"]),
        ((registered(), released(), joins(1), funds(), credited()), []),
        (STORY, []),
    ],
)
def test_a_retry_says_again_what_nobody_has_answered(
    heard: tuple[Message, ...], again: list[str]
) -> None:
    dialogue = Dialogue(*heard)
    before = list(dialogue.said)

    said = dialogue.hear(RETRY)

    assert [m.type.split(".")[1] for m in said] == again
    assert all(message in before for message in said)
    assert dialogue.hear(RETRY) == said


def test_nothing_stays_to_be_asked_again_at_the_end() -> None:
    assert Dialogue(*STORY).seen.asked == ()


def test_a_payout_that_is_told_again_counts_once() -> None:
    dialogue = Dialogue(registered(account=False), released())
    paid = s.PaidOut(**ABOUT, region="410100", amount_fen=7, total_fen=7, reason="x")
    later = s.PaidOut(**ABOUT, region="410100", amount_fen=2, total_fen=9, reason="x")

    for message in (paid, paid, later, paid, later):
        dialogue.hear(message)

    assert dialogue.seen.funds.paid_out == 9


def test_a_dispute_of_a_later_version_is_heard_after_the_months_are_joined() -> None:
    dialogue = Dialogue(*STORY, corrected(2))
    assert dialogue.seen.closed_at

    said = dialogue.hear(disputed(2))

    assert [m.type.split(".")[1] for m in said] == ["correct-record"]
    reopened = dialogue.seen
    assert reopened.record == "disputed"
    assert reopened.closed_at is None
    for message in (corrected(3), joins(3)):
        dialogue.hear(message)
    closed = dialogue.seen
    assert closed.record == "joined"
    assert closed.closed_at is not None


def test_a_dispute_of_an_earlier_version_is_not_heard_any_more() -> None:
    dialogue = Dialogue(registered(), released(), disputed(1), corrected(2))

    assert dialogue.hear(disputed(1)) == []
    assert dialogue.seen.record == "released"


def test_withheld_funds_keep_the_origins_date_when_the_clocks_go_on() -> None:
    dialogue = Dialogue(registered(), ACCEPTED, released(), disputed(1), WITHHELD)
    dialogue.at = MONDAY + timedelta(days=2)
    assert dialogue.hear(t.Remind(**ABOUT, due_at=dialogue.at)) == []
    dialogue.hear(corrected(2))

    [asked] = [d for d in dialogue.seen.deadlines if d.step == "funds"]

    assert asked.due_at == datetime(2026, 3, 5, tzinfo=SHANGHAI)


def test_nothing_is_urged_while_the_record_is_disputed() -> None:
    dialogue = Dialogue(registered(), ACCEPTED, released(), WITHHELD, disputed(1))
    dialogue.at = MONDAY + timedelta(days=60)

    assert dialogue.seen.next_due is None
    assert dialogue.hear(t.Remind(**ABOUT, due_at=MONDAY)) == []


@pytest.mark.parametrize("length", range(1, len(STORY)))
def test_an_open_transfer_says_what_each_leg_waits_for(length: int) -> None:
    waits = repair.waits(Dialogue(*STORY[:length]).seen)

    assert waits
    assert all(wait.awaits and wait.of and wait.do for wait in waits)


def test_a_paused_transfer_waits_for_its_operator_and_an_ended_one_for_nobody() -> None:
    assert repair.waits(Dialogue(registered(), PAUSE).seen)[0].leg == "both"
    assert repair.waits(Dialogue(*STORY).seen) == ()


def test_the_rules_of_the_day_it_opened_say_whether_money_moves_again() -> None:
    now = Dialogue(registered(account=False), released()).seen
    rules = REGIONS.corridor(now.origin, now.destination, shanghai_day(now.opened_at))

    kinds = [m.type for m in repair.unanswered(now, rules)]

    assert "settlement.release-funds.v1" not in kinds
