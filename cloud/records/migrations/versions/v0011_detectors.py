"""Detectors as people set them up; models for anomalies that are there already become detectors."""

import json
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from cloud.records.base import UtcDateTime

revision = "0011"
down_revision = "0010"
_USUAL_RATE = 0.01


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "detectors",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("algorithm", sa.String(100), nullable=False),
        sa.Column("contamination_rate", sa.Float(), nullable=False),
        sa.Column("hyperparameters", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(2000), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("fitted_version", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_detectors"),
        sa.UniqueConstraint("model", name="uq_detectors_model"),
    )
    _take_over()


def downgrade() -> None:
    """Drop it."""
    op.drop_table("detectors")


def _take_over() -> None:
    connection = op.get_bind()
    newest = (
        "select m.name, m.created_at, v.version, v.algorithm from models m join model_versions v on v.model_id = m.id "
        "where m.task = 'anomaly' and v.version = (select max(o.version) from model_versions o where o.model_id = m.id)"
    )
    for name, created_at, version, algorithm in connection.execute(sa.text(newest)).all():
        connection.execute(
            sa.text(
                "insert into detectors (id, model, name, algorithm, contamination_rate, hyperparameters, description, "
                "created_at, updated_at, fitted_version, revision) values (:id, :model, :model, :algorithm, :rate, "
                ":settings, '', :at, :at, :version, 1)"
            ),
            {
                "id": uuid4().hex,
                "model": name,
                "algorithm": algorithm,
                "rate": _USUAL_RATE,
                "settings": json.dumps({}),
                "at": created_at,
                "version": version,
            },
        )
