"""Silence: when a connection that stands has said nothing for so long that it is better to make a new one; pure.

MQTT has no word for a PUBACK that got lost while its connection lived, as behind a middlebox that bends or drops
bytes: the place it takes in the window of client or broker is never given back, and with enough of them nothing moves
any more although pings are answered (I7). A new connection has new windows.
"""

from collections.abc import Callable

from edge_agent.delivery.outbox import LONGEST_S, PATIENCE_S

_JITTER = 0.2
_MOST_DOUBLINGS = 8


class Silence:
    """Times are seconds of the monotonic clock; random: 0 <= x < 1; shortest_s: how long to listen at first.

    That doubles with each connection that stays silent, up to 300 s: the store may be away for long, and that is no
    reason to dial without an end.
    """

    def __init__(self, *, random: Callable[[], float], shortest_s: float = LONGEST_S) -> None:
        self._random = random
        self._shortest_s = shortest_s
        self._silent = 0
        self._ends_s: float | None = None

    def connected(self) -> None:
        """Begin to listen on a new connection."""
        if self._ends_s is not None:
            self._silent = min(self._silent + 1, _MOST_DOUBLINGS)
        self._ends_s = None

    def heard(self) -> None:
        """Note a sign of life."""
        self._silent = 0
        self._ends_s = None

    def ends_s(self, now_s: float, *, awaits: bool) -> float | None:
        """Return when the connection is to be given up, None while nothing is awaited; call it with every turn."""
        if not awaits:
            self._ends_s = None
        elif self._ends_s is None:
            patience_s = min(PATIENCE_S, self._shortest_s * float(1 << self._silent))
            self._ends_s = now_s + patience_s * (1 + _JITTER * (2 * self._random() - 1))
        return self._ends_s
