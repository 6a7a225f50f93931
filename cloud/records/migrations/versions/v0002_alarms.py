"""Alarms, their labels and comments, and how far the gateways' events were read."""

import sqlalchemy as sa
from alembic import op

from cloud.records.base import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    _create_labels()
    _create_alarms()
    _create_alarm_comments()
    _create_alarm_rules()
    op.create_table(
        "followers",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("unreadable", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_followers"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("followers", "alarm_rules", "alarm_comments", "alarms", "labels"):
        op.drop_table(table)


def _create_labels() -> None:
    op.create_table(
        "labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("to_us", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("alarm_id", sa.String(36)),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
    )
    op.create_index("ix_labels_source_device_from_us", "labels", ["source", "device", "from_us"])
    op.create_index("ix_labels_alarm_id", "labels", ["alarm_id"])


def _create_alarms() -> None:
    op.create_table(
        "alarms",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("condition", sa.String(32), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("point", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("is_acknowledged", sa.Boolean(), nullable=False),
        sa.Column("raised_us", sa.BigInteger(), nullable=False),
        sa.Column("back_us", sa.BigInteger()),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_alarms"),
        sa.UniqueConstraint("id", name="uq_alarms_id"),
    )
    op.create_index("ix_alarms_condition_number", "alarms", ["condition", "number"])
    op.create_index("ix_alarms_source_device", "alarms", ["source", "device"])
    op.create_index("ix_alarms_state", "alarms", ["state"])
    op.create_index("ix_alarms_raised_us", "alarms", ["raised_us"])
    op.create_index("ix_alarms_back_us", "alarms", ["back_us"])
    live = sa.text("is_live")
    op.create_index(
        "uq_alarms_live_condition", "alarms", ["condition"], unique=True, sqlite_where=live, postgresql_where=live
    )


def _create_alarm_comments() -> None:
    op.create_table(
        "alarm_comments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alarm_id", sa.String(36), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("text", sa.String(2000), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_comments"),
    )
    op.create_index("ix_alarm_comments_alarm_id", "alarm_comments", ["alarm_id"])


def _create_alarm_rules() -> None:
    op.create_table(
        "alarm_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("tag", sa.String(200), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("high", sa.Float()),
        sa.Column("low", sa.Float()),
        sa.Column("hysteresis", sa.Float(), nullable=False),
        sa.Column("delay_on_s", sa.Float(), nullable=False),
        sa.Column("delay_off_s", sa.Float(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_rules"),
        sa.UniqueConstraint("name", name="uq_alarm_rules_name"),
    )
