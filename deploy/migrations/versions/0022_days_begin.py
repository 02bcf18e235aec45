"""Regions that have entries already stand at their last day; sweeps of the income account."""

from alembic import op

revision = "0022"
down_revision = "0011"


def upgrade() -> None:
    op.execute(
        "INSERT INTO settlement.days (region, moved_on)"
        " SELECT region, max(business_date) FROM settlement.entries GROUP BY region"
        " ON CONFLICT (region) DO NOTHING"
    )
    # What was told to the bank at a month's end, once for each month.
    op.execute(
        "CREATE TABLE settlement.sweeps (region text NOT NULL, month date NOT NULL,"
        " amount_fen bigint NOT NULL CHECK (amount_fen > 0), instructed_at timestamptz NOT NULL,"
        " by text NOT NULL, PRIMARY KEY (region, month))"
    )
    op.execute("REVOKE UPDATE, DELETE ON settlement.sweeps FROM jiexu_settlement")
