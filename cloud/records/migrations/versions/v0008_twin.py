"""Health scores, limits of channels, facts about devices, and recommendations."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Drop them."""
