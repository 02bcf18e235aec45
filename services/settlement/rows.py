"""How the states are rows: the columns of each table, its upsert, and states made from rows.

A table is written as one statement, whatever the number of rows, with one array per column. An
array inside a row travels as text, since PostgreSQL has no ragged arrays.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Generic, TypeVar

from services.settlement.states import (
    Claim,
    Corridor,
    Declined,
    Holder,
    Instruction,
    Movement,
    Part,
    Receipt,
    Release,
)

Row = TypeVar("Row")

_SEPARATOR = ","
_TYPES = {
    "str": "text",
    "UUID": "uuid",
    "bool": "bool",
    "int": "bigint",
    "date": "date",
    "datetime": "timestamptz",
    "BankKind": "text",
    "Verdict": "text",
    "Literal": "text",
    "Mapping": "jsonb",
}


def _type_of(annotation: str) -> str:
    """The PostgreSQL type of a column, from the annotation of its field."""
    plain = annotation.removesuffix(" | None")
    if plain.startswith("tuple["):
        return _TYPES[plain.removeprefix("tuple[").partition(",")[0]] + "[]"
    return _TYPES[plain.partition("[")[0]]


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table and the dataclass of its rows, whose fields are its columns."""

    name: str
    kind: type[Row]
    key: tuple[str, ...]

    @cached_property
    def columns(self) -> dict[str, str]:
        """The type of each column, in the order of the fields."""
        return {
            field.name: _type_of(getattr(field.type, "__name__", str(field.type)))
            if isinstance(field.type, type) and not hasattr(field.type, "__args__")
            else _type_of(_plain(field.type))
            for field in fields(self.kind)  # type: ignore[arg-type] # every Row is a dataclass
        }

    @cached_property
    def upsert(self) -> str:
        """Inserts rows, or replaces those with the same key."""
        names = list(self.columns)
        sent, read = [], []
        for position, (name, kind) in enumerate(self.columns.items(), start=1):
            array = kind.endswith("[]")
            sent.append(f"${position}::{'text' if array or kind == 'jsonb' else kind}[]")
            if array:
                read.append(f"string_to_array({name}, '{_SEPARATOR}')::{kind}")
            else:
                read.append(f"{name}::jsonb" if kind == "jsonb" else name)
        rest = [name for name in names if name not in self.key]
        update = ", ".join(f"{name} = EXCLUDED.{name}" for name in rest)
        return (
            f"INSERT INTO {self.name} ({', '.join(names)})"  # noqa: S608 names of our own fields
            f" SELECT {', '.join(read)} FROM unnest({', '.join(sent)}) AS u ({', '.join(names)})"
            f" ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {update}"
        )

    @cached_property
    def _writers(self) -> list[tuple[str, Callable[[Any], object] | None]]:
        writers: dict[str, Callable[[Any], object] | None] = {
            name: _joined if kind.endswith("[]") else json.dumps if kind == "jsonb" else None
            for name, kind in self.columns.items()
        }
        return list(writers.items())

    def arrays(self, rows: Sequence[Row]) -> list[list[object]]:
        """The arguments of `upsert`."""
        return [
            [write(getattr(row, name)) for row in rows]
            if write
            else [getattr(row, name) for row in rows]
            for name, write in self._writers
        ]

    def read(self, row: Mapping[str, Any]) -> Row:
        """The state that a row is; the row has all columns of the table."""
        values = {name: row[name] for name in self.columns}
        for name, kind in self.columns.items():
            if kind.endswith("[]"):
                values[name] = tuple(values[name])
            elif kind == "jsonb":
                values[name] = json.loads(values[name])
        return self.kind(**values)


def _joined(items: Iterable[object]) -> str:
    return _SEPARATOR.join(map(str, items))


def _plain(annotation: object) -> str:
    text = str(annotation).replace("typing.", "").replace("collections.abc.", "")
    for module in ("uuid.", "datetime.datetime", "datetime.date"):
        text = text.replace(module, "" if module == "uuid." else module.rsplit(".", 1)[1])
    return text


HOLDERS = Table("holders", Holder, ("person", "region"))
MOVEMENTS = Table("movements", Movement, ("person", "record"))
RELEASES = Table("releases", Release, ("person", "transfer"))
INSTRUCTIONS = Table("instructions", Instruction, ("person", "transfer", "run"))
CLAIMS = Table("claims", Claim, ("person", "transfer"))
CORRIDORS = Table("corridors", Corridor, ("origin", "destination"))
DECLINED = Table("declined", Declined, ("origin", "destination", "person", "transfer"))
RECEIPTS = Table("receipts", Receipt, ("receipt",))
PARTS = Table("receipt_parts", Part, ("receipt", "part"))
