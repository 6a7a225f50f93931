"""Runs the migrations; alembic is loaded only where there is something to do, since it costs a third of a second."""

from pathlib import Path

from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Bring the tables behind this connection to the newest version, in its transaction."""
    from alembic import command  # noqa: PLC0415 see above
    from alembic.config import Config  # noqa: PLC0415 see above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
