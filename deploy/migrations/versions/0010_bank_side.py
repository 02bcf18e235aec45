"""Files of banks by their hash, statements as a chain, and what banks report of payments."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0010"
down_revision = "0008"

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver
    await_only(driver.execute((SQL / "bank_side.sql").read_text()))
