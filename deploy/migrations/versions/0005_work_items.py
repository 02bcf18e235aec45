"""Work items: what people must decide about the books, and everything they did with it."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0005"
down_revision = "0010"

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver
    script = (SQL / "people.sql").read_text()
    script = f"SET LOCAL search_path = settlement; {script} SET LOCAL search_path = public;"
    await_only(driver.execute(script))
