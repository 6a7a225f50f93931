"""Health scores, limits of channels, facts about devices, recommendations, and notes between shifts."""

import sqlalchemy as sa
from alembic import op

from cloud.records.base import UtcDateTime

revision = "0008"
down_revision = "0007"
_OPEN = sa.text("state = 'open'")
_TABLES = (
    "device_facts",
    "channel_limits",
    "health_scores",
    "plant_points",
    "channel_hours",
    "recommendations",
    "handover_notes",
)


def upgrade() -> None:
    """Make the tables; nobody could say yet how critical a device is, so all are as critical as is usual."""
    _create_device_facts()
    _create_channel_limits()
    _create_health_scores()
    _create_plant_points()
    _create_channel_hours()
    _create_recommendations()
    _create_handover_notes()
    op.execute("update devices set criticality = 0.5")


def downgrade() -> None:
    """Drop them."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute("update devices set criticality = 1.0")


def _create_device_facts() -> None:
    op.create_table(
        "device_facts",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("rated_interval_s", sa.Float()),
        sa.Column("tariff_per_kwh", sa.Float()),
        sa.Column("energy", sa.JSON()),
        sa.Column("running", sa.JSON()),
        sa.Column("baseline_reset_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("source", "device", name="pk_device_facts"),
    )


def _create_channel_limits() -> None:
    op.create_table(
        "channel_limits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("tag", sa.String(200), nullable=False),
        sa.Column("low_crit", sa.Float()),
        sa.Column("low_warn", sa.Float()),
        sa.Column("high_warn", sa.Float()),
        sa.Column("high_crit", sa.Float()),
        sa.PrimaryKeyConstraint("id", name="pk_channel_limits"),
        sa.UniqueConstraint("source", "device", "tag", name="uq_channel_limits_source_device_tag"),
    )


def _create_health_scores() -> None:
    op.create_table(
        "health_scores",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("computed_at", UtcDateTime(), nullable=False),
        sa.Column("score", sa.Float()),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("measured_at", UtcDateTime()),
        sa.Column("is_stale", sa.Boolean(), nullable=False),
        sa.Column("band", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("efficiency", sa.Float()),
        sa.Column("energy_kwh", sa.Float()),
        sa.Column("energy_cost", sa.Float()),
        sa.Column("told_score", sa.Float()),
        sa.Column("memory", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("source", "device", name="pk_health_scores"),
    )


def _create_plant_points() -> None:
    op.create_table(
        "plant_points",
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("system_health", sa.Integer()),
        sa.Column("efficiency", sa.Integer()),
        sa.Column("energy_kwh", sa.Float()),
        sa.PrimaryKeyConstraint("at", name="pk_plant_points"),
    )


def _create_channel_hours() -> None:
    op.create_table(
        "channel_hours",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("tag", sa.String(200), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("medians", sa.LargeBinary(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source", "device", "tag", name="pk_channel_hours"),
    )


def _create_recommendations() -> None:
    op.create_table(
        "recommendations",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("action", sa.String(500), nullable=False),
        sa.Column("urgency", sa.Float(), nullable=False),
        sa.Column("impact", sa.Float(), nullable=False),
        sa.Column("composite", sa.Float(), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("note", sa.String(2000), nullable=False),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_recommendations"),
        sa.UniqueConstraint("id", name="uq_recommendations_id"),
    )
    op.create_index("ix_recommendations_state_composite", "recommendations", ["state", "composite"])
    op.create_index(
        "uq_recommendations_open_rule",
        "recommendations",
        ["source", "device", "rule"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def _create_handover_notes() -> None:
    op.create_table(
        "handover_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("shift", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("text", sa.String(4000), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_handover_notes"),
    )
    op.create_index("ix_handover_notes_at", "handover_notes", ["at"])
    op.create_index("ix_handover_notes_device", "handover_notes", ["device"])
