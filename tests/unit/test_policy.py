"""What the shipped policies say of enrolling, moving and waiting."""

from datetime import date
from pathlib import Path

import pytest

from shared.regions import Corridor, Regions, load, parse, scheme_pair
from shared.rules import Pair

SHIPPED = load(Path(__file__).parents[2] / "deploy" / "regions")
DAY = date(2026, 3, 2)
CODES = [region.code for region in SHIPPED.all]
CORRIDORS = [(o, d) for o in CODES for d in CODES if o != d]
RESIDENT_PAIRS: tuple[Pair, ...] = ("310>390", "390>310", "390>390")


def corridor(origin: str, destination: str) -> Corridor:
    """A shipped corridor on the day of the tests."""
    return SHIPPED.corridor(origin, destination, DAY)


@pytest.mark.parametrize(("origin", "destination"), CORRIDORS)
def test_limits_modes_and_deadlines_of_every_corridor(origin: str, destination: str) -> None:
    found = corridor(origin, destination)

    assert found.limit_fen >= 500_000_000
    assert found.single_limit_fen >= 2_000_000
    assert found.settlement_mode == "remittance"
    assert found.deadlines == (1, 10, 5, 15)


@pytest.mark.parametrize(("origin", "destination"), CORRIDORS)
def test_baoding_alone_answers_by_hand(origin: str, destination: str) -> None:
    rule = SHIPPED.at(origin, DAY).release

    by_hand = origin == "130600"
    assert corridor(origin, destination).answer == ("manual" if by_hand else "automatic")
    assert rule.handling_working_days == (3 if by_hand else None)
    assert rule.handled_within < corridor(origin, destination).deadlines.transfer_out


@pytest.mark.parametrize(("origin", "destination"), CORRIDORS)
def test_guangxi_alone_starts_employee_transfers_by_itself(origin: str, destination: str) -> None:
    found = corridor(origin, destination)

    assert found.automatic("310>310") == destination.startswith("45")
    assert found.needs_transfer("310>310") == (not origin[:2] == destination[:2] == "13")
    assert found.advance("310>310") == found.needs_transfer("310>310")


@pytest.mark.parametrize(("origin", "destination"), CORRIDORS)
def test_resident_pairs_only_start_on_application(origin: str, destination: str) -> None:
    found = corridor(origin, destination)

    for pair in RESIDENT_PAIRS:
        assert found.needs_transfer(pair)
        assert not found.automatic(pair)
        assert not found.advance(pair)
        assert not found.moves_money(pair, account_at_destination=True)


def test_money_moves_only_from_account_to_account() -> None:
    found = corridor("410100", "450100")

    assert found.moves_money("310>310", account_at_destination=True)
    assert not found.moves_money("310>310", account_at_destination=False)


def test_in_province_is_said_by_the_province_of_the_file() -> None:
    assert corridor("450300", "450100").in_province
    assert not corridor("410100", "450100").in_province
    assert corridor("410100", "450100").distance == "cross-province"


def test_the_source_tells_a_known_rule_from_an_assumed_one() -> None:
    inside = corridor("450300", "450100").facts("310>310")
    outside = corridor("410100", "450100").facts("310>310")

    assert inside[1].name == "transfer in-province 310>310: automatic"
    assert inside[1].value == "yes"
    assert inside[1].source.startswith("regional news article")
    assert outside[1].source == "assumed"


def test_the_origin_decides_on_balances_without_an_account() -> None:
    assert corridor("340100", "450100").payout == "pay_out"
    assert corridor("450100", "340100").payout == "keep"


@pytest.mark.parametrize(
    ("code", "scheme", "person_type", "permits", "account"),
    [
        ("450100", "310", "flexible", ("yes", "applied"), True),
        ("450100", "390", "resident", ("yes", "applied"), False),
        ("450300", "310", "flexible", ("yes", "applied"), True),
        ("410100", "310", "flexible", (), True),
        ("410100", "390", "resident", ("yes", "applied"), False),
        ("340100", "310", "flexible", ("yes", "applied"), False),
        ("340100", "310", "employee", (), True),
        ("340100", "390", "resident", ("yes", "applied"), False),
        ("130100", "310", "flexible", (), True),
        ("130600", "390", "resident", ("yes", "applied"), False),
    ],
)
def test_papers_and_accounts_by_region(
    code: str, scheme: str, person_type: str, permits: tuple[str, ...], *, account: bool
) -> None:
    rule = SHIPPED.at(code, DAY).enrollment(scheme, person_type)

    assert rule is not None
    assert rule.permits == permits
    assert SHIPPED.at(code, DAY).has_account(scheme, person_type) is account


def test_an_employee_cannot_join_as_a_resident() -> None:
    assert SHIPPED.at("450100", DAY).enrollment("390", "employee") is None
    assert not SHIPPED.at("450100", DAY).has_account("390", "employee")


def test_a_permit_is_asked_of_people_from_elsewhere_alone() -> None:
    rule = SHIPPED.at("450100", DAY).enrollment("310", "flexible")

    assert rule is not None
    assert rule.accepts("applied", local=False)
    assert not rule.accepts("no", local=False)
    assert not rule.accepts(None, local=False)
    assert rule.accepts("no", local=True)


def test_hefeis_flexible_workers_pay_six_percent_of_sixty() -> None:
    rule = SHIPPED.at("340100", DAY).contribution("310", "flexible")

    assert rule is not None
    assert (rule.base_percent, rule.rate_bp, rule.account_bp) == (60, 600, 0)


def test_waiting_is_three_months_after_a_gap_of_more_than_three() -> None:
    rule = SHIPPED.at("450100", DAY).waiting

    assert (rule.gap_months, rule.wait_months) == (3, 3)
    assert rule.scheme_switch_needs_consecutive_months == 24


def test_a_pool_of_its_own_is_not_local_in_spite_of_its_code() -> None:
    shijiazhuang = SHIPPED.get("130100")

    assert shijiazhuang is not None
    assert shijiazhuang.is_local("130102")
    assert not shijiazhuang.is_local("130181")
    assert not shijiazhuang.is_local("130602")
    assert not shijiazhuang.is_local(None)
    assert not shijiazhuang.is_local("")


@pytest.mark.parametrize(
    ("origin", "destination", "day", "province"),
    [
        ("450300", "450100", date(2026, 3, 31), None),
        ("450300", "450100", date(2026, 4, 1), "450000"),
        ("450100", "450300", date(2026, 4, 1), "450000"),
        ("410100", "450100", date(2099, 1, 1), None),  # across provinces
        ("130600", "130100", date(2099, 1, 1), None),  # a province without books of its own
    ],
)
def test_what_is_netted_follows_from_corridor_and_day(
    origin: str, destination: str, day: date, province: str | None
) -> None:
    found = SHIPPED.clearing(origin, destination, day)

    assert (found and found.code) == province


def test_a_scheme_pair_is_written_with_an_arrow() -> None:
    assert scheme_pair("310", "390") == "310>390"


def test_a_corridor_is_named_by_both_policies() -> None:
    found = corridor("410100", "450100")

    assert found.version == "410100@2025-01-01>450100@2025-01-07"
    assert [SHIPPED.by_version(part) for part in found.version.split(">")] == [
        found.origin_policy,
        found.policy,
    ]


def test_facts_of_some_kinds_are_told_alone() -> None:
    facts = SHIPPED.at("450100", DAY).facts_about("waiting")

    assert [(fact.name, fact.value) for fact in facts] == [
        ("waiting: gap_months", "3"),
        ("waiting: wait_months", "3"),
        ("waiting: scheme_switch_needs_consecutive_months", "24"),
    ]


@pytest.mark.parametrize("code", CODES)
def test_people_can_be_told_somehow(code: str) -> None:
    assert SHIPPED.at(code, DAY).channels


def test_the_first_deadlines_are_the_origins_and_the_others_the_destinations() -> None:
    folder = Path(__file__).parents[2] / "deploy" / "regions"
    text = (folder / "450100.toml").read_text(encoding="utf-8")
    ours = "answer = 2\ntransfer_out = 8\ntransfer_in = 4\nwhole = 12"
    theirs = "answer = 1\ntransfer_out = 10\ntransfer_in = 5\nwhole = 15"
    faster = parse(text.replace(theirs, ours).encode(), "450100.toml")
    zhengzhou = parse((folder / "410100.toml").read_bytes(), "410100.toml")
    regions = Regions([faster, zhengzhou])

    assert regions.corridor("450100", "410100", DAY).deadlines == (2, 8, 5, 15)
    assert regions.corridor("410100", "450100", DAY).deadlines == (1, 10, 4, 12)


def test_what_nobody_knows_the_amount_of_takes_who_may_approve_anything() -> None:
    policy = SHIPPED.at("450100", DAY)

    assert not policy.may_approve({"supervisor"}, "reversal", None)
    assert policy.may_approve({"director"}, "reversal", None)
    assert not policy.may_approve({"supervisor"}, "write-off", 1_000_01)
    assert policy.may_approve({"supervisor"}, "write-off", 1_000_00)
    assert not policy.may_approve({"clerk"}, "receipt", 1)
