"""The REST API: parse, call, return."""
