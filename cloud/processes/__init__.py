"""The processes that `serve` keeps alive; each is a module that `python -m` runs, and imports only what it needs."""
