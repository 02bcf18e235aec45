"""What is looked for among years of it: a bank's file by its number, with which it is ended and
which every line names; transfers in the order in which they were opened; the steps of a month,
which lie together, so that a few pages tell where.
"""

from alembic import op

revision = "0037"
down_revision = "0035"


def upgrade() -> None:
    op.execute("CREATE UNIQUE INDEX bank_files_n ON settlement.bank_files (n)")
    op.execute("CREATE INDEX transfers_opened ON transfer.transfers (opened_at, id)")
    op.execute(
        "CREATE INDEX steps_at ON transfer.steps USING brin (at) WITH (pages_per_range = 32)"
    )
