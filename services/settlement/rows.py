"""How the states are rows: the columns of each table, its upsert, and states made from rows.

A table is written as one statement, whatever the number of rows, with one array per column, in the
order of its key, which is that of the locks. An array inside a row travels as text, since
PostgreSQL has no ragged arrays.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeVar, cast

from pydantic_core import from_json, to_json

from services.settlement.closing.days import Closing, Day
from services.settlement.states import (
    Aged,
    Claim,
    Corridor,
    CorridorAct,
    Declined,
    Holder,
    Instruction,
    Movement,
    Part,
    Receipt,
    Release,
)
from shared.decision import States

Row = TypeVar("Row")

_SEPARATOR = ","


class Table(Generic[Row]):
    """A table and the dataclass of its rows.

    `columns` are the fields' names and types, `person text, amount_fen bigint, …`; the first
    `keys` of them are the primary key.
    """

    def __init__(self, name: str, kind: type[Row], keys: int, columns: str) -> None:
        self.name = name
        self.kind = kind
        pairs = (column.split() for column in columns.split(","))
        self.columns = dict(pairs)
        self._arrays = [c for c, of_type in self.columns.items() if of_type.endswith("[]")]
        self._json = [c for c, of_type in self.columns.items() if of_type == "jsonb"]
        self._writers: list[tuple[str, Callable[[Any], object] | None]] = [
            (column, _writer(of_type)) for column, of_type in self.columns.items()
        ]
        self.key = tuple(self.columns)[:keys]
        self.insert = self._insert()
        update = ", ".join(
            f"{name} = EXCLUDED.{name}" for name in self.columns if name not in self.key
        )
        # Inserts rows, or replaces those with the same key.
        self.upsert = f"{self.insert} ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {update}"
        self._pick = itemgetter(*self.columns)
        self._slotted = hasattr(kind, "__slots__")
        known = {field.name for field in fields(cast("Any", kind))}
        if not self._slotted and known != self.columns.keys():
            raise TypeError(f"{name} has other columns than {kind.__name__} has fields")

    def _insert(self) -> str:
        sent, read = [], []
        for position, (column, of_type) in enumerate(self.columns.items(), start=1):
            if column in self._arrays:
                sent.append(f"${position}::text[]")
                read.append(f"string_to_array({column}, '{_SEPARATOR}')::{of_type}")
            elif column in self._json:
                sent.append(f"${position}::text[]")
                read.append(f"{column}::jsonb")
            else:
                sent.append(f"${position}::{of_type}[]")
                read.append(column)
        names = ", ".join(self.columns)
        return (
            f"INSERT INTO {self.name} ({names})"  # noqa: S608 names of our own columns
            f" SELECT {', '.join(read)} FROM unnest({', '.join(sent)}) AS u ({names})"
            f" ORDER BY {', '.join(self.key)}"
        )

    def arrays(self, rows: Sequence[Row]) -> list[list[object]]:
        """The arguments of `upsert`."""
        return [
            [write(getattr(row, column)) for row in rows]
            if write
            else list(map(attrgetter(column), rows))
            for column, write in self._writers
        ]

    def read(self, row: Mapping[str, Any]) -> Row:
        """The state that a row is; the row has all columns of the table."""
        values = dict(zip(self.columns, self._pick(row), strict=True))
        for column in self._arrays:
            values[column] = tuple(values[column])
        for column in self._json:
            values[column] = from_json(values[column])
        if self._slotted:
            return self.kind(**values)
        # As in `shared.decision.replace`: the constructor sets twenty fields one by one.
        made = object.__new__(self.kind)
        made.__dict__.update(values)
        return made

    def take(self, states: States, kind: str, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
        """The rows as states, under their kind and primary key."""
        found = []
        for row in rows:
            state = self.read(row)
            states[kind, *(row[column] for column in self.key)] = state
            found.append(state)
        return found


def columns(items: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    """Rows as columns, which is how they are sent."""
    return [[item[position] for item in items] for position in range(width)]


def _writer(of_type: str) -> Callable[[Any], object] | None:
    if of_type == "jsonb":
        return _dumped
    return _joined if of_type.endswith("[]") else None


def _joined(items: Iterable[object]) -> str:
    return _SEPARATOR.join(map(str, items))


def _dumped(fields: Mapping[str, object] | None) -> str:
    return to_json(fields).decode() if fields else "{}"


DAYS = Table("days", Day, 1, "region text, closed_on date, moved_on date")
# Two that share a day may write it in any order: it never goes back.
for _day in ("closed_on", "moved_on"):
    DAYS.upsert = DAYS.upsert.replace(f"EXCLUDED.{_day}", f"greatest(days.{_day}, EXCLUDED.{_day})")
CLOSINGS = Table(
    "closings", Closing, 2, "region text, day date, after date, closed_at timestamptz, by text"
)
HOLDERS = Table(
    "holders",
    Holder,
    2,
    "person text, region text, account bool, opened uuid, reopened_at timestamptz,"
    " personal_debit_fen bigint, personal_credit_fen bigint, awaiting_debit_fen bigint,"
    " awaiting_credit_fen bigint, deceased bool, sealed text, name_keys text[], accrued_on date,"
    " accrued bigint, settles_on date, frozen text, frozen_on date,"
    " frozen_until date",
)
MOVEMENTS = Table(
    "movements",
    Movement,
    2,
    "person text, record uuid, region text, what text, amount_fen bigint, refunded_fen bigint,"
    " code text",
)
RELEASES = Table(
    "releases",
    Release,
    2,
    "person text, transfer uuid, region text, destination text, opened_at timestamptz,"
    " released_on date, paid_out bool, version integer, code text, principal_fen bigint,"
    " interest_fen bigint, unfunded_fen bigint, released_fen bigint, paid_out_fen bigint,"
    " payable_fen bigint, remitting_fen bigint, debited_fen bigint, returned_fen bigint,"
    " overpaid_fen bigint, back_told_fen bigint, back_seen_fen bigint, clearing text,"
    " waived_fen bigint, forgiven_fen bigint, lowered_fen bigint, restored_fen bigint,"
    " restorations integer, corrected_fen bigint",
)
INSTRUCTIONS = Table(
    "instructions",
    Instruction,
    3,
    "person text, transfer uuid, run text, amount_fen bigint, status text, code text",
)
CLAIMS = Table(
    "claims",
    Claim,
    2,
    "person text, transfer uuid, region text, origin text, opened_at timestamptz,"
    " announced_on date, released_on date, versions integer[], announced_fen bigint,"
    " credited_fen bigint, awaiting_fen bigint, matched_fen bigint, open_fen bigint,"
    " reserved_fen bigint, excess_fen bigint, advance bool, declined text,"
    " declined_at timestamptz, judged_at timestamptz, judged text, exposure_fen bigint,"
    " limit_fen bigint, clearing text,"
    " undue_fen bigint, recovered_fen bigint, excused_fen bigint, written_off_fen bigint,"
    " waived_fen bigint, lowered_fen bigint, restored_fen bigint, reversals integer,"
    " back_payable_fen bigint, back_remitting_fen bigint, back_debited_fen bigint,"
    " sent_back_fen bigint",
)
CORRIDORS = Table(
    "corridors",
    Corridor,
    2,
    "origin text, destination text, open_fen bigint, claims integer, oldest_on date,"
    " warned_percent integer, review_on date, reviewed_on date, review_asked bool,"
    " suspended text, suspended_at timestamptz, well_since date, excused_before date,"
    " changed_on date, changed_open_fen bigint, changed_single_fen bigint,"
    " changed_age_days integer",
)
AGES = Table(
    "ages",
    Aged,
    3,
    "origin text, destination text, announced_on date, open_fen bigint, claims integer",
)
CORRIDOR_ACTS = Table(
    "corridor_acts",
    CorridorAct,
    4,
    "origin text, destination text, cause uuid, what text, at timestamptz, code text, facts jsonb",
)
DECLINED = Table(
    "declined",
    Declined,
    4,
    "origin text, destination text, person text, transfer uuid, declined_at timestamptz,"
    " amount_fen bigint, offered bool",
)
RECEIPTS = Table(
    "receipts",
    Receipt,
    1,
    "receipt uuid, account text, region text, bank text, direction text, amount_fen bigint,"
    " booked_on date, value_on date, reversal bool, booked text, sealed text,"
    " recorded_at timestamptz",
)
PARTS = Table(
    "receipt_parts",
    Part,
    2,
    "receipt uuid, part integer, region text, amount_fen bigint, payer_region text,"
    " suspended_fen bigint, reserved_fen bigint, applied_fen bigint, returned_fen bigint,"
    " verdict text, rule text, evidence jsonb, transfers uuid[], refs uuid[], name_keys text[]",
)
