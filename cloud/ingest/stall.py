"""Stall: when a connection that brought messages has brought none for so long that a new one is better; pure.

MQTT has no word for a PUBACK that got lost while its connection lived: the place it takes in the broker's window is
never given back, and with enough of them nothing is brought any more although pings are answered.
"""

LONGEST_S = 60.0
FEWEST = 10
"""No broker's usual window is full by fewer, so that one who says little is not hung up on each time."""


class Stall:
    """Times are seconds of the monotonic clock; longest_s: how long a connection may say nothing.

    One that never brought anything may stay as it is, and so may one that waits for acknowledgements of ours.
    """

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._brought = self._answered = 0
        self._heard_s = 0.0

    def connected(self) -> None:
        """Begin anew, with a window that is empty."""
        self._brought = self._answered = 0

    def heard(self, now_s: float) -> None:
        """Note a message that wants to be acknowledged."""
        self._brought += 1
        self._heard_s = now_s

    def answered(self) -> None:
        """Note that a message was acknowledged; from one thread at a time."""
        self._answered += 1

    def is_likely(self, now_s: float) -> bool:
        """Return whether to give the connection up."""
        is_quiet = now_s - self._heard_s > self._longest_s
        return is_quiet and self._brought >= FEWEST and self._answered >= self._brought
