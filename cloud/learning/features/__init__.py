"""Columns made of other columns before anything is learned: products with a meaning, windows of a machine's past."""
