"""One row of the registration feed: its form checked, field by field, before anything is done."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, get_args
from uuid import UUID

from services.enrollment.fields import (
    PARSERS,
    Malformed,
    parse,
    parse_name,
    parse_one,
    parse_phone,
    parse_region,
)
from shared import identity
from shared.calendar import shanghai_day
from shared.messages import transfer_uuid
from shared.policy import scheme_pair
from shared.regions import Regions
from shared.rules import Distance

ALWAYS = ("source", "record_id", "action", "occurred_at", "region", "id_type", "id_no")
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "open": ("name", "scheme", "person_type"),
    "enroll": ("name", "scheme", "person_type"),
    "suspend": ("scheme",),
    "contribute": ("scheme", "month"),
    "apply": (),
    "withdraw": ("refers_to",),
    "correct": ("refers_to",),
    "spend": ("amount",),
    "refund": ("amount", "refers_to"),
    "decease": (),
}
FIELDS = frozenset((*ALWAYS, *PARSERS, "name", "phone", "refers_to"))
_LONGEST = 100
_LONGEST_OF = {"months": 4000, "reason": 500}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WRONG = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Form(NamedTuple):
    """A row that is well-formed. `values` are fields of `Register`; ID and name are still clear.

    `content` is the row in one canonical text: the same text is the same record sent again.
    """

    source: str
    record_id: str
    region: str
    id_type: str
    id_no: str
    name: str
    phone: str
    values: Mapping[str, object]
    refers_to: str
    content: str
    transfer: UUID | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the record for ever."""
        return self.source, self.record_id


class Refused(NamedTuple):
    """A row that is not: the code, and the field at fault."""

    source: str
    record_id: str
    code: str
    field: str = ""
    outcome: str = "refused"


class Feed:
    """Reads rows at one business time."""

    def __init__(self, regions: Regions, at: datetime) -> None:
        self._regions = regions
        self._at = at
        self._today = shanghai_day(at)

    def read(self, raw: Mapping[str, str]) -> Form | Refused:
        """The form of a row, or why it is refused."""
        row = {n: t for n, v in raw.items() if v and n in FIELDS and (t := v.strip())}
        source, record_id = row.get("source", ""), row.get("record_id", "")
        try:
            _check_text(row)
            return self._form(row)
        except Malformed as error:
            known = not _SURROGATE.search(source + record_id)
            source, record_id = (_shown(source), _shown(record_id)) if known else ("", "")
            return Refused(source, record_id, error.code, error.field)

    def _form(self, row: Mapping[str, str]) -> Form:
        _check_there(row, ALWAYS)
        action = row["action"]
        if action not in REQUIRED:
            raise Malformed("unknown_action", "action")
        _check_there(row, REQUIRED[action])
        values = {"action": action, **parse(row)}
        self._check_together(row, values)
        id_no = self._id(row)
        transfer = self._transfer(row, values)
        # Where it is not said where the person was, it is enrollment that knows whether one starts.
        unsaid = action == "enroll" and "previous_region" not in row
        values["transfer"] = None if unsaid else transfer
        return Form(
            row["source"],
            row["record_id"],
            row["region"],
            row["id_type"],
            id_no,
            parse_one("name", parse_name, row["name"]) if "name" in row else "",
            parse_one("phone", parse_phone, row["phone"]) if "phone" in row else "",
            values,
            row.get("refers_to", ""),
            "\x1f".join(map("%s=%s".__mod__, sorted(row.items()))),
            transfer,
        )

    def _id(self, row: Mapping[str, str]) -> str:
        try:
            return identity.normalise(row["id_type"], row["id_no"], self._today)
        except identity.IdentityError as error:
            raise Malformed(error.code, "id_no") from None

    def _check_together(self, row: Mapping[str, str], values: Mapping[str, object]) -> None:
        """What one field means for another, and what only we can know."""
        for name in ("region", "previous_region"):
            if name in row and self._regions.get(row[name]) is None:
                parse_one(name, parse_region, row[name])
                raise Malformed("unknown_region", name)
        if row.get("previous_region") == row["region"]:
            raise Malformed("same_region", "previous_region")
        occurred_at = values["occurred_at"]
        assert isinstance(occurred_at, datetime)
        if occurred_at > self._at:
            raise Malformed("future_date", "occurred_at")
        paid_on = values.get("paid_on")
        if isinstance(paid_on, date) and paid_on > self._today:
            raise Malformed("future_date", "paid_on")
        action = values["action"]
        if action in ("spend", "refund") and not values["amount_fen"]:
            raise Malformed("bad_amount", "amount")
        employed = action in ("open", "enroll") and values["person_type"] == "employee"
        if employed and "employer" not in values:
            raise Malformed("missing_field", "employer_id")

    def _transfer(self, row: Mapping[str, str], values: Mapping[str, object]) -> UUID | None:
        """The transfer that the record asks for, starts by itself, or withdraws."""
        source, action = row["source"], values["action"]
        if action == "withdraw":
            return transfer_uuid(source, row["refers_to"])
        if action == "enroll":
            if not self._starts_by_itself(row):
                return None
        elif action != "apply":
            return None
        return transfer_uuid(source, row["record_id"])

    def _starts_by_itself(self, row: Mapping[str, str]) -> bool:
        """Whether the destination does so: from where the person was, else from anywhere."""
        origin, scheme = row.get("previous_region"), row["scheme"]
        pair: Any = scheme_pair(row.get("previous_scheme", scheme), scheme)
        if origin is not None:
            return self._regions.corridor(origin, row["region"], self._today).automatic(pair)
        policy = self._regions.at(row["region"], self._today)
        return any(policy.transfer(distance, pair).automatic for distance in get_args(Distance))


def _shown(text: str) -> str:
    return _CONTROL.sub("", text)[:_LONGEST]


def _check_there(row: Mapping[str, str], needed: Sequence[str]) -> None:
    for name in needed:
        if name not in row:
            raise Malformed("missing_field", name)


def _check_text(row: Mapping[str, str]) -> None:
    # Nearly every row is clean and short: one look at the whole says so.
    whole = "".join(row.values())
    clean = whole.isprintable() or _WRONG.search(whole) is None
    if clean and max(map(len, row.values()), default=0) <= _LONGEST:
        return
    for name, text in row.items():
        if len(text) > _LONGEST_OF.get(name, _LONGEST):
            raise Malformed("too_long", name)
        if _CONTROL.search(text):
            raise Malformed("control_character", name)
        if _SURROGATE.search(text):
            raise Malformed("bad_character", name)
