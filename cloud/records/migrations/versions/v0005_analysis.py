"""Drift checks, forecasts and what came of them."""

import sqlalchemy as sa
from alembic import op

from cloud.records.base import UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    _create_drift_checks()
    _create_drift_baselines()
    _create_forecasts()
    op.create_table(
        "hazard_models",
        sa.Column("device_type", sa.String(200), nullable=False),
        sa.Column("fitted_at", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("brier", sa.Float(), nullable=False),
        sa.Column("brier_of_base_rate", sa.Float(), nullable=False),
        sa.Column("model", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("device_type", name="pk_hazard_models"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("hazard_models", "forecasts", "drift_baselines", "drift_checks"):
        op.drop_table(table)


def _key() -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, sa.String(64), nullable=False) for name in ("source", "device", "tag"))


def _create_drift_checks() -> None:
    measured = ("corrected_p_value", "location_p", "spread_p", "shape_p", "autocorrelation", "effective_recent")
    op.create_table(
        "drift_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        *_key(),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("baseline", sa.String(16), nullable=False),
        sa.Column("window_minutes", sa.Integer(), nullable=False),
        sa.Column("p_value_threshold", sa.Float(), nullable=False),
        sa.Column("recent_count", sa.Integer(), nullable=False),
        sa.Column("baseline_count", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(1000), nullable=False),
        sa.Column("ks_drift", sa.Boolean()),
        sa.Column("ks_statistic", sa.Float()),
        sa.Column("ks_p_value", sa.Float()),
        sa.Column("psi", sa.Float()),
        sa.Column("corrected_drift", sa.Boolean()),
        *(sa.Column(name, sa.Float()) for name in measured),
        sa.Column("effective_baseline", sa.Float()),
        sa.Column("channels", sa.Integer()),
        sa.Column("in_a_row", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_drift_checks"),
    )
    op.create_index("ix_drift_checks_at", "drift_checks", ["at"])
    op.create_index("ix_drift_checks_device", "drift_checks", ["device"])


def _create_drift_baselines() -> None:
    op.create_table(
        "drift_baselines",
        sa.Column("id", sa.Integer(), nullable=False),
        *_key(),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("values", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_drift_baselines"),
        sa.UniqueConstraint("source", "device", "tag", name="uq_drift_baselines_source_device_tag"),
    )


def _create_forecasts() -> None:
    op.create_table(
        "forecasts",
        sa.Column("id", sa.Integer(), nullable=False),
        *_key(),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("target_at", UtcDateTime(), nullable=False),
        sa.Column("horizon_minutes", sa.Integer(), nullable=False),
        sa.Column("quantiles", sa.JSON(), nullable=False),
        sa.Column("raw", sa.JSON(), nullable=False),
        sa.Column("scale", sa.Float(), nullable=False),
        sa.Column("method", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("is_calibrated", sa.Boolean(), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("confidence", sa.Float()),
        sa.Column("actual", sa.Float()),
        sa.Column("matured_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_forecasts"),
    )
    same = ["source", "device", "tag", "horizon_minutes", "target_at"]
    op.create_index("ix_forecasts_source_device_tag_horizon_minutes_target_at", "forecasts", same)
    op.create_index("ix_forecasts_matured_at", "forecasts", ["matured_at"])
