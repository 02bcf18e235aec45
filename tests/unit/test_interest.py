"""Interest by fen-days: as an accountant reckons it, day by day, in whole numbers."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement import interest
from services.settlement.interest import PARTS, RuleOn
from shared.regions import RegionError, Regions, parse
from shared.rules import InterestRule
from tests.unit.test_regions import NANNING

FIRST = date(2026, 1, 1)
YEAR = 366


def row(since: date, rate_bp: int, year_days: int = 360) -> InterestRule:
    given_ = {"from": since, "rate_bp": rate_bp, "year_days": year_days, "source": "a test"}
    return InterestRule.model_validate(given_)


def ruled(*rows: InterestRule) -> RuleOn:
    """As a region's policy chooses: the last row that has begun, else the first."""
    ordered = sorted(rows, key=lambda rule: rule.since)

    def on(day: date) -> InterestRule | None:
        begun = [rule for rule in ordered if rule.since <= day]
        return begun[-1] if begun else ordered[0] if ordered else None

    return on


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def accrued(rule_on: RuleOn, movements: list[tuple[int, int]], until: int) -> int:
    """As the books do: entry by entry, in the order in which they are made."""
    since, parts, balance_fen = FIRST, 0, 0
    for on, moved_fen in movements:
        since, parts = interest.moved(rule_on, since, parts, balance_fen, moved_fen, day(on))
        balance_fen += moved_fen
    return interest.moved(rule_on, since, parts, balance_fen, 0, day(until))[1]


def by_days(rows: list[InterestRule], movements: list[tuple[int, int]], until: int) -> Fraction:
    """As it is defined: the balance at the end of each day, times that day's rate; in fen."""
    fen = Fraction()
    for number in range(until):
        balance_fen = sum(moved_fen for on, moved_fen in movements if on <= number)
        begun = [rule for rule in rows if rule.since <= day(number)]
        if begun:
            rule = max(begun, key=lambda rule: rule.since)
            fen += balance_fen * Fraction(rule.rate_bp, 10_000 * rule.year_days)
    return fen


@pytest.mark.parametrize(
    ("balance_fen", "days", "rate_bp", "year_days", "expected_fen"),
    [
        (408412, 0, 35, 360, 0),  # in and out on the same day
        (408412, 1, 35, 360, 4),  # 3.97
        (408412, 90, 35, 360, 357),  # 36,757,080 fen-days x 0.35 % / 360 = 357.4
        (408412, 365, 35, 365, 1429),  # a whole year: 1,429.4
        (408412, 365, 35, 360, 1449),  # of 360 days, as banks have it
        (1_000_000, 360, 0, 360, 0),
        (100, 180, 100, 360, 1),  # exactly half a fen is one
        (100, 179, 100, 360, 0),
        (2_000_000_00, 3650, 1000, 365, 2_000_000_00),  # the most that fits anybody
    ],
)
def test_a_balance_earns_by_its_days(
    balance_fen: int, days: int, rate_bp: int, year_days: int, expected_fen: int
) -> None:
    rule_on = ruled(row(FIRST, rate_bp, year_days))

    assert interest.fen(accrued(rule_on, [(0, balance_fen)], days)) == expected_fen


def test_nothing_is_earned_before_the_first_row_or_without_one() -> None:
    movements = [(0, 100_000_00)]

    assert accrued(ruled(), movements, 100) == 0
    assert accrued(ruled(row(day(100), 35)), movements, 100) == 0
    assert accrued(ruled(row(day(100), 35)), movements, 101) == 100_000_00 * 35 * PARTS // 3_600_000


def test_a_rate_changes_in_the_middle_of_a_year() -> None:
    rule_on = ruled(row(FIRST, 35), row(day(31), 25, 365))
    found = list(interest.spans(rule_on, FIRST, day(60)))

    assert [(span.since, span.until, span.rule.rate_bp) for span in found] == [
        (day(31), day(60), 25),
        (FIRST, day(31), 35),
    ]
    assert interest.fen(1_000_000 * interest.weight(found)) == 500  # 301.39 + 198.63


def test_what_is_below_zero_is_nothing_yet() -> None:
    assert [interest.fen(n) for n in (-PARTS, -1, 0, PARTS // 2 - 1, PARTS // 2)] == [0, 0, 0, 0, 1]


rates = st.lists(
    st.builds(
        row,
        st.integers(0, YEAR).map(day),
        st.integers(0, 1000),
        st.sampled_from([360, 365]),
    ),
    max_size=3,
    unique_by=lambda rule: rule.since,
)
movements = st.lists(st.tuples(st.integers(0, YEAR), st.integers(-500_000, 2_000_000)), max_size=8)


@given(rates, movements, st.integers(0, YEAR))
def test_by_entries_it_is_the_same_as_day_by_day(
    rows: list[InterestRule], found: list[tuple[int, int]], after: int
) -> None:
    """In whatever order they come: what bears an earlier date corrects what has accrued."""
    until = max([after, *(on for on, _ in found)])

    parts = accrued(ruled(*rows), found, until)

    assert Fraction(parts, PARTS) == by_days(rows, found, until)


@given(rates, movements, st.integers(0, YEAR))
def test_where_a_period_is_cut_changes_nothing_but_the_rounding(
    rows: list[InterestRule], found: list[tuple[int, int]], cut: int
) -> None:
    found.sort()
    whole = accrued(ruled(*rows), found, YEAR)

    first = accrued(ruled(*rows), [(on, fen) for on, fen in found if on < cut], cut)
    stood_fen = sum(fen for on, fen in found if on < cut)
    rest = [(cut, stood_fen), *((on, fen) for on, fen in found if on >= cut)]
    second = accrued(ruled(*rows), rest, YEAR)

    assert first + second == whole
    if min(first, second) >= 0:
        assert abs(interest.fen(first) + interest.fen(second) - interest.fen(whole)) <= 1


# --- the region's file ------------------------------------------------------------------------

RATE = '\n[[interest]]\nfrom = 2026-01-01\nrate_bp = 35\nsource = "a test"\n'


def test_a_region_file_may_say_what_accounts_earn() -> None:
    later = RATE.replace("2026-01-01", "2026-07-01").replace("35", "25\nyear_days = 365")
    regions = Regions([parse((NANNING + RATE + later).encode(), "450100.toml")])

    before, after = (regions.at("450100", date(2026, 6, n)).interest for n in (30, 30))
    later_on = regions.at("450100", date(2026, 7, 1)).interest

    assert before == after
    assert before
    assert later_on
    assert (before.rate_bp, before.year_days, before.settled_on) == (35, 360, "12-31")
    assert (later_on.rate_bp, later_on.year_days) == (25, 365)
    facts = {fact.name: fact.value for fact in regions.at("450100", FIRST).facts_about("interest")}
    assert facts == {
        "interest: rate_bp": "35",
        "interest: year_days": "360",
        "interest: settled_on": "12-31",
    }


def test_a_shipped_region_has_no_rate() -> None:
    assert Regions([parse(NANNING.encode(), "450100.toml")]).at("450100", FIRST).interest is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("rate_bp = 0.35", "rate_bp"),
        ("rate_bp = -1", "rate_bp"),
        ("rate_bp = 3500", "rate_bp"),
        ("rate_bp = 35\nyear_days = 366", "year_days"),
        ('rate_bp = 35\nsettled_on = "02-29"', "settled_on"),
        ('rate_bp = 35\nsettled_on = "13-01"', "settled_on"),
        ('rate_bp = 35\nsettled_on = "year end"', "settled_on"),
    ],
)
def test_a_rate_that_cannot_be_is_refused_with_its_field(wrong: str, named: str) -> None:
    text = NANNING + RATE.replace("rate_bp = 35", wrong)

    with pytest.raises(RegionError, match=rf"450100.toml: interest.0.{named}"):
        parse(text.encode(), "450100.toml")


def test_two_rates_from_the_same_day_are_refused() -> None:
    with pytest.raises(RegionError, match="interest: two rows"):
        parse((NANNING + RATE + RATE).encode(), "450100.toml")


@pytest.mark.parametrize(
    ("on", "settled_on", "expected"),
    [
        (date(2026, 3, 2), "12-31", date(2026, 12, 31)),
        (date(2026, 12, 31), "12-31", date(2026, 12, 31)),
        (date(2026, 6, 21), "06-20", date(2027, 6, 20)),
        (date(2028, 2, 29), "02-28", date(2029, 2, 28)),
    ],
)
def test_interest_is_credited_on_the_next_settlement_day(
    on: date, settled_on: str, expected: date
) -> None:
    rule = row(FIRST, 35).model_copy(update={"settled_on": settled_on})

    assert rule.settlement(on) == expected
