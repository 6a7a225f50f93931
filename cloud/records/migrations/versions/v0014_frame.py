"""What was answered under an Idempotency-Key, and which processes are alive."""

import sqlalchemy as sa
from alembic import op

from cloud.records.base import UtcDateTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("idempotency", sa.Column("answer_status", sa.Integer(), nullable=True))
    op.add_column("idempotency", sa.Column("answer_headers", sa.JSON(), nullable=True))
    op.add_column("idempotency", sa.Column("answer_body", sa.LargeBinary(), nullable=True))
    op.create_table(
        "heartbeats",
        sa.Column("process", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("process", name="pk_heartbeats"),
    )
    op.create_index("ix_heartbeats_kind", "heartbeats", ["kind"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("heartbeats")
    for column in ("answer_status", "answer_headers", "answer_body"):
        op.drop_column("idempotency", column)
