"""Notices, and who is told of them: webhooks, deliveries, dead letters."""

import sqlalchemy as sa
from alembic import op

from cloud.records.base import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "notices",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("gateway", sa.String(200), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_notices"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_at", "notices", ["at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("notices")
