"""Personal accounts that are held."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0036"
down_revision = "0037"

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver
    await_only(driver.execute((SQL / "freezing.sql").read_text()))
