"""The fault matrix: real processes, seeded faults, and a ledger that says what became of every value."""
