"""Load series, planned events, scaling decisions."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Drop them."""
