"""Takeovers: tells when the broker gave this gateway's name to others so often that a clone of it must be alive."""

from collections import deque
from collections.abc import Callable

from edge_agent.delivery.conversation import Record

WINDOW_S = 600.0
MOST = 3
"""In the window; so many a gateway may see that is moved to another machine while the old one still runs down."""


class Takeovers:
    """Records `identity_cloned`, at most once a window. now_s: seconds of the monotonic clock."""

    def __init__(self, now_s: Callable[[], float], record: Record) -> None:
        self._now_s = now_s
        self._record = record
        self._at_s: deque[float] = deque(maxlen=MOST + 1)
        self._told_s = -WINDOW_S

    def note(self) -> None:
        """Note that the connection went to another client of our name."""
        now_s = self._now_s()
        self._at_s.append(now_s)
        is_many = len(self._at_s) > MOST and now_s - self._at_s[0] <= WINDOW_S
        if is_many and now_s - self._told_s >= WINDOW_S:
            self._told_s = now_s
            self._record("identity_cloned", {"takeovers": len(self._at_s)})
