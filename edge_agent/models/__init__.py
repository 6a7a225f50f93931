"""Brings models to the gateway: wanted, fetched, verified, tried, shadowed, swapped, rolled back."""
