"""Load series, planned events, scaling decisions."""

import sqlalchemy as sa
from alembic import op

from cloud.records.base import UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables."""
    _create_planned_events()
    _create_load()
    _create_scaling()
    op.add_column("forecasts", sa.Column("multiplier", sa.Float()))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("forecasts") as table:
        table.drop_column("multiplier")
    tables = ("scaling_counts", "scaling_decisions", "scaled_services", "load_capacities", "load_bins")
    for name in (*tables, "planned_events"):
        op.drop_table(name)


def _create_planned_events() -> None:
    op.create_table(
        "planned_events",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("event_type", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("start_at", UtcDateTime(), nullable=False),
        sa.Column("end_at", UtcDateTime(), nullable=False),
        sa.Column("multiplier", sa.Float(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("cancelled_at", UtcDateTime()),
        sa.Column("measured", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_planned_events"),
    )
    op.create_index("ix_planned_events_end_at", "planned_events", ["end_at"])


def _create_load() -> None:
    op.create_table(
        "load_bins",
        sa.Column("service", sa.String(16), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("instance", sa.String(64), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("messages", "readings", "done_while_lagging", "online")
        ),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("seconds", "lagging_s", "lag_s")),
        sa.PrimaryKeyConstraint("service", "minute", "instance", name="pk_load_bins"),
    )
    op.create_index("ix_load_bins_minute", "load_bins", ["minute"])
    op.create_table(
        "load_capacities",
        sa.Column("service", sa.String(16), nullable=False),
        sa.Column("per_s", sa.Float(), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("service", name="pk_load_capacities"),
    )


def _create_scaling() -> None:
    op.create_table(
        "scaled_services",
        sa.Column("service", sa.String(16), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        *(sa.Column(name, UtcDateTime()) for name in ("changed_at", "held_until", "small_since")),
        sa.PrimaryKeyConstraint("service", name="pk_scaled_services"),
    )
    op.create_table(
        "scaling_decisions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("service", sa.String(16), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("trigger", sa.String(16), nullable=False),
        sa.Column("reasoning", sa.String(1000), nullable=False),
        sa.Column("prediction", sa.Float()),
        sa.Column("threshold", sa.Float()),
        sa.Column("confidence", sa.Float()),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("requested_by", sa.String(200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("executed_at", UtcDateTime()),
        sa.Column("verification", sa.String(16)),
        sa.Column("verified_at", UtcDateTime()),
        sa.Column("request_id", sa.String(200)),
        sa.Column("problem", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_scaling_decisions"),
        sa.UniqueConstraint("id", name="uq_scaling_decisions_id"),
    )
    op.create_index("ix_scaling_decisions_status", "scaling_decisions", ["status"])
    op.create_table(
        "scaling_counts",
        *(sa.Column(name, sa.String(40), nullable=False) for name in ("family", "service", "label")),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("family", "service", "label", name="pk_scaling_counts"),
    )
