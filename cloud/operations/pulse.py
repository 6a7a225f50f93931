"""Pulse: says again and again that a process lives, and tells how many do."""

import os
import socket
from datetime import timedelta

from cloud.domain.times import to_datetime
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.heartbeats import beat, count_alive, forget_silent

WORKER = "worker"
EVERY_S = 10.0
_ALIVE = timedelta(seconds=35)
_FORGOTTEN = timedelta(days=1)


class Pulse:
    """Beats for this process, as one of a kind; raises Unavailable where the records are away."""

    def __init__(self, records: Records, clock: Clock, kind: str = WORKER) -> None:
        self._records = records
        self._clock = clock
        self._kind = kind
        self._process = f"{kind}@{socket.gethostname()[:60]}:{os.getpid()}"

    def beat(self) -> None:
        """Say that this process lives."""
        at = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            beat(session, self._process, self._kind, at)
            forget_silent(session, before=at - _FORGOTTEN)

    def alive(self) -> int:
        """Return how many processes of the kind live."""
        with self._records.reading() as session:
            return count_alive(session, self._kind, since=to_datetime(self._clock.now_us()) - _ALIVE)
