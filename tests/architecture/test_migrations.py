"""Every database comes to the same end: migrations are one chain."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

HERE = Path(__file__).parents[2]


def test_migrations_are_one_chain() -> None:
    config = Config()
    config.set_main_option("script_location", str(HERE / "deploy" / "migrations"))
    script = ScriptDirectory.from_config(config)

    chain = [one.revision for one in script.walk_revisions()]

    assert len(script.get_heads()) == 1
    assert len(chain) == len(list((HERE / "deploy/migrations/versions").glob("[0-9]*.py")))
