"""Where readings lie: the port of `cloud/ports.py` in memory (the model) and as chunks in SQLite."""
