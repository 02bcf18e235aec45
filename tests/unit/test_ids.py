"""Ids made of names are those of the standard library."""

from uuid import UUID
from uuid import uuid5 as standard

from hypothesis import given
from hypothesis import strategies as st

from shared.db import Id
from shared.ids import uuid5, uuid5_bytes


@given(st.uuids(), st.text())
def test_an_id_of_a_name_is_the_one_that_the_standard_library_makes(
    namespace: UUID, name: str
) -> None:
    made, expected = uuid5(namespace, name), standard(namespace, name)

    assert (made, made.version, hash(made), str(made), repr(made)) == (
        (expected, expected.version, hash(expected), str(expected), repr(expected))
    )
    assert uuid5_bytes(Id(str(namespace)), name) == expected.bytes


@given(st.uuids(), st.uuids())
def test_the_ids_of_the_driver_are_taken_for_those_of_the_standard_library(
    one: UUID, other: UUID
) -> None:
    ours = Id(str(one))

    assert (ours == one, one == ours, hash(ours), str(ours), ours.bytes, ours.int) == (
        (True, True, hash(one), str(one), one.bytes, one.int)
    )
    assert (ours < other, other < ours, ours == other) == (one < other, other < one, one == other)
    assert isinstance(ours, UUID)
    assert {one: 1}[ours] == 1
