"""A transfer's state is kept as it was written: it is read whole, and parsing it each time it is
written, to print it each time it is read, was a tenth of what the database did for transfers.
"""

from alembic import op

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE transfer.transfers ALTER state TYPE json USING state::json")
