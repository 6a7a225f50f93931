"""Failures: how likely a Device fails within a horizon, from its stored readings, its limits and operators' labels."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from cloud.analysis.condition import condition
from cloud.analysis.failure_history import Life, expose, limit_distances
from cloud.analysis.first_passage import DAY_H, fit_wiener, passage_probability
from cloud.analysis.hazard import LEAST_FAILURES, Hazard, fit_hazard
from cloud.analysis.hourly import HOUR_US, Hours, read_hours
from cloud.analysis.remaining_life import life_of_chance, life_of_walk
from cloud.analysis.statistics import Floats
from cloud.domain.alarm import Severity
from cloud.domain.alarm_rule import AlarmRule, RuleKind
from cloud.domain.device import Device
from cloud.domain.device_facts import ChannelLimits
from cloud.domain.failure import FailureEstimate, Method
from cloud.domain.label import Label, Verdict
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.ports import Clock, ReadingStore
from cloud.records.alarm_rules import list_rules
from cloud.records.database import Records
from cloud.records.device_facts import list_limits
from cloud.records.hazards import HazardRow, find_hazard, put_hazard
from cloud.records.labels import list_labels

DEFAULT_HORIZON_H = 168.0
_HISTORY_H = 14 * DAY_H
_LEARNED_H = 365 * DAY_H
_SHOWN = DAY_H
_FEW_DAYS = 3
_AGE_OF_MODEL = timedelta(days=1)
Limits = Mapping[str, tuple[float | None, float | None]]
"""By Tag: low and high."""


class Failures:
    """Estimates on request, and fits the hazard of every class of Devices that has failures enough; any thread."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def estimate(
        self, store: ReadingStore, device: Device, *, horizon_hours: float = DEFAULT_HORIZON_H
    ) -> FailureEstimate:
        """Return the estimate; raise NotFound where there are under 24 h of data, or neither limits nor a model."""
        series = store.series(source=device.source, device=device.device_id)
        hours = read_hours(store, series, now_us=self._clock.now_us(), hours=_HISTORY_H)
        known = int(np.isfinite(hours.values).any(axis=0).sum())
        if known < DAY_H:
            message = f"device {device.shown_id} has {known} h of recent data, {DAY_H} are needed"
            raise NotFound(message, code="NO_RECENT_DATA", details={"hours": known, "hours_needed": DAY_H})
        with self._records.reading() as session:
            told = list_limits(session, source=device.source, device=device.device_id)
            limits = critical_limits(list_rules(session), device, told)
            row = find_hazard(session, device.type) if device.type else None
            labels = list_labels(session, source=device.source, device=device.device_id) if row is not None else []
        if row is not None:
            return _by_hazard(hours, limits, labels, row, horizon_hours)
        return _by_first_passage(hours, limits, device, horizon_hours)

    def fit_classes(self, store: ReadingStore, devices: Sequence[Device]) -> int:
        """Fit each class that has twenty labelled failures, once a day; return how many were fitted."""
        classes: dict[str, list[Device]] = {}
        for device in devices:
            if device.type:
                classes.setdefault(device.type, []).append(device)
        return sum(self._fit_class(store, name, members) for name, members in classes.items())

    def _fit_class(self, store: ReadingStore, name: str, members: Sequence[Device]) -> bool:
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            row = find_hazard(session, name)
            rules, told = list_rules(session), list_limits(session)
            labels = {one.id: list_labels(session, source=one.source, device=one.device_id) for one in members}
        faults = sum(label.verdict is Verdict.TRUE_FAULT for each in labels.values() for label in each)
        if faults < LEAST_FAILURES or (row is not None and now - row.fitted_at < _AGE_OF_MODEL):
            return False
        lives = [self._life(store, one, critical_limits(rules, one, told), labels[one.id]) for one in members]
        exposure = expose((one for one in lives if one is not None), horizon_h=round(DEFAULT_HORIZON_H))
        if int(exposure.failed.sum()) < LEAST_FAILURES:
            return False  # the readings of too many failures are gone
        fitted = fit_hazard(exposure, horizon_h=DEFAULT_HORIZON_H)
        with self._records.writing() as session:
            put_hazard(
                session,
                HazardRow(
                    device_type=name,
                    fitted_at=now,
                    failures=fitted.failures,
                    brier=fitted.brier,
                    brier_of_base_rate=fitted.brier_of_base_rate,
                    model=fitted.hazard.facts(),
                ),
            )
        return True

    def _life(self, store: ReadingStore, device: Device, limits: Limits, labels: Sequence[Label]) -> Life | None:
        series = store.series(source=device.source, device=device.device_id)
        hours = read_hours(store, series, now_us=self._clock.now_us(), hours=_LEARNED_H)
        if hours.values.size == 0:
            return None
        return Life(hours.values, _distances(hours, limits), _failure_spans(hours, labels))


def critical_limits(rules: Sequence[AlarmRule], device: Device, told: Sequence[ChannelLimits] = ()) -> Limits:
    """Return the limits of a Device's Tags: the critical ones that were told of it.

    For other Tags those of its critical rules, of any rule where a Tag has no critical one.
    """
    whose = (device.source, device.device_id)
    own = [rule for rule in rules if (rule.source, rule.device) == whose]
    limits: dict[str, tuple[float | None, float | None]] = {}
    for is_critical in (False, True):
        for rule in own:
            if rule.kind is RuleKind.LIMIT and rule.is_enabled and (rule.severity is Severity.CRITICAL) is is_critical:
                limits[rule.tag] = (rule.low, rule.high)
    return limits | {one.tag: (one.low_crit, one.high_crit) for one in told if (one.source, one.device) == whose}


def _by_first_passage(hours: Hours, limits: Limits, device: Device, horizon_h: float) -> FailureEstimate:
    walks = list(_walks(hours, limits))
    if not walks:
        message = f"device {device.shown_id} has no limit that a reading could reach, and its class no failure model"
        raise NotFound(message, code="NO_LIMITS", details={"device_id": device.shown_id})
    judged = [(tag, distance, fit_wiener(distance)) for tag, distance in walks]
    chances = [passage_probability(process, _newest(distance), horizon_h) for _, distance, process in judged]
    worst = max(range(len(judged)), key=lambda index: float(chances[index][-1]))
    tag, distance, process = judged[worst]
    life = life_of_walk(process, float(_newest(distance)[-1]))
    days = hours.values.shape[1] // DAY_H
    return FailureEstimate(
        method=Method.FIRST_PASSAGE,
        is_calibrated=False,
        horizon_hours=horizon_h,
        chances=tuple(np.max(chances, axis=0).tolist()),
        first_hour_us=hours.end_us - _SHOWN * HOUR_US,
        earliest_life_h=life.earliest_h,
        expected_life_h=life.expected_h,
        latest_life_h=life.latest_h,
        channel=tag,
        notes=""
        if days >= _FEW_DAYS
        else f"only {hours.values.shape[1]} h of data: how far it wanders is hardly known",
    )


def _by_hazard(
    hours: Hours, limits: Limits, labels: Sequence[Label], row: HazardRow, horizon_h: float
) -> FailureEstimate:
    hazard = Hazard.of_facts(row.model)
    began = _failure_spans(hours, labels)[:, 0]
    rows = condition(hours.values, _distances(hours, limits), began)[-_SHOWN:]
    chances = hazard.within(rows, horizon_h)
    life = life_of_chance(float(chances[-1]), horizon_h)
    return FailureEstimate(
        method=Method.HAZARD,
        is_calibrated=True,
        horizon_hours=horizon_h,
        chances=tuple(chances.tolist()),
        first_hour_us=hours.end_us - _SHOWN * HOUR_US,
        earliest_life_h=life.earliest_h,
        expected_life_h=life.expected_h,
        latest_life_h=life.latest_h,
        brier=row.brier,
        failures_learned=row.failures,
    )


def _walks(hours: Hours, limits: Limits) -> Sequence[tuple[str, Floats]]:
    """Return for each limit of each Tag that was read: the Tag, and hourly distances, (m,)."""
    found: list[tuple[str, Floats]] = []
    for series, values in zip(hours.series, hours.values, strict=True):
        low, high = limits.get(series.key.tag, (None, None))
        if np.isfinite(values).sum() >= DAY_H:
            found += [(series.key.tag, distance) for distance in _both(values, low, high)]
    return found


def _both(values: Floats, low: float | None, high: float | None) -> Sequence[Floats]:
    below = [] if low is None else [values - low]
    above = [] if high is None else [high - values]
    return [*below, *above]


def _newest(distance: Floats) -> Floats:
    """Return the distances of the last 24 hours, (24,); an hour without a reading stands as the one before it."""
    known = np.isfinite(distance)
    before = np.maximum.accumulate(np.where(known, np.arange(len(distance)), 0))
    filled = distance[before]
    return np.asarray(np.where(np.isfinite(filled), filled, distance[known][0])[-_SHOWN:], np.float64)


def _distances(hours: Hours, limits: Limits) -> Floats:
    return limit_distances(hours.values, [limits.get(one.key.tag, (None, None)) for one in hours.series])


def _failure_spans(hours: Hours, labels: Sequence[Label]) -> Floats:
    """Return the hours at which labelled failures began and ended, as positions, (f, 2), in order."""
    start_us = hours.start_us(0)
    faults = [one for one in labels if one.verdict is Verdict.TRUE_FAULT and one.to_us > start_us]
    spans = [((one.from_us - start_us) / HOUR_US, (one.to_us - start_us) / HOUR_US) for one in faults]
    return np.array(sorted(spans), np.float64).reshape(-1, 2)
