"""Checks a replayed recording row by row: each row served must come back from the API with all its channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deploy.fetch import Stored
from firmware_sim.recording import read_recording

Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """How many different rows were served, and how many of them are stored whole and exactly as recorded."""

    served: int
    stored: int

    @property
    def missing(self) -> int:
        """Return how many rows are not stored, or not whole, or not as they are in the recording."""
        return self.served - self.stored

    @property
    def is_complete(self) -> bool:
        """Return whether there were rows and each one arrived."""
        return self.served > 0 and self.missing == 0


def recorded(path: Path) -> Sequence[Row]:
    """Return each row of the recording as its float32 values, channel by channel, labels left out."""
    return [tuple(float(np.float32(value)) for value in row) for row in read_recording(path).rows]


def check_rows(served: Sequence[int], recording: Sequence[Row], counter: Stored, channels: Sequence[Stored]) -> Rows:
    """Return how many of the rows served came back with exactly the recording's values.

    served: row numbers, the first is 1; counter: the series of row numbers; channels: in the recording's order. The
    readings of one request share their time, by which they are put together again.
    """
    by_time = [dict(zip(channel.at, channel.values, strict=True)) for channel in channels]
    whole = {
        number
        for at, number in zip(counter.at, counter.values, strict=True)
        if isinstance(number, int) and _is_whole(number, recording, [values.get(at) for values in by_time])
    }
    return Rows(len(set(served)), len(set(served) & whole))


def _is_whole(number: int, recording: Sequence[Row], values: Sequence[object]) -> bool:
    return 1 <= number <= len(recording) and list(recording[number - 1]) == list(values)
