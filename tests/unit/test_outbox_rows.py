"""A row of the outbox as PostgreSQL copies it holds what its columns hold, one after the other."""

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from shared.copying import COUNT, INT, field
from shared.db import Id
from shared.outbox import Sent, packed

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
numbers = st.integers(0, 2**63 - 1)
instants = st.datetimes(timezones=st.just(UTC))
ids = st.uuids() | st.uuids().map(lambda id_: Id(str(id_)))


@given(
    st.builds(
        Sent, texts, numbers, ids, texts, st.integers(0, 2**31 - 1), texts, texts, instants,
        instants, ids, st.none() | ids, st.binary(max_size=200),
    )
)  # fmt: skip
def test_a_row_is_its_columns(row: Sent) -> None:
    columns = (row.sent_at.date(), *row)
    fields = [
        INT.pack(4, value) if name == "partition" else field(value)
        for name, value in zip(("day", *Sent._fields), columns, strict=True)
    ]

    assert packed(row) == COUNT.pack(len(columns)) + b"".join(fields)
