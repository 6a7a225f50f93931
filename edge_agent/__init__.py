"""Reads sensors, keeps what they said, and delivers it."""
