"""ApiLoad: what one api process has to do, counted in memory and written down every few seconds.

Its lag is that of its event loop: for so long a request waits before anybody looks at it.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from cloud.domain.load import MINUTE_US, LoadBin, Service
from cloud.errors import CloudError
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.load import add_load

_log = logging.getLogger(__name__)
_EVERY_S = 10.0
_LOOK_S = 1.0
_LONGEST_S = 30.0
LAGGING_S = 0.05
"""A loop that comes to its next piece of work later than that has more than it can do."""
INFERENCE = ("/detection/predict", "/detection/explain", "/predict/{model_id}", "/ml/predict", "/ml/detect_anomaly")
"""The routes, without their prefix, that run models; they have the api processes' time."""
Call = Callable[[Callable[[], None]], object]
"""Hands a function to the event loop from another thread."""


@dataclass(slots=True)
class _Sum:
    messages: int = 0
    lagging_s: float = 0.0
    done_while_lagging: int = 0
    lag_s: float = 0.0
    since_look: int = 0


@dataclass(slots=True)
class _Sums:
    of: dict[Service, _Sum] = field(default_factory=lambda: {Service.API: _Sum(), Service.INFERENCE: _Sum()})


class ApiLoad:
    """Counts; any thread. instance: the name of this process."""

    def __init__(self, records: Records, clock: Clock, *, instance: str) -> None:
        self._records = records
        self._clock = clock
        self._instance = instance
        self._lock = Lock()
        self._sums = _Sums()
        self._written_s = clock.monotonic_s()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def count(self, handler: str) -> None:
        """Count one request; handler: the route's template."""
        with self._lock:
            self._add(Service.API)
            if handler.endswith(INFERENCE):
                self._add(Service.INFERENCE)

    def lagged(self, lag_s: float, seconds: float) -> None:
        """Take note of how late the loop was, `seconds` after the last such note."""
        with self._lock:
            for one in self._sums.of.values():
                one.lag_s = max(one.lag_s, lag_s)
                if lag_s >= LAGGING_S and one.since_look:
                    one.lagging_s += seconds
                    one.done_while_lagging += one.since_look
                one.since_look = 0

    def write(self) -> None:
        """Add what was counted to the current minute; raise Unavailable where it cannot be kept."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            sums, seconds = self._sums, now_s - self._written_s
            self._sums, self._written_s = _Sums(), now_s
        minute = self._clock.now_us() // MINUTE_US
        bins = [self._bin(service, one, minute, min(seconds, 60.0)) for service, one in sums.of.items()]
        with self._records.writing(is_change=False) as session:
            add_load(session, bins)

    def start(self, call: Call) -> None:
        """Begin to look at the loop and to write, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, args=(call,), name="load", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; always safe to call."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=_LONGEST_S)

    def _run(self, call: Call) -> None:
        due_s, looked_s = self._clock.monotonic_s() + _EVERY_S, self._clock.monotonic_s()
        while not self._stopping.wait(_LOOK_S):
            begun_s = self._clock.monotonic_s()
            heard = threading.Event()
            try:
                call(heard.set)
            except RuntimeError:  # the loop is closed: this process ends
                return
            heard.wait(_LONGEST_S)
            now_s = self._clock.monotonic_s()
            self.lagged(now_s - begun_s, now_s - looked_s)
            looked_s = now_s
            if now_s >= due_s:
                due_s = now_s + _EVERY_S
                self._write_or_say()

    def _write_or_say(self) -> None:
        try:
            self.write()
        except CloudError as error:
            _log.warning("the load of this process was not written down: %s", error)

    def _add(self, service: Service) -> None:
        one = self._sums.of[service]
        one.messages += 1
        one.since_look += 1

    def _bin(self, service: Service, one: _Sum, minute: int, seconds: float) -> LoadBin:
        return LoadBin(
            service,
            minute,
            self._instance,
            messages=one.messages,
            seconds=seconds,
            lagging_s=min(one.lagging_s, seconds),
            done_while_lagging=one.done_while_lagging,
            lag_s=one.lag_s,
        )
