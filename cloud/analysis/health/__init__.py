"""Health: how well each Device is, out of its stored readings, its limits, its models and its drift."""
