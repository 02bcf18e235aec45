"""The fields of a registration: what each may hold, and what it is inside."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import TypeVar

from shared import identity
from shared.money import MoneyError, parse_yuan
from shared.months import FIRST_YEAR, LAST_YEAR, MonthError, parse_month, parse_ranges

_REGION = re.compile(r"[0-9]{6}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PHONE = re.compile(r"\+?[0-9][0-9 -]{4,18}[0-9]")
_PLAIN_NAME = re.compile("[\u4e00-\u9fff]{1,20}")
_NAME_SIGNS = frozenset(" ·•‧・．.'’-()（）")


class Malformed(ValueError):
    """A field is not what it must be."""

    def __init__(self, code: str, field: str = "") -> None:
        """Keep the code and the field's name alone: the value may be personal."""
        super().__init__(code)
        self.code = code
        self.field = field


def _one_of(*allowed: str) -> Callable[[str], str]:
    def choose(text: str) -> str:
        if text not in allowed:
            raise Malformed("unknown_value")
        return text

    return choose


def _yes_or_no(text: str) -> bool:
    return _one_of("yes", "no")(text) == "yes"


def parse_region(text: str) -> str:
    if _REGION.fullmatch(text) is None:
        raise Malformed("bad_region")
    return text


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed("bad_time") from None
    if at.tzinfo is None or not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Malformed("bad_time")
    return at


def _date(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Malformed("bad_date")


def _year(text: str) -> int:
    if len(text) != 4 or not (text.isascii() and text.isdigit()):
        raise Malformed("bad_year")
    if not FIRST_YEAR <= int(text) <= LAST_YEAR:
        raise Malformed("bad_year")
    return int(text)


def parse_name(text: str) -> str:
    if _PLAIN_NAME.fullmatch(text):
        return text
    # Private use is let through: rare characters of names are still kept there.
    kinds = [(c, unicodedata.category(c)) for c in text]
    if any(k[0] not in "LM" and k != "Co" and c not in _NAME_SIGNS for c, k in kinds):
        raise Malformed("bad_name")
    if not any(k[0] == "L" or k == "Co" for _, k in kinds):
        raise Malformed("bad_name")
    return text


def parse_phone(text: str) -> str:
    if _PHONE.fullmatch(text) is None:
        raise Malformed("bad_phone")
    return text


def _employer(text: str) -> bool:
    if not identity.valid_employer_id(text.upper()):
        raise Malformed("employer_checksum")
    return True


Value = TypeVar("Value")
Parser = Callable[[str], object]


def _seldom_new(parser: Parser) -> Parser:
    """The parser of a field that holds the same few thousand texts in a million rows."""
    return lru_cache(maxsize=4096)(parser)


PARSERS: Mapping[str, tuple[str, Parser]] = {
    "occurred_at": ("occurred_at", _time),
    "scheme": ("scheme", _one_of("310", "390")),
    "person_type": (
        "person_type",
        _one_of("employee", "flexible", "resident", "benefit-recipient", "retiree"),
    ),
    "employer_id": ("employer", _seldom_new(_employer)),
    "residence_permit": ("residence_permit", _one_of("yes", "applied", "no")),
    "month": ("month", _seldom_new(parse_month)),
    "months": ("months", _seldom_new(parse_ranges)),
    "base": ("base_fen", parse_yuan),
    "amount": ("amount_fen", parse_yuan),
    "balance": ("balance_fen", parse_yuan),
    "previous_region": ("previous_region", parse_region),
    "previous_scheme": ("previous_scheme", _one_of("310", "390")),
    "reason": ("reason", str),
    "hukou_region": ("hukou_region", parse_region),
    "account": ("account", _yes_or_no),
    "paid_on": ("paid_on", _date),
    "nature": ("nature", _one_of("normal", "back-paid", "deemed", "repair")),
    "paid_by": (
        "paid_by",
        _one_of("person", "employer", "unemployment-fund", "medical-aid", "relative"),
    ),
    "plan_year": ("plan_year", _year),
    "category": ("category", _one_of("newborn", "student", "low-income", "none")),
    "applicant": ("applicant", _one_of("person", "employer", "agency")),
}


def parse(row: Mapping[str, str]) -> dict[str, object]:
    """What the fields of a row hold. Raises Malformed, which names the field."""
    values = {}
    name = ""
    try:
        for name, text in row.items():
            if name in PARSERS:
                target, parser = PARSERS[name]
                values[target] = parser(text)
    except (Malformed, MoneyError, MonthError) as error:
        raise Malformed(error.code, name) from None
    return values


def parse_one(name: str, parser: Callable[[str], Value], text: str) -> Value:
    """The value of a field's text. Raises Malformed, which names the field."""
    try:
        return parser(text)
    except (Malformed, MoneyError, MonthError) as error:
        raise Malformed(error.code, name) from None
