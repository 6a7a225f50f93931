"""DriftChecks: compares a series' newest readings with its training baseline or with a week before, and keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.drift import FALSE_ALARMS, LEAST_ROWS, documented, judge, stability_index, weigh
from cloud.analysis.statistics import Floats
from cloud.domain.drift import Baseline, BaselineKind, DriftCheck, Origin
from cloud.domain.times import to_datetime
from cloud.ports import Clock, ReadingStore, Series
from cloud.records.database import Records
from cloud.records.drift import add_check, find_baseline, forget_checks, last_scheduled, list_checks, set_baseline
from protocols.reading import SEVERITY_MASK, Kind, Quality

PERSISTENT = 3
"""So many scheduled checks in a row that find corrected drift make it a lasting one."""
_KEPT = timedelta(days=365)
_MINUTE_US = 60_000_000
_WEEK_US = 7 * 24 * 60 * _MINUTE_US
_REFERENCE_WINDOWS = 20
_MOST_ROWS = 200_000
_MOST_WEIGHED = 20_000
_NUMERIC = (Kind.FLOAT, Kind.INT, Kind.UINT)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the last window_minutes, the documented threshold, and how few readings are too few a side."""

    window_minutes: int = 60
    p_value_threshold: float = 0.05
    min_samples: int = 30


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Values of one series: newest (n,), documented baseline (m,), and the longer one of the corrected test, (l,)."""

    recent: Floats
    baseline: Floats
    reference: Floats
    kind: BaselineKind


class DriftChecks:
    """Checks on request and on schedule; false_alarms: the share of corrected checks that may cry without drift."""

    def __init__(self, records: Records, clock: Clock, *, false_alarms: float = FALSE_ALARMS) -> None:
        self._records = records
        self._clock = clock
        self._false_alarms = false_alarms

    def check(self, store: ReadingStore, series: Series, question: Question) -> DriftCheck:
        """Return one check of one series, kept; too few readings are no drift, and its notes say so."""
        return self._checked(store, [series], question, Origin.REQUEST)[0]

    def check_device(self, store: ReadingStore, series: Sequence[Series], question: Question) -> Sequence[DriftCheck]:
        """Return scheduled checks of all channels of one Device, judged together, kept."""
        numeric = [one for one in series if one.kind in _NUMERIC]
        return self._checked(store, numeric, question, Origin.SCHEDULE) if numeric else []

    def check_all(self, store: ReadingStore, question: Question, *, every: timedelta) -> int:
        """Check every Device whose last check on schedule is that long ago, and forget those of a year ago."""
        devices: dict[tuple[str, str], list[Series]] = {}
        for one in store.series():
            if one.kind in _NUMERIC:
                devices.setdefault((one.key.source, one.key.device), []).append(one)
        due = [each for each in devices.values() if self._is_due(each, every)]
        for each in due:
            self.check_device(store, each, question)
        if due:
            with self._records.writing() as session:
                forget_checks(session, before=to_datetime(self._clock.now_us()) - _KEPT)
        return len(due)

    def history(self, series: Series | None = None, *, limit: int = 100) -> Sequence[DriftCheck]:
        """Return the newest checks first."""
        with self._records.reading() as session:
            return list_checks(session, series=None if series is None else series.key, limit=limit)

    def keep_baseline(self, series: Series, time_us: NDArray[np.int64], values: Floats, *, model: str = "") -> None:
        """Keep the raw values, in order of time, that a Model of this series was trained on."""
        at = to_datetime(self._clock.now_us())
        baseline = Baseline(series.key, values, int(time_us[0]), int(time_us[-1]), at, model)
        with self._records.writing() as session:
            set_baseline(session, baseline)

    def _checked(
        self, store: ReadingStore, series: Sequence[Series], question: Question, origin: Origin
    ) -> Sequence[DriftCheck]:
        rows = [self._rows(store, one, question) for one in series]
        checks = [self._documented(one, found, question, origin) for one, found in zip(series, rows, strict=True)]
        places = [at for at, check in enumerate(checks) if check.documented is not None and _may_weigh(rows[at])]
        evidence = [weigh(rows[at].reference[-_MOST_WEIGHED:], rows[at].recent[-_MOST_WEIGHED:]) for at in places]
        for at, verdict in zip(places, judge(evidence, false_alarms=self._false_alarms), strict=True):
            checks[at] = replace(checks[at], corrected=verdict)
        noted = [replace(check, notes=_notes(check, found)) for check, found in zip(checks, rows, strict=True)]
        return self._kept(noted)

    def _is_due(self, series: Sequence[Series], every: timedelta) -> bool:
        with self._records.reading() as session:
            last = last_scheduled(session, series[0].key)
        # A little early is as good: chores are not exact.
        return last is None or to_datetime(self._clock.now_us()) - last.at >= every * 0.9

    def _rows(self, store: ReadingStore, series: Series, question: Question) -> _Rows:
        now_us, window_us = self._clock.now_us(), question.window_minutes * _MINUTE_US
        recent = _values(store, series, now_us - window_us, now_us + 1)
        with self._records.reading() as session:
            trained = find_baseline(session, series.key)
        if trained is not None:
            return _Rows(recent, trained.values, trained.values, BaselineKind.TRAINING)
        end_us = now_us - _WEEK_US
        baseline = _values(store, series, end_us - window_us, end_us)
        reference = _values(store, series, end_us - _REFERENCE_WINDOWS * window_us, end_us)
        return _Rows(recent, baseline, reference, BaselineKind.WEEK_BEFORE)

    def _documented(self, series: Series, rows: _Rows, question: Question, origin: Origin) -> DriftCheck:
        check = DriftCheck(
            at=to_datetime(self._clock.now_us()),
            series=series.key,
            origin=origin,
            baseline=rows.kind,
            window_minutes=question.window_minutes,
            p_value_threshold=question.p_value_threshold,
            recent_count=len(rows.recent),
            baseline_count=len(rows.baseline),
            notes="",
        )
        if min(len(rows.recent), len(rows.baseline)) < max(1, question.min_samples):
            return check
        verdict = documented(rows.baseline, rows.recent, threshold=question.p_value_threshold)
        return replace(check, documented=verdict, psi=stability_index(rows.baseline, rows.recent))

    def _kept(self, checks: Sequence[DriftCheck]) -> Sequence[DriftCheck]:
        with self._records.writing() as session:
            kept = []
            for check in checks:
                before = last_scheduled(session, check.series) if check.origin is Origin.SCHEDULE else None
                counted = replace(check, in_a_row=_in_a_row(check, before))
                kept.append(replace(counted, id=add_check(session, counted)))
            return kept


def _in_a_row(check: DriftCheck, before: DriftCheck | None) -> int:
    earlier = 0 if before is None else before.in_a_row
    if check.corrected is None:
        return earlier if check.origin is Origin.SCHEDULE else 0  # silence neither confirms nor clears
    return earlier + 1 if check.corrected.is_drift else 0


def _may_weigh(rows: _Rows) -> bool:
    return min(len(rows.recent), len(rows.reference)) >= LEAST_ROWS


def _notes(check: DriftCheck, rows: _Rows) -> str:
    if check.documented is None:
        counts = f"{check.recent_count} recent and {check.baseline_count} baseline readings"
        return f"too few readings to compare: {counts}"
    against = "the training baseline" if rows.kind is BaselineKind.TRAINING else "the same window 7 days earlier"
    notes = f"raw values against {against}"
    if check.corrected is None:
        return f"{notes}; too few readings for the corrected test"
    share = check.corrected.effective_recent / max(1, check.recent_count)
    notes = f"{notes}; a reading is worth {share:.2g} independent ones"
    if check.documented.is_drift and not check.corrected.is_drift:
        return f"{notes}: what the plain test finds is within what this series does by itself"
    return notes


def _values(store: ReadingStore, series: Series, start_us: int, end_us: int) -> Floats:
    """Return the finite values that are not bad, in order of time, the first 200,000 of the range, (n,)."""
    if series.kind not in _NUMERIC:
        return np.zeros(0)
    points = store.points(series, start_us=max(0, start_us), end_us=end_us, limit=_MOST_ROWS)
    values = points.value.astype(np.float64)
    usable = np.isfinite(values) & ((points.quality & SEVERITY_MASK) != Quality.BAD)
    return np.asarray(values[usable], np.float64)
