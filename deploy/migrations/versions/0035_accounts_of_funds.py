"""Accounts of funds that two people have changed."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0035"
down_revision = "0033"

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver
    await_only(driver.execute((SQL / "account_changes.sql").read_text()))
