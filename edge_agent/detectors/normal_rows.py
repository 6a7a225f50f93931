"""NormalRows: the newest rows of a Device on which nothing was out of order, to learn from."""

import numpy as np
from numpy.typing import NDArray

MOST_MISSING = 0.1
"""The share of rows that a channel may lack; beyond it a model does without the channel."""


class NormalRows:
    """A ring of rows (n, channels), NaN where a channel was missing; most: how many are kept."""

    def __init__(self, n_channels: int, most: int) -> None:
        self.most = most
        self._rows = np.empty((min(most, 256), n_channels))
        self._time_us = np.empty(len(self._rows), np.int64)
        self._first = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, at_us: int, values: NDArray[np.float64]) -> None:
        """Keep one row, in place of the oldest where the ring is full."""
        if self._count == len(self._rows):
            self._make_room()
        place = (self._first + self._count) % len(self._rows)
        self._rows[place] = values
        self._time_us[place] = at_us
        self._count += 1

    def clear(self) -> None:
        """Forget them all."""
        self._first = self._count = 0

    def drop_since(self, at_us: int) -> None:
        """Forget the newest rows back to this time: they were not normal after all."""
        while self._count and self._time_us[(self._first + self._count - 1) % len(self._rows)] >= at_us:
            self._count -= 1

    def complete(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the channels that are seldom missing, and the rows (n, these channels) that lack none of them."""
        rows = self._rows[(self._first + np.arange(self._count)) % len(self._rows)]
        is_missing = np.isnan(rows)
        channels = np.flatnonzero(is_missing.mean(axis=0) <= MOST_MISSING) if self._count else np.arange(0)
        return channels, rows[~is_missing[:, channels].any(axis=1)][:, channels]

    def _make_room(self) -> None:
        if len(self._rows) == self.most:
            self._first = (self._first + 1) % self.most
            self._count -= 1
            return
        size = min(2 * len(self._rows), self.most)
        rows, time_us = np.empty((size, self._rows.shape[1])), np.empty(size, np.int64)
        rows[: self._count], time_us[: self._count] = self._rows, self._time_us  # a ring that grows never wrapped
        self._rows, self._time_us = rows, time_us
