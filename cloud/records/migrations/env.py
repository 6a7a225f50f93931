"""What Alembic runs: the steps, on the connection that Records gives."""

from alembic import context

from cloud.records.tables import METADATA


def _run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


_run()
