"""Business days: closings, balances by day, and the day of every posting."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0009"
down_revision = "0004"

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver
    await_only(driver.execute((SQL / "closing.sql").read_text()))
