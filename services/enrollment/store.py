"""What enrollment knows, read and written as sets: four statements to load, five to save."""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.enrollment.persons import (
    Entitlement,
    Entry,
    Explanation,
    Joined,
    Person,
    Relation,
    Release,
    Start,
    Verdict,
)
from shared.decision import Delivery, States
from shared.messages.settlement import MovementRefused
from shared.months import Ranges

_RANGES = ("opened", "earlier", "paid", "back_paid", "arrears")


async def load(db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
    """The persons of a batch, their rows locked in one order, and the verdicts it may change."""
    persons = await _persons(db, {d.key for d in batch}, lock=True)
    states: States = {("person", p.person): p for p in persons}
    records = {d.message.record for d in batch if isinstance(d.message, MovementRefused)}
    if records:
        found = await verdicts(db, sorted(records))
        states.update({("verdict", record): verdict for record, verdict in found.items()})
    return states


async def find(db: asyncpg.Connection, person: str) -> Person:
    """One person, without locking anything."""
    return (await _persons(db, {person}, lock=False))[0]


async def _persons(db: asyncpg.Connection, keys: Iterable[str], *, lock: bool) -> list[Person]:
    wanted = sorted(keys)
    persons = {key: Person(key) for key in wanted}
    locked = " ORDER BY person FOR UPDATE" if lock else ""
    rows = await db.fetch(f"SELECT * FROM persons WHERE person = ANY($1){locked}", wanted)  # noqa: S608 - a constant
    for row in rows:
        starts = (Start(UUID(t), UUID(r), *rest) for t, r, *rest in json.loads(row["starts"]))
        persons[row["person"]] = Person(
            row["person"], True, row["deceased_on"], row["sealed"], {s.transfer: s for s in starts}
        )
    if not rows:
        return list(persons.values())
    relations: dict[str, dict[tuple[str, str], Relation]] = {}
    for row in await db.fetch("SELECT * FROM relations WHERE person = ANY($1)", wanted):
        relation = _relation(row)
        relations.setdefault(row["person"], {})[relation.key] = relation
    releases: dict[str, dict[UUID, Release]] = {}
    for row in await db.fetch("SELECT * FROM releases WHERE person = ANY($1)", wanted):
        release = _release(row)
        releases.setdefault(row["person"], {})[release.transfer] = release
    return [
        replace(person, relations=relations.get(key, {}), releases=releases.get(key, {}))
        for key, person in persons.items()
    ]


def _ranges(value: list[list[int]]) -> Ranges:
    return tuple((first, last) for first, last in value)


def _relation(row: Mapping[str, Any]) -> Relation:
    history = json.loads(row["history"])
    ranges = {name: _ranges(history.get(name, [])) for name in _RANGES}
    joined = tuple(
        Joined(UUID(t), origin, scheme, version, _ranges(months))
        for t, origin, scheme, version, months in history.get("joined", [])
    )
    entries = {
        UUID(id_): Entry(action, _ranges(months)) for id_, action, months in history["entries"]
    }
    return Relation(
        region=row["region"],
        scheme=row["scheme"],
        person_type=row["person_type"],
        account=row["account"],
        state=row["state"],
        loaded=row["loaded"],
        joined=joined,
        first_month=row["first_month"],
        last_month=row["last_month"],
        plan_year=row["plan_year"],
        released=row["released"],
        entitlement=Entitlement(
            row["entitled_from"], row["waiting_months"], row["retroactive_from"]
        ),
        entries=entries,
        **ranges,
    )


def _history(relation: Relation) -> str:
    history: dict[str, object] = {
        name: ranges for name in _RANGES if (ranges := getattr(relation, name))
    }
    if relation.joined:
        history["joined"] = [
            (str(j.transfer), j.origin, j.scheme, j.version, j.months) for j in relation.joined
        ]
    history["entries"] = [(str(id_), e.action, e.months) for id_, e in relation.entries.items()]
    return _compact(history)


def _starts(person: Person) -> str:
    starts = person.starts.values()
    return _compact(
        [(str(s.transfer), str(s.record), s.region, s.origin, s.withdrawn) for s in starts]
    )


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _release(row: Mapping[str, Any]) -> Release:
    values = {name: row[name] for name in Release.__dataclass_fields__}
    values["months"] = _ranges(json.loads(row["months"]))
    return Release(**values)


async def save(db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
    """Writes the changed parts of all persons, one statement per table."""
    parts: dict[str, list[Part]] = {}
    for key, value in changes.items():
        assert isinstance(key, tuple)
        parts.setdefault(key[0], []).append((key, value))
    for kind, table in _TABLES.items():
        if kind in parts:
            # One order of keys, so that no two batches can wait for each other.
            ordered = sorted(parts[kind], key=lambda part: [str(k) for k in part[0]])
            await db.execute(
                table.statement,
                *([column.get(*part) for part in ordered] for column in table.columns),
            )


Part = tuple[Any, Any]
"""A key of the changes, with what stands under it."""


class Column(NamedTuple):
    """A column, its type, and where its value comes from."""

    name: str
    type: str
    get: Callable[[Any, Any], object]


def _own(type_: str, *names: str) -> list[Column]:
    """Columns that are called like the attributes they keep."""
    return [Column(name, type_, _attribute(name)) for name in names]


def _attribute(name: str) -> Callable[[Any, Any], object]:
    return lambda _, value: getattr(value, name)


def _entitled(name: str) -> Column:
    return Column(name, "int", lambda _, relation: getattr(relation.entitlement, name))


def _key(name: str, position: int, type_: str = "text") -> Column:
    return Column(name, type_, lambda key, _: key[position])


class Table(NamedTuple):
    """The columns of a table, and the statement that writes a set of rows into it."""

    columns: Sequence[Column]
    statement: str


def _table(name: str, keys: int, columns: Sequence[Column], *, grows: bool = False) -> Table:
    """`keys` leading columns are the primary key; a table that `grows` is never updated."""
    names = [c.name for c in columns]
    given = ", ".join(f"${n}::{c.type}[]" for n, c in enumerate(columns, 1))
    new = ", ".join(f"{c} = EXCLUDED.{c}" for c in names[keys:])
    statement = (
        f"INSERT INTO {name} ({', '.join(names)}) SELECT * FROM unnest({given})"  # noqa: S608 - our own names
        f" ON CONFLICT ({', '.join(names[:keys])})"
        f" DO {'NOTHING' if grows else f'UPDATE SET {new}'}"
    )
    return Table(columns, statement)


_TABLES = {
    "life": _table(
        "persons",
        1,
        [
            *_own("text", "person"),
            *_own("date", "deceased_on"),
            *_own("text", "sealed"),
            Column("starts", "jsonb", lambda _, person: _starts(person)),
        ],
    ),
    "relation": _table(
        "relations",
        3,
        [
            _key("person", 1),
            *_own("text", "region", "scheme", "state", "person_type"),
            *_own("boolean", "account", "loaded"),
            *_own("int", "first_month", "last_month", "plan_year"),
            *_own("uuid", "released"),
            Column("history", "jsonb", lambda _, relation: _history(relation)),
            _entitled("entitled_from"),
            _entitled("waiting_months"),
            _entitled("retroactive_from"),
        ],
    ),
    "release": _table(
        "releases",
        2,
        [
            _key("person", 1),
            *_own("uuid", "transfer"),
            *_own("text", "region", "destination", "scheme", "new_scheme", "trigger"),
            *_own("boolean", "account"),
            *_own("int", "first_month", "plan_year"),
            *_own("text", "state", "code"),
            *_own("boolean", "reopened"),
            *_own("int", "version"),
            Column("months", "jsonb", lambda _, release: _compact(release.months)),
            *_own("int", "last_month"),
            *_own("boolean", "had_account"),
            *_own("timestamptz", "due_at"),
        ],
    ),
    "explanation": _table(
        "explanations",
        2,
        [
            *_own("text", "person"),
            _key("id", 1, "uuid"),
            *_own("uuid", "subject"),
            *_own("text", "region"),
            *_own("timestamptz", "at"),
            *_own("text", "decision", "rule", "source"),
            Column("facts", "jsonb", lambda _, why: _compact(why.facts)),
        ],
        grows=True,
    ),
    "verdict": _table(
        "verdicts",
        1,
        [
            *_own("uuid", "record"),
            *_own("text", "decision", "code"),
            *_own("uuid", "transfer"),
            *_own("timestamptz", "at"),
            *_own("text", "source", "record_id"),
        ],
    ),
}


async def verdicts(db: asyncpg.Connection, records: Sequence[UUID]) -> dict[UUID, Verdict]:
    """What was decided about those of the records that are decided."""
    rows = await db.fetch(
        "SELECT record, decision, code, transfer, at, source, record_id"
        " FROM verdicts WHERE record = ANY($1)",
        list(records),
    )
    return {row["record"]: Verdict(*row) for row in rows}


async def explanations(db: asyncpg.Connection, subject: UUID) -> list[Explanation]:
    """Why what was decided about a transfer or a record, in the order of time."""
    rows = await db.fetch(
        "SELECT * FROM explanations WHERE subject = $1 ORDER BY at, decision, rule, id", subject
    )
    return [
        Explanation(
            row["person"],
            row["subject"],
            row["region"],
            row["at"],
            row["decision"],
            row["rule"],
            row["source"],
            json.loads(row["facts"]),
        )
        for row in rows
    ]
