"""The origin's side: who gets a person's record, and what it says."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from services.enrollment.entitlement import record_digest
from services.enrollment.releases import MOST_VERSIONS
from shared.calendar import SHANGHAI
from shared.decision import Unexpected
from shared.messages import Message, next_uuid, settlement
from shared.messages import enrollment as e
from shared.messages import transfer as t
from tests.unit.enrollment_world import (
    GUILIN,
    HEFEI,
    NANNING,
    PERSON,
    ZHENGZHOU,
    World,
    month,
    ranges,
    transfer,
)


def types(out: Sequence[Message]) -> list[str]:
    return [type(m).__name__ for m in out]


def stopped() -> World:
    world = World()
    world.open()
    world.stop()
    return world


def code_of(out: Sequence[Message]) -> str:
    (refused,) = out
    assert isinstance(refused, e.ReleaseRefused)
    return refused.code


def test_a_stopped_record_is_accepted_and_released_at_once() -> None:
    accepted, released = stopped().ask()

    assert isinstance(accepted, e.ReleaseAccepted)
    assert isinstance(released, e.RecordReleased)
    assert (released.to, released.origin, released.version) == (NANNING, ZHENGZHOU, 1)
    assert released.months == ranges("2019-03..2026-02")
    assert (released.last_month, released.account) == (month("2026-02"), True)
    assert released.digest == record_digest(1, released.months)


def test_what_the_origin_does_not_know_it_does_not_release() -> None:
    assert code_of(World().ask()) == "no_record_here"


def test_a_record_of_another_scheme_is_not_this_record() -> None:
    assert code_of(stopped().ask(scheme="390")) == "no_record_here"


def test_retirees_do_not_move() -> None:
    world = World()
    world.open(person_type="retiree")

    assert code_of(world.ask()) == "retiree"


def test_the_dead_do_not_move() -> None:
    world = stopped()
    world.register("decease", "death", to=ZHENGZHOU)

    assert code_of(world.ask()) == "deceased"


def test_arrears_are_paid_first() -> None:
    world = World()
    world.open()
    world.contribute("due", "2026-03", ZHENGZHOU, paid_on=None)
    world.stop()

    assert code_of(world.ask()) == "in_arrears"


def test_active_cover_is_not_released_and_its_stop_opens_a_new_transfer() -> None:
    world = World()
    world.open()
    assert code_of(world.ask(first_month=month("2026-03"))) == "origin-not-stopped"

    world.stop()

    (again,) = [m for m in world.said if isinstance(m, e.CoverStopped)]
    assert again.refused == transfer("enroll")
    assert again.transfer == next_uuid(transfer("enroll"), "again")
    assert (again.to, again.origin, again.trigger) == (NANNING, ZHENGZHOU, "auto")
    assert (again.first_month, again.account) == (month("2026-03"), True)


def test_the_new_transfer_gets_the_record() -> None:
    world = World()
    world.open()
    world.ask()
    world.stop()

    out = world.ask(transfer=next_uuid(transfer("enroll"), "again"))

    assert types(out) == ["ReleaseAccepted", "RecordReleased"]


def test_withdrawing_the_refused_one_withdraws_the_one_in_its_place() -> None:
    world = World()
    world.open()
    world.enroll(previous_region=ZHENGZHOU, transfer=transfer("enroll"))
    world.ask()
    world.stop()

    world.register("withdraw", "w", transfer=transfer("enroll"))

    withdrawn = [m.transfer for m in world.said if isinstance(m, t.Withdraw)]
    assert withdrawn == [transfer("enroll"), next_uuid(transfer("enroll"), "again")]


def test_a_request_taken_back_while_it_waits_is_not_opened_again() -> None:
    world = World()
    world.open()
    world.ask()

    cancelled = world.tell(
        e.CancelRelease(to=ZHENGZHOU, person=PERSON, transfer=transfer("enroll"))
    )
    world.stop()

    assert types(cancelled) == ["ReleaseCancelled"]
    assert not [m for m in world.said if isinstance(m, e.CoverStopped)]


def test_one_of_two_destinations_gets_the_record() -> None:
    world = stopped()
    world.ask()

    assert code_of(world.ask("other", destination=HEFEI)) == "duplicate"


def test_the_second_destination_gets_the_same_answer_however_late_it_comes() -> None:
    world = stopped()
    world.ask()
    world.tell(e.TerminateRecord(to=ZHENGZHOU, person=PERSON, transfer=transfer("enroll")))

    assert code_of(world.ask("other", destination=HEFEI)) == "duplicate"


def test_asked_again_the_origin_says_the_same_again() -> None:
    world = stopped()
    first = world.ask()

    assert world.ask()[-1] == first[-1]


PLAN_YEARS = [(None, "next_plan_year"), (2026, "next_plan_year"), (2027, None)]


@pytest.mark.parametrize(("plan_year", "code"), PLAN_YEARS)
def test_residents_move_for_the_next_plan_year_only(
    plan_year: int | None, code: str | None
) -> None:
    world = World()
    world.open(scheme="390", person_type="resident")
    world.stop(scheme="390")

    out = world.ask(scheme="390", new_scheme="390", plan_year=plan_year)

    assert (code_of(out) if code else types(out)) == (code or ["ReleaseAccepted", "RecordReleased"])


def test_a_resident_who_becomes_an_employee_moves_at_any_time() -> None:
    world = World()
    world.open(scheme="390", person_type="resident")
    world.stop(scheme="390")

    assert types(world.ask(scheme="390")) == ["ReleaseAccepted", "RecordReleased"]


def test_a_cancellation_after_the_release_gets_the_record_once_more() -> None:
    world = stopped()
    released = world.ask()[-1]

    out = world.tell(e.CancelRelease(to=ZHENGZHOU, person=PERSON, transfer=transfer("enroll")))

    assert list(out) == [released]


def test_a_cancellation_that_overtakes_its_request_wins() -> None:
    world = stopped()

    world.tell(e.CancelRelease(to=ZHENGZHOU, person=PERSON, transfer=transfer("enroll")))
    out = world.ask()

    assert types(out) == ["ReleaseCancelled"]
    assert out[0].to == NANNING
    assert world.relation(ZHENGZHOU).released is None


def test_the_relation_ends_once_the_record_has_joined() -> None:
    world = stopped()
    world.ask()

    world.tell(e.TerminateRecord(to=ZHENGZHOU, person=PERSON, transfer=transfer("enroll")))

    assert world.relation(ZHENGZHOU).state == "terminated"


def test_who_came_back_meanwhile_stays_insured() -> None:
    world = stopped()
    world.ask()
    world.enroll(region=ZHENGZHOU, name="back")

    world.tell(e.TerminateRecord(to=ZHENGZHOU, person=PERSON, transfer=transfer("enroll")))

    assert world.relation(ZHENGZHOU).state == "normal"


def test_a_disputed_record_is_made_again() -> None:
    world = stopped()
    world.ask()
    wrong = e.CorrectRecord(
        to=ZHENGZHOU, person=PERSON, transfer=transfer("enroll"), code="digest-mismatch"
    )

    (corrected,) = world.tell(wrong)

    assert isinstance(corrected, e.RecordCorrected)
    assert corrected.version == 2
    assert corrected.digest == record_digest(2, ranges("2019-03..2026-02"))


def test_a_record_that_is_disputed_for_ever_is_withheld() -> None:
    world = stopped()
    world.ask()
    wrong = e.CorrectRecord(
        to=ZHENGZHOU, person=PERSON, transfer=transfer("enroll"), code="digest-mismatch"
    )

    answers = [world.tell(wrong)[0] for _ in range(MOST_VERSIONS)]

    assert isinstance(answers[-2], e.RecordCorrected)
    assert isinstance(answers[-1], e.RecordWithheld)


def test_what_was_never_released_cannot_be_corrected() -> None:
    wrong = e.CorrectRecord(
        to=ZHENGZHOU, person=PERSON, transfer=transfer("enroll"), code="digest-mismatch"
    )

    (answer,) = World().tell(wrong)

    assert isinstance(answer, e.RecordWithheld)


def test_a_command_of_another_service_means_nothing_here() -> None:
    spend = settlement.Spend(to=NANNING, person=PERSON, record=transfer("x"), amount_fen=1)

    with pytest.raises(Unexpected):
        World().tell(spend)


def test_the_year_is_that_of_the_business_clock() -> None:
    world = World(datetime(2026, 12, 31, 23, 59, tzinfo=SHANGHAI))
    world.open(scheme="390", person_type="resident")
    world.stop(scheme="390")
    fields: dict[str, Any] = {"scheme": "390", "new_scheme": "390", "plan_year": 2027}

    before = types(world.ask(**fields))
    world.at = datetime(2027, 1, 1, 0, 1, tzinfo=SHANGHAI)
    world.open(region=GUILIN, name="o2", scheme="390", person_type="resident")
    world.stop(region=GUILIN, name="s2", scheme="390")
    after = code_of(world.ask("two", to=GUILIN, **fields))

    assert before == ["ReleaseAccepted", "RecordReleased"]
    assert after == "next_plan_year"
