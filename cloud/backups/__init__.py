"""Backups: a consistent copy of an installation while it runs, and its way back."""
