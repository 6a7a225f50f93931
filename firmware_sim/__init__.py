"""A plant that lies on purpose, with the truth written down."""
