"""Business days: a closed day takes no entry, and what comes after it says why."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement import decisions
from services.settlement.closing.days import (
    LATE,
    Closing,
    Day,
    closes,
    dated,
    end_of,
    month_end,
    moved,
)
from services.settlement.ledger import Entry
from shared.calendar import SHANGHAI
from shared.decision import Delivery, States, Timer, Unexpected
from shared.messages import Message
from shared.messages.settlement_closing import CloseDay, DayClosed
from tests.unit.settlement_world import LIMITS, REGIONS, A, B, open_account, some_id

MONDAY = date(2026, 3, 30)
TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = TUESDAY + timedelta(days=1)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)


class Desk:
    """Messages one after the other, with all that they leave behind."""

    def __init__(self) -> None:
        self.states: States = {}
        self.entries: list[Entry] = []
        self.said: list[Message] = []
        self.timers: dict[tuple[str, object], Timer] = {}
        self.number = 0

    def send(self, message: Message, when: datetime) -> list[Message]:
        self.number += 1
        id_ = some_id(f"closing {self.number}")
        given_ = Delivery(id_, message.key, message, when, when, id_)
        decision = decisions.decide(self.states, given_, lambda *_: LIMITS, REGIONS.at)
        self.states.update(decision.changes)
        made = [state for state in decision.changes.values() if isinstance(state, Entry)]
        self.entries += made
        self.timers |= {(timer.key, timer.id): timer for timer in decision.timers}
        self.said += decision.out
        return list(decision.out)

    def enter(self, region: str, when: datetime) -> Entry:
        record = some_id(f"record {self.number}")
        person = f"{self.number:032x}"
        self.send(open_account(region, 100, record=record, person=person), when)
        return self.entries[-1]


@pytest.mark.parametrize(
    ("closed_on", "today", "expected"),
    [
        (None, MONDAY, (MONDAY, None)),
        (MONDAY, TUESDAY, (TUESDAY, None)),
        (MONDAY, MONDAY, (TUESDAY, LATE)),
        (TUESDAY, MONDAY, (WEDNESDAY, LATE)),
    ],
)
def test_what_comes_after_the_close_bears_the_next_day(
    closed_on: date | None, today: date, expected: tuple[date, str | None]
) -> None:
    assert dated(Day(B, closed_on), today) == expected


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [
        (MONDAY, TUESDAY, TUESDAY),
        (MONDAY, WEDNESDAY, TUESDAY),
        (TUESDAY, WEDNESDAY, None),
        (None, MONDAY, date(2026, 2, 28)),
    ],
)
def test_a_months_end_is_among_the_days_that_were_closed(
    after: date | None, until: date, expected: date | None
) -> None:
    assert month_end(after, until) == expected


def test_a_day_ends_at_midnight_in_shanghai() -> None:
    assert end_of(MONDAY).isoformat() == "2026-03-31T00:00:00+08:00"
    assert closes(B, MONDAY).message == CloseDay(to=B, day=MONDAY)


def test_only_the_first_entry_of_a_day_moves_it() -> None:
    assert moved(Day(B), MONDAY) == Day(B, None, MONDAY)
    assert moved(Day(B, None, MONDAY), MONDAY) is None
    assert moved(Day(B, None, TUESDAY), MONDAY) is None


def test_the_first_entry_of_a_day_sets_its_end_and_the_second_sets_nothing() -> None:
    desk = Desk()

    desk.enter(B, at(MONDAY))
    first = dict(desk.timers)
    desk.enter(B, at(MONDAY, 13))

    assert [timer.message for timer in first.values()] == [CloseDay(to=B, day=MONDAY)]
    assert desk.timers == first


def test_an_accountant_ends_a_day_early_and_the_rest_of_it_is_late() -> None:
    desk = Desk()
    before = desk.enter(B, at(MONDAY, 15))

    said = desk.send(CloseDay(to=B, day=MONDAY, by="an-wei"), at(MONDAY, 17))
    after = desk.enter(B, at(MONDAY, 18))
    elsewhere = desk.enter(A, at(MONDAY, 18))

    assert said == [DayClosed(to=B, day=MONDAY, by="an-wei")]
    assert desk.states["closing", B, MONDAY] == Closing(B, MONDAY, None, at(MONDAY, 17), "an-wei")
    assert (before.business_date, before.late) == (MONDAY, None)
    assert (after.business_date, after.late) == (TUESDAY, LATE)
    assert (elsewhere.business_date, elsewhere.late) == (MONDAY, None)


def test_a_closed_day_is_not_closed_again_nor_opened_by_an_earlier_one() -> None:
    desk = Desk()
    desk.send(CloseDay(to=B, day=TUESDAY), at(TUESDAY))

    said = [desk.send(CloseDay(to=B, day=day), at(WEDNESDAY)) for day in (MONDAY, TUESDAY)]

    assert said == [[], []]
    assert desk.states["day", B] == Day(B, TUESDAY)


def test_a_day_that_has_not_begun_cannot_be_closed() -> None:
    with pytest.raises(Unexpected, match="has not begun"):
        Desk().send(CloseDay(to=B, day=TUESDAY), at(MONDAY, 23))


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.booleans(), st.integers(0, 40)), max_size=40))
def test_no_entry_is_ever_in_a_closed_day(acts: list[tuple[str, bool, int]]) -> None:
    """Hours pass; at random something is entered or a day is closed, early or late."""
    desk = Desk()
    now = at(MONDAY, 8)
    closed: dict[str, date] = {}
    for region, closing, hours in acts:
        now += timedelta(hours=hours)
        if closing:
            day = now.date() - timedelta(days=hours % 2)
            desk.send(CloseDay(to=region, day=day), now)
            closed[region] = max(closed.get(region, day), day)
        else:
            entry = desk.enter(region, now)
            assert region not in closed or entry.business_date > closed[region]
            assert (entry.late is None) == (entry.business_date == now.date())
            assert (region, closes(region, entry.business_date).id) in desk.timers
