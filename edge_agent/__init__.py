"""Reads sensors, keeps what they said, and delivers it."""

VERSION = "0.1.0"
