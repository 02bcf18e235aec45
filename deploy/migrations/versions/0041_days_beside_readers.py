"""A day's partition is made beside readers and writers, and dropped only where none keeps it."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0041"
down_revision = "0040"

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver
    await_only(driver.execute((SQL / "partitions.sql").read_text()))
