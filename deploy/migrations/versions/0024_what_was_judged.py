"""A claim keeps why it was not advanced, though its money has come since."""

from alembic import op

revision = "0024"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE settlement.claims ADD COLUMN judged text")
