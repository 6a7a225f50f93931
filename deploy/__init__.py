"""Runs all of it on one machine, and holds what a plant needs to run it for real."""
