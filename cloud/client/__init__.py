"""The Python client of the API: sync and async; needs httpx and nothing of the server."""
