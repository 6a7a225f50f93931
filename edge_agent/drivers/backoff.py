"""How long to leave alone what does not answer: doubling to a cap, with jitter. Pure but for the jitter given."""

from collections.abc import Callable

Jitter = Callable[[], float]
"""Returns a number from 0 to below 1, as random.random does."""
SPREAD = 0.2


class Backoff:
    """The waits between probes of one thing: first_s, doubled each time up to most_s, each 20 % more or less."""

    def __init__(self, first_s: float, most_s: float, jitter: Jitter) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._jitter = jitter
        self._next_s = first_s

    def next_s(self) -> float:
        """Return how many seconds to wait now, never more than the cap; the next wait is twice as long."""
        wait_s = self._next_s
        self._next_s = min(2 * wait_s, self._most_s)
        return min(wait_s * (1 - SPREAD + 2 * SPREAD * self._jitter()), self._most_s)

    def reset(self) -> None:
        """Begin again with the first wait, because something answered."""
        self._next_s = self._first_s
