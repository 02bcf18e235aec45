"""The bank's lines that paid a net position: a sheet is explained down to both banks' files."""

from alembic import op

revision = "0038"
down_revision = "0036"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE settlement.netting_positions ADD COLUMN debits text[] NOT NULL DEFAULT '{}'"
    )
