"""Dead letters keep what operators did with them: who, when, what, why, and how it came out."""

from alembic import op

revision = "0002"
down_revision = "0001"

SERVICES = ("enrollment", "transfer", "settlement", "notification", "monitor")


def upgrade() -> None:
    for service in SERVICES:
        op.execute(
            f"ALTER TABLE {service}.dead_letters ADD COLUMN acts jsonb NOT NULL DEFAULT '[]'"
        )
