"""Numbers of persons and employers, their keys, and masks."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity import (
    OTHER_ID_TYPES,
    IdentityError,
    make_id,
    mask_id,
    mask_name,
    mask_phone,
    normalise,
    person_key,
    valid_employer_id,
)

TODAY = date(2026, 3, 2)
ZHANG = "410102199003078512"
SECRET = b"\x01" * 32

births = st.dates(date(1900, 1, 1), TODAY)
sequences = st.integers(0, 999)
divisions = st.sampled_from(["130102", "340102", "410102", "450102", "450302"])


def refusal(id_type: str, id_no: str) -> str:
    """The code with which a number is refused."""
    with pytest.raises(IdentityError) as refused:
        normalise(id_type, id_no, TODAY)
    return refused.value.code


def test_a_right_number_is_taken_as_it_is() -> None:
    assert normalise("01", ZHANG, TODAY) == ZHANG


def test_spaces_around_are_dropped_and_x_is_a_capital() -> None:
    number = next(n for s in range(50) if (n := make_id("450102", date(1980, 5, 6), s))[-1] == "X")

    assert normalise("01", f" {number.lower()} ", TODAY) == number


def test_fifteen_digits_become_the_eighteen_of_the_same_person() -> None:
    old = ZHANG[:6] + ZHANG[8:17]

    assert normalise("01", old, TODAY) == ZHANG


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("410102199003078511", "id_checksum"),
        ("410102199003078521", "id_checksum"),
        ("41010219900307851", "id_length"),
        ("", "id_length"),
        ("4101021990030785120", "id_length"),
        ("41010219900307851A", "id_format"),
        ("４10102199003078512", "id_format"),
        ("41010X199003078512", "id_format"),
        ("010102199003078512", "id_format"),
        ("41010290030785X", "id_format"),
        (make_id("410102", date(2026, 3, 3), 851), "id_birth_date"),
        (make_id("410102", date(1849, 3, 3), 851), "id_birth_date"),
        ("410102901307851", "id_birth_date"),
        ("410102900230851", "id_birth_date"),
    ],
)
def test_a_wrong_citizen_id_is_refused_with_its_reason(number: str, code: str) -> None:
    assert refusal("01", number) == code


def test_a_person_born_today_has_a_valid_number() -> None:
    number = make_id("410102", TODAY, 12)

    assert normalise("01", number, TODAY) == number


@pytest.mark.parametrize("id_type", sorted(OTHER_ID_TYPES))
def test_other_types_are_trimmed_and_in_capitals(id_type: str) -> None:
    assert normalise(id_type, " h1234567 ", TODAY) == "H1234567"


@pytest.mark.parametrize(
    ("id_type", "number", "code"),
    [
        ("08", "AB1", "id_length"),
        ("08", "A" * 31, "id_length"),
        ("08", "AB 123", "id_format"),
        ("08", "AB-123", "id_format"),
        ("08", "护照1234", "id_format"),
        ("09", "AB1234", "id_type"),
        ("1", ZHANG, "id_type"),
        ("", ZHANG, "id_type"),
    ],
)
def test_a_wrong_other_number_is_refused_with_its_reason(
    id_type: str, number: str, code: str
) -> None:
    assert refusal(id_type, number) == code


def test_a_refusal_does_not_repeat_the_number() -> None:
    with pytest.raises(IdentityError) as refused:
        normalise("01", "410102199003078511", TODAY)

    assert "4101" not in str(refused.value)


@given(divisions, births, sequences)
def test_every_made_id_verifies(division: str, birth: date, sequence: int) -> None:
    number = make_id(division, birth, sequence)

    assert normalise("01", number, TODAY) == number


@given(divisions, births, sequences, st.integers(0, 16), st.integers(1, 9))
def test_any_one_wrong_digit_is_refused(
    division: str, birth: date, sequence: int, position: int, shift: int
) -> None:
    number = make_id(division, birth, sequence)
    digit = str((int(number[position]) + shift) % 10)
    wrong = number[:position] + digit + number[position + 1 :]

    assert refusal("01", wrong) in {"id_checksum", "id_format"}


@given(divisions, births, sequences)
def test_the_whole_number_is_one_modulo_eleven(division: str, birth: date, sequence: int) -> None:
    """ISO 7064 MOD 11-2 by its definition, where the code uses the standard's weights."""
    number = make_id(division, birth, sequence)
    digits = [10 if sign == "X" else int(sign) for sign in number]

    assert sum(digit * 2 ** (17 - i) for i, digit in enumerate(digits)) % 11 == 1


def test_person_keys_are_stable_and_tell_nothing() -> None:
    key = person_key(SECRET, "01", ZHANG)

    assert key == person_key(SECRET, "01", ZHANG)
    assert len(key) == 32
    assert int(key, 16) >= 0
    assert key != person_key(b"\x02" * 32, "01", ZHANG)


def test_no_two_pairs_share_an_encoding() -> None:
    assert person_key(SECRET, "0", "1AB") != person_key(SECRET, "01", "AB")
    assert person_key(SECRET, "02", "A1234") != person_key(SECRET, "03", "A1234")


@pytest.mark.parametrize(
    ("code", "valid"),
    [
        ("91410100MA3X0QK72Y", True),
        ("91410100MA3X0QK72X", False),
        ("91410100MA3X0QK27Y", False),
        ("91410100ma3x0qk72y", False),
        ("91410100MA3X0QK7", False),
        ("91410100MI3X0QK72Y", False),
        ("", False),
    ],
)
def test_an_employers_code_is_checked(code: str, valid: bool) -> None:  # noqa: FBT001 a table
    assert valid_employer_id(code) is valid


@pytest.mark.parametrize(
    ("masked", "shown"),
    [
        (mask_id(ZHANG), "4101**********8512"),
        (mask_id("H1234567"), "H******7"),
        (mask_id("123"), "***"),
        (mask_phone("13800000000"), "138****0000"),
        (mask_phone("86123456"), "******56"),
        (mask_phone("110"), "***"),
        (mask_name("张伟"), "张*"),
        (mask_name("欧阳娜娜"), "欧***"),
        (mask_name("张"), "*"),
        (mask_name(""), ""),
    ],
)
def test_masks_leave_just_enough_to_recognise(masked: str, shown: str) -> None:
    assert masked == shown


@given(st.text(min_size=1, max_size=40))
def test_a_mask_keeps_the_length_and_shows_eight_signs_at_most(text: str) -> None:
    for mask in (mask_id, mask_phone, mask_name):
        masked = mask(text)

        assert len(masked) == len(text)
        assert sum(one != "*" for one in masked) <= min(8, len(text) - 1)
