"""Sections of the configuration file, one file a subject; `config.py` puts them together."""
