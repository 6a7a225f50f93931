"""UsualWork: how efficient each Device is, looked at again every hour, some Devices a round."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.health.efficiency import efficiency, learn_bands, regimes
from cloud.analysis.health.sight import Case
from cloud.analysis.statistics import Floats
from cloud.domain.times import to_us
from cloud.ports import Clock, ReadingStore, Series

_CELL_US = 600_000_000
_DAY_US = 86_400_000_000
_LEARNED_DAYS = 14
_EVERY_S = 3600.0
_ROUND_S = 5.0


@dataclass(frozen=True, slots=True)
class _Seen:
    at_s: float
    efficiency: float | None


class UsualWork:
    """Remembers what it found for an hour. One thread."""

    def __init__(self, store: ReadingStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seen: dict[tuple[str, str], _Seen] = {}

    def keep_up(self, cases: Sequence[Case]) -> None:
        """Look at Devices that were not looked at for an hour, for five seconds at most; raise Unavailable."""
        now_s = self._clock.monotonic_s()
        due = [one for one in cases if one.whose not in self._seen or now_s - self._seen[one.whose].at_s >= _EVERY_S]
        for case in sorted(due, key=lambda one: self._seen[one.whose].at_s if one.whose in self._seen else -1.0):
            if self._clock.monotonic_s() - now_s >= _ROUND_S:
                return
            self._seen[case.whose] = _Seen(now_s, self._look_at(case))

    def is_known(self, case: Case) -> bool:
        """Return whether the Device was looked at since this process began."""
        return case.whose in self._seen

    def of(self, case: Case) -> float | None:
        """Return its efficiency 0..1, None where it is not known."""
        seen = self._seen.get(case.whose)
        return None if seen is None else seen.efficiency

    def _look_at(self, case: Case) -> float | None:
        primary, told = case.primary, case.facts.running
        if primary is None:
            return None
        now_us = self._clock.now_us()
        reset_us = 0 if case.facts.baseline_reset_at is None else to_us(case.facts.baseline_reset_at)
        start_us = max(now_us - (_LEARNED_DAYS + 1) * _DAY_US, reset_us) // _CELL_US * _CELL_US
        cells = int((now_us - start_us) // _CELL_US) + 1
        values = self._cells(primary, start_us, cells)
        regime = np.where(np.isfinite(values), 0, -1)
        if told is not None:
            tag = next((one for one in case.numeric if one.key.tag == told.tag), None)
            if tag is None:
                return None
            regime = regimes(self._cells(tag, start_us, cells), told.above, told.steps)
        last = _DAY_US // _CELL_US
        return _of_last(values, regime, last)

    def _cells(self, series: Series, start_us: int, cells: int) -> Floats:
        """Return the means of ten minutes each from start_us on, (cells,), NaN where there is nothing."""
        end_us = start_us + cells * _CELL_US
        found = np.full(cells, np.nan)
        buckets = self._store.buckets(series, start_us=start_us, end_us=end_us, count=cells)
        counted = buckets.count > 0
        at = (buckets.start_us[counted] - start_us) // _CELL_US
        found[at] = buckets.total[counted] / buckets.count[counted]
        return found


def _of_last(values: Floats, regime: NDArray[np.int64], last: int) -> float | None:
    if len(values) <= last:
        return None
    return efficiency(values[-last:], regime[-last:], learn_bands(values[:-last], regime[:-last]))
