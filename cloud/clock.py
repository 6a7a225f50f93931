"""SystemClock: the machine's own time, behind the Clock port."""

import time


class SystemClock:
    """The wall clock and the monotonic clock of this machine."""

    def now_us(self) -> int:
        """Return microseconds since the epoch, UTC."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()
