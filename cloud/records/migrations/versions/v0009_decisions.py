"""Decision requests, decisions, files of reports and exports, and what else may be done with alarms."""

import sqlalchemy as sa
from alembic import op

from cloud.records.base import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables."""
    _create_requests()
    _widen_alarms()
    op.create_table(
        "decisions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Column("choice", sa.String(20), nullable=False),
        sa.Column("justification", sa.String(2000), nullable=False),
        sa.Column("operator", sa.String(200), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime()),
        sa.PrimaryKeyConstraint("number", name="pk_decisions"),
        sa.UniqueConstraint("event_id", name="uq_decisions_event_id"),
    )
    op.create_index("ix_decisions_at", "decisions", ["at"])
    op.create_index("ix_decisions_request_id", "decisions", ["request_id"])
    op.create_table(
        "downloads",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("file", sa.String(200), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("job", sa.String(32), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("kept_until", UtcDateTime(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_downloads"),
        sa.UniqueConstraint("name", name="uq_downloads_name"),
    )
    op.create_index("ix_downloads_job", "downloads", ["job"])
    op.create_index("ix_downloads_kept_until", "downloads", ["kept_until"])


def downgrade() -> None:
    """Drop them."""
    for column in ("muted_by", "assigned_to", "escalated_us"):
        op.drop_column("alarms", column)
    for table in ("downloads", "decisions", "decision_requests"):
        op.drop_table(table)


def _widen_alarms() -> None:
    op.add_column("alarms", sa.Column("escalated_us", sa.BigInteger()))
    op.add_column("alarms", sa.Column("assigned_to", sa.String(200)))
    op.add_column("alarms", sa.Column("muted_by", sa.String(36)))


def _create_requests() -> None:
    op.create_table(
        "decision_requests",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("gateway", sa.String(200), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("requested_by", sa.String(200), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime()),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("decided_at", UtcDateTime()),
        sa.Column("deferred_until", UtcDateTime()),
        sa.Column("is_ad_hoc", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_decision_requests"),
        sa.UniqueConstraint("id", name="uq_decision_requests_id"),
    )
    op.create_index("ix_decision_requests_kind_subject", "decision_requests", ["kind", "subject"])
    op.create_index("ix_decision_requests_requested_at", "decision_requests", ["requested_at"])
    op.create_index("ix_decision_requests_state", "decision_requests", ["state"])
