"""What personal accounts earn: accrued with every movement, and as it was credited."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0033"
down_revision = "0026"

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver
    await_only(driver.execute((SQL / "interest.sql").read_text()))
