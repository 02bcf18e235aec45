"""What is due for payment is found among what is owed, not among all that ever was."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("DROP INDEX settlement.releases_due")
    op.execute(
        "CREATE INDEX releases_due ON settlement.releases (region, released_on)"
        " WHERE payable_fen > 0"
    )
