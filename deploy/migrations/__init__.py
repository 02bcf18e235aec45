"""The database's schema, by Alembic: `python -m deploy.migrations` brings it up to date."""
