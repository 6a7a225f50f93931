"""The chunk store: level-0 batches, sorted segments, one blob per series and window, all in one SQLite file."""
