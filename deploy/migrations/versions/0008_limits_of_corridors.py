"""Corridors know how old what is open is, what was decided about them, and by whom."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0008"
down_revision = "0009"

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver
    await_only(driver.execute((SQL / "limits.sql").read_text()))
