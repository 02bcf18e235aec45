"""Each action of the registration feed, accepted and refused."""

from typing import Any

import pytest

from shared.messages import enrollment as e
from shared.messages import settlement, transfer_uuid
from tests.unit.enrollment_world import (
    GUILIN,
    HEFEI,
    NANNING,
    PERSON,
    SHIJIAZHUANG,
    ZHENGZHOU,
    World,
    month,
    ranges,
    record,
    transfer,
)


def registered(world: World) -> e.Registered:
    return [m for m in world.said if isinstance(m, e.Registered)][-1]


def said(world: World, kind: type) -> list[Any]:
    return [m for m in world.said if isinstance(m, kind)]


def test_an_opened_relation_has_its_history_and_its_account() -> None:
    world = World()

    assert world.open() is None

    relation = world.relation(ZHENGZHOU)
    assert relation.months == ranges("2019-03..2026-02")
    assert relation.entitlement.entitled_from == month("2019-03")
    (account,) = said(world, settlement.OpenAccount)
    assert (account.balance_fen, account.account) == (408412, True)


def test_a_retiree_may_be_loaded_but_not_enrolled() -> None:
    world = World()

    assert world.open(person_type="retiree") is None
    assert world.enroll(person_type="retiree") == "retiree"


def test_the_account_column_overrides_the_rule_of_the_region() -> None:
    world = World()

    world.enroll(region=HEFEI, account=True)

    assert registered(world).account is True


def test_flexible_workers_in_hefei_have_no_account() -> None:
    world = World()

    world.enroll(region=HEFEI)

    assert registered(world).account is False
    assert [a.account for a in said(world, settlement.OpenAccount)] == [False]


def test_a_balance_needs_an_account() -> None:
    assert World().open(account=False) == "no_account"


def test_enrolling_announces_the_transfer_that_it_starts() -> None:
    world = World()

    world.enroll(previous_region=ZHENGZHOU, transfer=transfer("enroll"))

    announced = registered(world)
    assert (announced.origin, announced.origin_scheme) == (ZHENGZHOU, "310")
    assert announced.transfer == transfer("enroll")
    assert (announced.account, announced.month) == (True, month("2026-03"))


def test_the_origin_is_known_where_the_person_did_not_say() -> None:
    world = World()
    world.open(region=GUILIN)
    world.stop(region=GUILIN)

    world.enroll()

    assert registered(world).origin == GUILIN
    assert registered(world).transfer == transfer_uuid("test", "enroll")


def test_where_transfers_start_on_application_enrolling_starts_none() -> None:
    world = World()
    world.open(region=GUILIN)
    world.stop(region=GUILIN)

    world.enroll(region=ZHENGZHOU)

    assert registered(world).origin == GUILIN
    assert registered(world).transfer is None


def test_registration_does_not_wait_for_the_stop_of_cover_elsewhere() -> None:
    world = World()
    world.open()

    assert world.enroll() is None
    assert world.relation(NANNING).state == "normal"
    assert world.relation(ZHENGZHOU).state == "normal"


def test_who_comes_back_enrolls_in_the_same_relation_again() -> None:
    world = World()
    world.open(region=NANNING, months=ranges("2019-03..2025-12"))
    world.stop(region=NANNING, month=month("2025-12"))

    assert world.enroll() is None

    relation = world.relation()
    assert relation.state == "normal"
    assert relation.months == ranges("2019-03..2025-12;2026-03")
    assert relation.entitlement.entitled_from == month("2026-03")


ENROLLMENTS = [
    ({"residence_permit": "no"}, "residence_permit_needed"),
    ({"residence_permit": None}, "residence_permit_needed"),
    ({"residence_permit": "no", "hukou_region": NANNING}, None),
    ({"residence_permit": "applied"}, None),
    ({"residence_permit": None, "person_type": "employee", "employer": True}, None),
    ({"residence_permit": None, "region": ZHENGZHOU}, None),
    ({"residence_permit": None, "region": SHIJIAZHUANG}, None),
    ({"residence_permit": None, "region": HEFEI}, "residence_permit_needed"),
    ({"region": ZHENGZHOU, "scheme": "390", "person_type": "resident"}, None),
    (
        {
            "region": ZHENGZHOU,
            "scheme": "390",
            "person_type": "resident",
            "residence_permit": "no",
        },
        "residence_permit_needed",
    ),
    ({"scheme": "390", "person_type": "employee"}, "not_offered"),
    ({"person_type": "retiree"}, "retiree"),
    ({"previous_region": "999999"}, "unknown_region"),
    ({"previous_region": NANNING}, "same_region"),
    ({"region": "999999"}, "unknown_region"),
]


@pytest.mark.parametrize(("fields", "code"), ENROLLMENTS)
def test_enrollment_follows_the_rules_of_the_region(
    fields: dict[str, Any], code: str | None
) -> None:
    world = World()

    assert world.enroll(**fields) == code


def test_a_second_enrollment_at_the_same_place_is_refused() -> None:
    world = World()
    world.enroll()

    assert world.enroll(name="again") == "already_enrolled"
    assert world.open(region=NANNING, name="loaded") == "already_enrolled"


def test_a_refusal_says_what_a_transfer_would_have_been() -> None:
    world = World()

    world.enroll(previous_region=ZHENGZHOU, transfer=transfer("enroll"), residence_permit="no")

    (refused,) = said(world, e.RegistrationRefused)
    assert (refused.transfer, refused.origin) == (transfer("enroll"), ZHENGZHOU)
    assert (refused.trigger, refused.code) == ("auto", "residence_permit_needed")
    assert ("person", PERSON) not in world.states


def test_cover_that_stopped_cannot_stop_again() -> None:
    world = World()

    assert world.stop() == "not_enrolled"
    world.open()
    assert world.stop() is None
    assert world.stop(name="again") == "already_stopped"


def test_the_last_month_paid_counts_even_if_no_contribution_came() -> None:
    world = World()
    world.open(months=ranges("2019-03..2026-01"))

    world.stop(month=month("2026-02"))

    assert world.relation(ZHENGZHOU).months == ranges("2019-03..2026-02")


def test_without_a_month_there_is_no_entitlement_until_it_is_paid() -> None:
    world = World()
    world.enroll(month=None, person_type="employee", employer=True)
    assert world.relation().entitlement.entitled_from is None

    world.contribute("paid", "2026-04", amount_fen=11000)

    assert world.relation().entitlement.entitled_from == month("2026-04")
    assert [c.amount_fen for c in said(world, settlement.Contribute)] == [11000]


def test_a_month_due_is_in_arrears_until_it_is_paid() -> None:
    world = World()
    world.enroll()

    world.contribute("due", "2026-04", paid_on=None, amount_fen=11000)
    due = world.relation().arrears
    world.contribute("paid", "2026-04", amount_fen=11000)

    assert due == ranges("2026-04")
    assert world.relation().arrears == ()
    assert len(said(world, settlement.Contribute)) == 1


def test_a_month_that_is_paid_is_not_due() -> None:
    world = World()
    world.enroll()

    world.contribute("due", "2026-03", paid_on=None)

    assert world.relation().arrears == ()


def test_deemed_months_do_not_enter_the_record() -> None:
    world = World()
    world.enroll()

    world.contribute("deemed", "2010-01", nature="deemed")

    assert world.relation().months == ranges("2026-03")


def test_contributions_that_cannot_be() -> None:
    world = World()
    assert world.contribute("early", "2026-03") == "not_enrolled"

    world.enroll(region=HEFEI)
    assert world.contribute("paid", "2026-04", HEFEI, amount_fen=1) == "no_account"

    world.open()
    world.stop()
    assert world.contribute("late", "2026-02", ZHENGZHOU) is None
    assert world.contribute("after", "2026-03", ZHENGZHOU) == "after_stop"


def test_every_decision_can_be_explained() -> None:
    world = World()

    world.enroll(residence_permit="no")

    whys = [v for k, v in world.changes.items() if isinstance(k, tuple) and k[0] == "explanation"]
    assert [(w.decision, w.source) for w in whys] == [("enroll", "assumed")]  # type: ignore[attr-defined]
    assert whys[0].subject == record("enroll")  # type: ignore[attr-defined]
