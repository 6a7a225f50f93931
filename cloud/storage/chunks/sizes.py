"""Sizes: how much is merged at a time, and how large what comes of it is."""

from dataclasses import dataclass

from cloud.storage.spans import CELL_US, HOUR_US


@dataclass(frozen=True, slots=True)
class Sizes:
    """Smaller steps stall less and cost more; the defaults keep a step within some ten milliseconds.

    step_readings, step_parts: so much of a level waits before it is merged; piece: most readings in one piece;
    small_pieces: so many pieces less than half full may wait in the newest window of a series; per_cell, per_hour:
    with fewer readings in ten minutes, or an hour, reading them all costs less than a rollup of them takes room.
    """

    step_readings: int = 49_152
    step_parts: int = 64
    piece: int = 16_384
    small_pieces: int = 8
    per_cell: int = 60
    per_hour: int = 30

    @property
    def full_piece(self) -> int:
        """Return from how many readings on a piece is not merged any more unless it overlaps another."""
        return self.piece // 2

    @property
    def run(self) -> int:
        """Return how many readings of one series are rewritten in one step."""
        return 8 * self.piece

    def rollup_step_us(self, count: int, span_us: int) -> int:
        """Return how wide the cells of a rollup of so many readings should be; 0: none is worth its room."""
        if count * CELL_US >= self.per_cell * max(span_us, CELL_US):
            return CELL_US
        return HOUR_US if count * HOUR_US >= self.per_hour * max(span_us, HOUR_US) else 0
