"""HandClock: a Clock that a test moves by hand."""

START_US = 1_750_000_000_000_000


class HandClock:
    """Stands still until somebody moves it; both clocks go together."""

    def __init__(self, now_us: int = START_US) -> None:
        self._now_us = now_us
        self._monotonic_s = 1000.0

    def now_us(self) -> int:
        """Return microseconds since the epoch."""
        return self._now_us

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return self._monotonic_s

    def move(self, seconds: float) -> None:
        """Let this much time pass."""
        self._now_us += round(seconds * 1e6)
        self._monotonic_s += seconds
