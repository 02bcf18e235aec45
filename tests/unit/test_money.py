"""Money in text and in fen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import MoneyError, parse_yuan, yuan


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("4084.12", 408412),
        ("4084", 408400),
        ("4084.1", 408410),
        ("0", 0),
        ("0.01", 1),
        ("0.10", 10),
        ("9999999999999.99", 999_999_999_999_999),
    ],
)
def test_an_amount_in_yuan_is_read_as_fen(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".5",
        "5.",
        "1e5",
        "1.234",
        "1,000.00",
        " 1",
        "1\n",
        "+1",
        "--1",
        "-",
        "¥1",
        "１２.００",  # full-width digits
        "٣",  # an Arabic digit
        "NaN",
        "99999999999999.99",  # sixteen digits
    ],
)
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyError) as refused:
        parse_yuan(text)

    assert refused.value.code == "bad_amount"


@pytest.mark.parametrize("text", ["-1", "-0.01", "-4084.12"])
def test_an_amount_below_zero_is_refused_by_its_own_code(text: str) -> None:
    with pytest.raises(MoneyError) as refused:
        parse_yuan(text)

    assert refused.value.code == "negative_amount"


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(MoneyError) as refused:
        parse_yuan("410102199003078512")

    assert "410102" not in str(refused.value)


@pytest.mark.parametrize(
    ("fen", "text"), [(408412, "4084.12"), (0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-100, "-1.00")]
)
def test_fen_are_shown_with_two_decimals(fen: int, text: str) -> None:
    assert yuan(fen) == text


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_what_is_shown_is_read_back(fen: int) -> None:
    assert parse_yuan(yuan(fen)) == fen
