"""Judges the rows of a Device on the spot: int8 models, rules beside them, episodes."""
