"""What regions said to the lines of net sheets; entries that two kinds of files may both tell."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0029"
down_revision = "0006"

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver
    await_only(driver.execute((SQL / "said.sql").read_text()))
