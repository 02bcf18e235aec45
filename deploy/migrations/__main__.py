"""Brings the database of JIEXU_DATABASE to the newest schema; does nothing the second time."""

from pathlib import Path

from alembic import command
from alembic.config import Config

HERE = Path(__file__).parent


def upgrade(dsn: str) -> None:
    """Applies all migrations to the database at `dsn`, in one transaction each."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["dsn"] = dsn
    command.upgrade(config, "head")


if __name__ == "__main__":
    from shared.settings import settings

    upgrade(settings().database)
