"""How much each family of models may do by itself."""

import sqlalchemy as sa
from alembic import op

from cloud.records.base import UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "autonomy",
        sa.Column("family", sa.String(200), nullable=False),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("family", name="pk_autonomy"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("autonomy")
