"""What enrollment knows, read and written as sets: four statements to load, five to save."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from pydantic_core import from_json, to_json

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
from shared.db import Id
from shared.decision import Delivery, States, replace, restored
from shared.messages import Message
from shared.messages.enrollment import AmendRecord, AnswerAnew, DropAmendment
from shared.months import Ranges

_RANGES = ("opened", "earlier", "paid", "back_paid", "arrears")
_PLAIN = (
    *("region", "scheme", "person_type", "account", "state", "loaded"),
    *("first_month", "last_month", "plan_year", "released"),
)
"""What of a relation stands in columns of its own as it is."""


async def load(db: asyncpg.Connection, batch: Sequence[Delivery]) -> States:
    """The persons of a batch, their rows locked in one order, and the verdicts it may change."""
    persons = await _persons(db, {d.key for d in batch}, lock=True)
    states: States = {("person", p.person): p for p in persons}
    records = {record for d in batch if (record := _answered(d.message))}
    if records:
        found = await verdicts(db, sorted(records))
        states.update({("verdict", record): verdict for record, verdict in found.items()})
    return states


def _answered(m: Message) -> UUID | None:
    """The record whose answer a message may change."""
    match m:
        case AnswerAnew():
            return m.record
        case AmendRecord() | DropAmendment():
            return m.asked
        case _:
            return None


async def find(db: asyncpg.Connection, person: str) -> Person:
    """One person, without locking anything."""
    return (await _persons(db, {person}, lock=False))[0]


async def _persons(db: asyncpg.Connection, keys: Iterable[str], *, lock: bool) -> list[Person]:
    wanted = sorted(keys)
    persons = {key: Person(key) for key in wanted}
    locked = " ORDER BY person FOR UPDATE" if lock else ""
    rows = await db.fetch(f"SELECT * FROM persons WHERE person = ANY($1){locked}", wanted)  # noqa: S608 - a constant
    for row in rows:
        starts = (Start(Id(t), Id(r), *rest) for t, r, *rest in from_json(row["starts"]))
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
    return tuple([(first, last) for first, last in value])


def _relation(row: Mapping[str, Any]) -> Relation:
    history = from_json(row["history"])
    ranges = {name: _ranges(history[name]) if name in history else () for name in _RANGES}
    joined = tuple(
        Joined(Id(t), origin, scheme, version, _ranges(months))
        for t, origin, scheme, version, months in history.get("joined", [])
    )
    entries = {
        Id(id_): Entry(action, _ranges(months)) for id_, action, months in history["entries"]
    }
    entitlement = Entitlement(row["entitled_from"], row["waiting_months"], row["retroactive_from"])
    kept = {name: row[name] for name in _PLAIN}
    return restored(
        Relation, kept | ranges | {"joined": joined, "entitlement": entitlement, "entries": entries}
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
    # Ids of the driver go in as text: guessing what they are takes ten times as long.
    return to_json(value).decode()


def _release(row: Mapping[str, Any]) -> Release:
    values = {name: row[name] for name in Release.__dataclass_fields__}
    values["months"] = _ranges(from_json(row["months"]))
    return restored(Release, values)


async def save(db: asyncpg.Connection, changes: Mapping[Hashable, object]) -> None:
    """Writes the changed parts of all persons, one statement per table."""
    parts: dict[str, list[Part]] = {}
    for key, value in changes.items():
        assert isinstance(key, tuple)
        parts.setdefault(key[0], []).append((key, value))
    if "explanation" in parts:
        rows = [_explanation(*part) for part in parts["explanation"]]
        await db.copy_records_to_table("explanations", columns=_EXPLANATION, records=rows)
    for kind, table in _TABLES.items():
        if kind in parts:
            rows = [table.row(*part) for part in parts[kind]]
            await db.execute(table.statement, *zip(*rows, strict=True))


Part = tuple[Any, Any]
"""A key of the changes, with what stands under it."""


class Table(NamedTuple):
    """The statement that writes a set of rows, and a row of it from a changed part."""

    statement: str
    row: Callable[[Any, Any], tuple[object, ...]]


def _table(
    name: str, keys: int, columns: str, row: Callable[[Any, Any], tuple[object, ...]]
) -> Table:
    """`columns` are names and types, `person text, deceased_on date, …`; the first `keys` of them
    are the primary key.
    """
    pairs = [column.split() for column in columns.split(",")]
    names = [column for column, _ in pairs]
    given = ", ".join(f"${n}::{of_type}[]" for n, (_, of_type) in enumerate(pairs, 1))
    new = ", ".join(f"{column} = EXCLUDED.{column}" for column in names[keys:])
    statement = (
        f"INSERT INTO {name} ({', '.join(names)}) SELECT * FROM unnest({given})"  # noqa: S608 - our own names
        # One order of keys, so that no two batches can wait for each other.
        f" AS new ({', '.join(names)}) ORDER BY {', '.join(names[:keys])}"
        f" ON CONFLICT ({', '.join(names[:keys])}) DO UPDATE SET {new}"
    )
    return Table(statement, row)


def _life_row(_: Any, p: Person) -> tuple[object, ...]:  # noqa: ANN401 - any key
    return p.person, p.deceased_on, p.sealed, _starts(p)


def _relation_row(key: tuple[str, ...], r: Relation) -> tuple[object, ...]:
    cover = r.entitlement
    return (
        *(key[1], r.region, r.scheme, r.state, r.person_type, r.account, r.loaded),
        *(r.first_month, r.last_month, r.plan_year, r.released, _history(r)),
        *(cover.entitled_from, cover.waiting_months, cover.retroactive_from),
    )


def _release_row(key: tuple[str, ...], r: Release) -> tuple[object, ...]:
    return (
        *(key[1], r.transfer, r.region, r.destination, r.scheme, r.new_scheme, r.trigger),
        *(r.account, r.first_month, r.plan_year, r.state, r.code, r.reopened, r.version),
        *(_compact(r.months), r.last_month, r.had_account, r.due_at),
    )


def _verdict_row(_: Any, v: Verdict) -> tuple[object, ...]:  # noqa: ANN401 - any key
    return v.record, v.decision, v.code, v.transfer, v.at, v.source, v.record_id


def _explanation(key: tuple[Any, ...], why: Explanation) -> tuple[object, ...]:
    facts = _compact(why.facts)
    decided = (why.region, why.at, why.decision, why.rule, why.source, facts)
    return why.person, key[1], why.subject, *decided


_EXPLANATION = (
    *("person", "id", "subject"),
    *("region", "at", "decision", "rule", "source", "facts"),
)

_TABLES = {
    "life": _table(
        "persons", 1, "person text, deceased_on date, sealed text, starts jsonb", _life_row
    ),
    "relation": _table(
        "relations",
        3,
        "person text, region text, scheme text, state text, person_type text, account boolean,"
        " loaded boolean, first_month int, last_month int, plan_year int, released uuid,"
        " history jsonb, entitled_from int, waiting_months int, retroactive_from int",
        _relation_row,
    ),
    "release": _table(
        "releases",
        2,
        "person text, transfer uuid, region text, destination text, scheme text, new_scheme text,"
        " trigger text, account boolean, first_month int, plan_year int, state text, code text,"
        " reopened boolean, version int, months jsonb, last_month int, had_account boolean,"
        " due_at timestamptz",
        _release_row,
    ),
    "verdict": _table(
        "verdicts",
        1,
        "record uuid, decision text, code text, transfer uuid, at timestamptz, source text,"
        " record_id text",
        _verdict_row,
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
            from_json(row["facts"]),
        )
        for row in rows
    ]
