"""Who a person or an employer is: numbers checked and brought to one form, keys, masking.

Citizen IDs follow GB 11643-1999 (ISO 7064 MOD 11-2), employers' codes GB 32100-2015.
"""

import hashlib
import hmac
import re
from datetime import date
from operator import mul

CITIZEN_ID = "01"
# Officer, police, Hong Kong, Macao, Taiwan permit, permanent residence, foreign and own
# passport, residence permit for Hong Kong, Macao and Taiwan, social-security card, other.
OTHER_ID_TYPES = frozenset({"02", "03", "04", "05", "06", "07", "08", "16", "17", "90", "99"})

_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS = "10X98765432"
_ZEROS = ord("0") * sum(_CITIZEN_WEIGHTS)
_CITIZEN = re.compile(r"[1-9][0-9]{16}[0-9X]")
_OLD_CITIZEN = re.compile(r"[1-9][0-9]{14}")
_OLD_LENGTH, _LENGTH = 15, 18
_FIRST_BIRTH_YEAR = 1850

_OTHER = re.compile(r"[0-9A-Z]+")
_OTHER_SHORTEST, _OTHER_LONGEST = 4, 30

# Letters that are easily misread are not used: I, O, S, V, Z.
_EMPLOYER_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_EMPLOYER_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_EMPLOYER = re.compile(rf"[{_EMPLOYER_SIGNS}]{{2}}[0-9]{{6}}[{_EMPLOYER_SIGNS}]{{10}}")


class IdentityError(ValueError):
    """The number is no identity.

    `code` is `id_checksum`, `id_length`, `id_birth_date`, `id_type` or `id_format`.
    """

    def __init__(self, code: str) -> None:
        """Keep the code alone: the number is personal and must not travel in an error."""
        super().__init__(code)
        self.code = code


def normalise(id_type: str, id_no: str, today: date) -> str:
    """The one form of a number under which a person is known; raises IdentityError.

    A 15-digit citizen ID, issued until 1999, becomes the 18-digit one of the same person.
    """
    text = id_no.strip()
    if not text.isascii():
        raise IdentityError("id_format")
    text = text.upper()
    if id_type == CITIZEN_ID:
        return _citizen(text, today)
    if id_type not in OTHER_ID_TYPES:
        raise IdentityError("id_type")
    if not _OTHER_SHORTEST <= len(text) <= _OTHER_LONGEST:
        raise IdentityError("id_length")
    if _OTHER.fullmatch(text) is None:
        raise IdentityError("id_format")
    return text


def _citizen(text: str, today: date) -> str:
    if len(text) not in (_OLD_LENGTH, _LENGTH):
        raise IdentityError("id_length")
    if (_OLD_CITIZEN if len(text) == _OLD_LENGTH else _CITIZEN).fullmatch(text) is None:
        raise IdentityError("id_format")
    if len(text) == _OLD_LENGTH:
        body = f"{text[:6]}19{text[6:]}"
        text = body + _citizen_check(body)
    # The checksum first: a mistyped birth date is a mistyped number before it is anything else.
    if text[-1] != _citizen_check(text[:-1]):
        raise IdentityError("id_checksum")
    try:
        birth = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError as error:
        raise IdentityError("id_birth_date") from error
    if birth > today or birth.year < _FIRST_BIRTH_YEAR:
        raise IdentityError("id_birth_date")
    return text


def _citizen_check(body: str) -> str:
    # A digit's byte is the digit and that of zero.
    total = sum(map(mul, body.encode(), _CITIZEN_WEIGHTS)) - _ZEROS
    return _CITIZEN_CHECKS[total % 11]


def make_id(region6: str, birth: date, sequence: int) -> str:
    """A citizen ID that verifies, for invented people; an odd sequence (0 to 999) is a man's."""
    body = f"{region6}{birth:%Y%m%d}{sequence:03d}"
    return body + _citizen_check(body)


def valid_employer_id(code: str) -> bool:
    """Whether a unified social credit code is well-formed and its checksum right."""
    if _EMPLOYER.fullmatch(code) is None:
        return False
    total: int = sum(map(mul, map(_EMPLOYER_SIGNS.index, code), _EMPLOYER_WEIGHTS))
    return _EMPLOYER_SIGNS.index(code[-1]) == -total % 31


def person_key(secret: bytes, id_type: str, id_no_normalised: str) -> str:
    """The keyed hash under which a person is known in the whole network: 32 hex characters."""
    # With the lengths in front no two pairs have the same encoding.
    parts = (id_type.encode(), id_no_normalised.encode())
    encoded = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    return hmac.new(secret, encoded, hashlib.sha256).digest()[:16].hex()


def _mask(text: str, first: int, last: int) -> str:
    hidden = len(text) - first - last
    return f"{text[:first]}{'*' * hidden}{text[len(text) - last :]}"


def mask_id(id_no: str) -> str:
    """`4101**********8512`; of a short number only the first and last sign."""
    if len(id_no) >= _OLD_LENGTH:
        return _mask(id_no, 4, 4)
    return _mask(id_no, 1, 1) if len(id_no) >= _OTHER_SHORTEST else "*" * len(id_no)


def mask_phone(phone: str) -> str:
    """`138****0000`; of a number shorter than a mobile's only the last two signs."""
    mobile = 11
    if len(phone) >= mobile:
        return _mask(phone, 3, 4)
    return _mask(phone, 0, 2) if len(phone) > 4 else "*" * len(phone)


def mask_name(name: str) -> str:
    """`张*`: the first character, a star for each other."""
    return _mask(name, 1, 0) if len(name) > 1 else "*" * len(name)
