"""What enrollment keeps of a person is the same when it is read again, each field of it."""

import re
from dataclasses import fields
from typing import Any
from uuid import UUID

from services.enrollment import store
from services.enrollment.persons import Entitlement, Entry, Joined, Relation, Release

T, R = UUID(int=1), UUID(int=2)
RELATION = Relation(
    *("450100", "310", "employee", True, "suspended", True),
    opened=((24213, 24300),),
    earlier=((24100, 24120),),
    paid=((24301, 24302), (24304, 24304)),
    back_paid=((24303, 24303),),
    arrears=((24305, 24305),),
    joined=(Joined(T, "410100", "390", 2, ((24000, 24050),)),),
    first_month=24301,
    last_month=24304,
    plan_year=2026,
    released=T,
    entitlement=Entitlement(24303, 2, 24302),
    entries={R: Entry("enroll", ((24301, 24301),)), T: Entry("suspend")},
)
RELEASE = Release(
    *(T, "450100", "410100", "310", "390", "person", True, 24301, 2026, "released"),
    code="duplicate",
    reopened=True,
    version=3,
    months=((24213, 24300),),
    last_month=24300,
    had_account=True,
)


def row(kind: str, key: tuple[object, ...], part: object) -> dict[str, Any]:
    table = store._TABLES[kind]
    named = re.search(r"\((.*?)\)", table.statement)
    assert named
    return dict(zip(named[1].split(", "), table.row(key, part), strict=True))


def test_a_relation_is_read_as_it_was_written() -> None:
    again = store._relation(row("relation", ("relation", "p"), RELATION))

    assert again == RELATION
    assert vars(again).keys() == {field.name for field in fields(Relation)}


def test_a_relation_of_which_little_is_known_is_read_as_it_was_written() -> None:
    bare = Relation("450100", "310", "flexible", account=False)

    assert store._relation(row("relation", ("relation", "p"), bare)) == bare


def test_a_release_is_read_as_it_was_written() -> None:
    again = store._release(row("release", ("release", "p"), RELEASE))

    assert again == RELEASE
    assert vars(again).keys() == {field.name for field in fields(Release)}
