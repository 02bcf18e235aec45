"""The backbone: what a cell shares, and one schema and one role per service."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only

revision = "0001"
down_revision = None

SQL = Path(__file__).parent.parent / "sql"
SERVICES = ("enrollment", "transfer", "settlement", "notification", "monitor")


def _run(script: str) -> None:
    driver = op.get_bind().connection.driver_connection
    assert driver
    await_only(driver.execute(script))


def upgrade() -> None:
    _run((SQL / "cell.sql").read_text())
    for service in SERVICES:
        role = f"jiexu_{service}"
        _run(
            f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
            f"CREATE SCHEMA {service}; SET LOCAL search_path = {service};"
            f"GRANT USAGE ON SCHEMA {service}, cell TO {role};"
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {service}"
            f" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};"
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {service} GRANT USAGE ON SEQUENCES TO {role};"
        )
        _run((SQL / "chassis.sql").read_text())
        for script in sorted(SQL.glob(f"{service}*.sql")):
            _run(script.read_text())
        # A service's event log is append-only for the service itself.
        _run(f"REVOKE UPDATE, DELETE ON outbox FROM {role}; SET LOCAL search_path = public;")
    _run((SQL / "grants.sql").read_text())
