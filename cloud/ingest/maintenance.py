"""Maintenance: what the writer does between two groups, in steps short enough that no gateway notices."""

import logging

from cloud.domain.retention import RetentionPolicy
from cloud.errors import Unavailable
from cloud.ingest.figures import Figures
from cloud.ingest.intake import Intake
from cloud.ingest.keeping import Keeping
from cloud.ingest.ledger import Ledger
from cloud.ports import Clock, ReadingStore

KEPT_CONTENT_US = 30 * 24 * 3600 * 1_000_000
"""So long the ledger knows the content behind a key; see `Ledger`."""
KEEP_ALL = RetentionPolicy()
_STEP_S = 0.01
_PRUNE_EVERY_S = 3600.0
_log = logging.getLogger(__name__)


class Maintenance:
    """Merging and retention in the store, old keys in the ledger, batches whose tag table came."""

    def __init__(
        self,
        store: ReadingStore,
        ledger: Ledger,
        intake: Intake,
        *,
        clock: Clock,
        figures: Figures,
        policy: RetentionPolicy = KEEP_ALL,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._intake = intake
        self._clock = clock
        self._figures = figures
        self._keeping = Keeping(store, policy, clock)
        self._prune_at_s = 0.0
        self._is_failing = False

    def step(self) -> bool:
        """Work for some 10 ms; return whether there is more to do. A store without room only makes it wait."""
        started_s = self._clock.monotonic_s()
        try:
            has_more = self._intake.decode_waiting()
            has_more |= self._keeping.step(deadline_s=_STEP_S)
            has_more |= self._store.maintain(deadline_s=_STEP_S)
            has_more |= self._prune(started_s)
        except Unavailable as error:
            if not self._is_failing:
                _log.warning("maintenance waits: %s", error)
            self._is_failing = True
            return False
        self._is_failing = False
        took_s = self._clock.monotonic_s() - started_s
        self._figures.highest("lineside_ingest_longest_maintenance_seconds", took_s)
        return has_more

    def _prune(self, now_s: float) -> bool:
        if now_s < self._prune_at_s:
            return False
        has_more = self._ledger.prune(before_us=self._clock.now_us() - KEPT_CONTENT_US)
        if not has_more:
            self._prune_at_s = now_s + _PRUNE_EVERY_S
        return has_more
