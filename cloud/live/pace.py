"""Pace: how many messages a client may send: so many at once, so many a second after that; a token bucket."""

from cloud.ports import Clock

AT_ONCE = 40
A_SECOND = 20.0


class Pace:
    """The messages of one client."""

    def __init__(self, clock: Clock, *, at_once: int = AT_ONCE, a_second: float = A_SECOND) -> None:
        self._clock = clock
        self._most = float(at_once)
        self._left = float(at_once)
        self._a_second = a_second
        self._seen_s = clock.monotonic_s()

    def allows_one(self) -> bool:
        """Return whether one more is within the bound, and count it."""
        now_s = self._clock.monotonic_s()
        self._left = min(self._most, self._left + (now_s - self._seen_s) * self._a_second)
        self._seen_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
