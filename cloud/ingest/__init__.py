"""Everything that comes in: one door, settled in one transaction, acknowledged only then."""
