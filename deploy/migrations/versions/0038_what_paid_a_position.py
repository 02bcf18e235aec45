"""The bank's lines that paid a net position: a sheet is explained down to both banks' files. A
fund's account may change twice for one day, and back.
"""

from alembic import op

revision = "0038"
down_revision = "0036"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE settlement.netting_positions ADD COLUMN debits text[] NOT NULL DEFAULT '{}'"
    )
    op.execute(
        "ALTER TABLE settlement.account_changes DROP CONSTRAINT account_changes_pkey,"
        " DROP CONSTRAINT account_changes_account_key_key, ADD PRIMARY KEY (region, bank, cause)"
    )
