"""Recommending: rules over stored evidence, which propose what to do; never free text."""
