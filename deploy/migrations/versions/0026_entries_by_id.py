"""An entry is found by its id.

Ids are random, so that an index of each of them would cost every batch a page for every entry. This
one tells of each half megabyte of the journal which ids are not there, written when it is full. It
is of their text, so that no plan takes the journal's own key, which begins with the person.
"""

from alembic import op

revision = "0026"
down_revision = "0029"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX entries_id ON settlement.entries USING brin"
        " ((id::text) text_bloom_ops (n_distinct_per_range = 3000, false_positive_rate = 0.001))"
        " WITH (pages_per_range = 64, autosummarize = on)"
    )
