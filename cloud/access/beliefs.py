"""Beliefs: what was found out about credentials holds for a second without asking the records again.

When the second is over, all that were shown lately are confirmed together by one who asks, so that the cost is one
look at the records a second and not one for each caller. A change by another process is seen at the next look.
"""

from collections.abc import Callable, Mapping
from sys import getsizeof
from threading import Lock
from typing import Generic, TypeVar

from cloud.ports import Clock

_BELIEVED_S = 1.0
_REMEMBERED_S = 10.0
"""Who shows nothing for so long is no longer confirmed with the others."""
_MOST = 10_000
Known = TypeVar("Known")


class Beliefs(Generic[Known]):
    """What is known of each credential that was shown lately; safe to use from several threads.

    confirm: asks the records about all of these at once and returns those that still hold, as they are now.
    """

    def __init__(self, clock: Clock, confirm: Callable[[Mapping[str, Known]], Mapping[str, Known]]) -> None:
        self._clock = clock
        self._confirm = confirm
        self._lock = Lock()
        self._kept: dict[str, Known] = {}
        self._shown_s: dict[str, float] = {}
        self._ends_s = 0.0

    def held(self, text: str) -> Known | None:
        """Return what is known of a credential if it was found out just now; never waits."""
        now_s = self._clock.monotonic_s()
        known = self._kept.get(text) if now_s < self._ends_s else None
        if known is not None:
            self._shown_s[text] = now_s
        return known

    def learn(self, text: str, find: Callable[[], Known]) -> Known:
        """Return what is known of a credential, asking the records where it is not believed; raise what `find` raises.

        What fails is not remembered.
        """
        with self._lock:
            now_s = self._clock.monotonic_s()
            if now_s >= self._ends_s:
                self._look_again(now_s)
            known = self._kept.get(text)
            if known is None:
                known = find()
                if len(self._kept) >= _MOST:
                    self._kept, self._shown_s = {}, {}
                self._kept[text] = known
            self._shown_s[text] = now_s
            return known

    def forget(self) -> None:
        """Look everybody up anew: something changed in this process."""
        with self._lock:
            self._kept, self._shown_s = {}, {}

    def footprint(self) -> int:
        """Return about how many bytes they take, without what names and scopes share."""
        kept, shown = self._kept.copy(), self._shown_s.copy()
        parts = sum(getsizeof(text) + getsizeof(known) for text, known in kept.items())
        return getsizeof(kept) + getsizeof(shown) + parts + sum(map(getsizeof, shown.values()))

    def _look_again(self, now_s: float) -> None:
        shown = {text: at_s for text, at_s in self._shown_s.copy().items() if now_s - at_s < _REMEMBERED_S}
        lately = {text: known for text, known in self._kept.items() if text in shown}
        self._kept = dict(self._confirm(lately)) if lately else {}
        self._shown_s = {text: shown[text] for text in self._kept}
        self._ends_s = now_s + _BELIEVED_S
