"""HealthTurns: says when Devices are judged: each minute, and soon after a gateway went or came back."""

from collections.abc import Callable

from cloud.domain.device_status import Presence
from cloud.ports import Clock

_EVERY_US = 60_000_000
_SETTLED_US = 6_000_000
"""A gateway that is started anew is back by then: nobody need hear of it."""


class HealthTurns:
    """One thread asks it again and again; look: judges all Devices; presence: tells which gateways are there."""

    def __init__(self, look: Callable[[], None], presence: Callable[[], Presence], clock: Clock) -> None:
        self._look = look
        self._presence = presence
        self._clock = clock
        self._looked_us: int | None = None
        self._judged_by = self._told = Presence()
        self._told_us = 0

    def take(self) -> None:
        """Judge if it is time to; raise what `look` and `presence` do, and then it is still time to."""
        now_us, told = self._clock.now_us(), self._presence()
        if told != self._told:
            self._told, self._told_us = told, now_us
        is_time = self._looked_us is None or not 0 <= now_us - self._looked_us < _EVERY_US
        has_changed = told != self._judged_by and now_us - self._told_us >= _SETTLED_US
        if is_time or has_changed:
            self._look()
            self._looked_us, self._judged_by = now_us, told
