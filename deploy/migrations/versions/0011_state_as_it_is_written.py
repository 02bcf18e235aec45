"""A transfer's state is kept as it was written: it is read whole, five times it is written and
eight times read, and each time it was taken apart or put together.
"""

from alembic import op

revision = "0011"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE transfer.transfers ALTER state TYPE json USING state::json")
