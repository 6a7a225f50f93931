"""Keeping: brings the retention policy to every series, those that were there at the start and those that come."""

from cloud.domain.retention import RetentionPolicy
from cloud.ports import Clock, ReadingStore, Series

_LOOK_EVERY_S = 60.0


class Keeping:
    """Part of maintenance; one thread. A restart tells every series again, since the policy may be another."""

    def __init__(self, store: ReadingStore, policy: RetentionPolicy, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._told: set[int] = set()
        self._waiting: list[Series] = []
        self._look_at_s = clock.monotonic_s()

    def step(self, *, deadline_s: float) -> bool:
        """Tell series for about so long; return whether more are waiting; raise Unavailable."""
        now_s = self._clock.monotonic_s()
        if not self._waiting and now_s >= self._look_at_s:
            self._look_at_s = now_s + _LOOK_EVERY_S
            self._waiting = [series for series in self._store.series() if series.id not in self._told]
        while self._waiting and self._clock.monotonic_s() < now_s + deadline_s:
            series = self._waiting[-1]
            self._store.set_retention(series, days=self._policy.days(series.key))
            self._told.add(series.id)
            self._waiting.pop()
        return bool(self._waiting)
