"""Benches of what was learned: quality on recordings and simulations, size, speed."""
