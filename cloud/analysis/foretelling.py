"""Foreteller: makes forecasts of stored series each hour, and joins what then came; the worker's side of forecasts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.accuracy import confidence
from cloud.analysis.conformal import MOST_MATURED, corrected, correction, shifts
from cloud.analysis.forecasting import Forecaster, Grid, QuantileFit, Quantiles, learn
from cloud.analysis.hourly import HOUR_US, Hours, read_hours
from cloud.analysis.series import bridged
from cloud.analysis.statistics import Floats
from cloud.domain.forecast import Forecast
from cloud.domain.times import to_datetime, to_us
from cloud.ports import Clock, ReadingStore, Series, SeriesKey
from cloud.records.database import Records
from cloud.records.forecasts import (
    add_forecasts,
    due_forecasts,
    forget_forecasts,
    mature,
    matured_forecasts,
    newest_forecasts,
)

_HISTORY_H = 365 * 24
_KEPT = timedelta(days=90)
_REFIT_US = 24 * HOUR_US
_MOST_BRIDGED_H = 3
_WAIT_FOR_ACTUAL = timedelta(hours=48)
_STEPS_A_DAY = 24
Excluded = Callable[[SeriesKey, NDArray[np.int64]], NDArray[np.bool_]]
"""Which hours, given by their beginnings in microseconds, (m,), belong to events that nothing is learned from."""


def nothing_excluded(_series: SeriesKey, start_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Learn from every hour."""
    return np.zeros(len(start_us), bool)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which series are foretold, by patterns (`*` stands for any text), and how many hours ahead."""

    horizons_h: tuple[int, ...]
    gateway: str = "*"
    device: str = "*"
    tag: str = "*"

    def fits(self, key: SeriesKey) -> bool:
        """Return whether the plan is about this series."""
        return key.fits(gateway=self.gateway, device=self.device, tag=self.tag)


@dataclass(frozen=True, slots=True)
class _Fitted:
    forecaster: Forecaster
    fitted_us: int


class Foreteller:
    """Fits each series once a day and horizon, foretells each hour; fit: who grows trees, given by wiring."""

    def __init__(
        self, records: Records, clock: Clock, fit: QuantileFit, *, excluded: Excluded = nothing_excluded
    ) -> None:
        self._records = records
        self._clock = clock
        self._fit = fit
        self._excluded = excluded
        self._fitted: dict[tuple[SeriesKey, int], _Fitted] = {}
        self._told_until: dict[tuple[SeriesKey, int], int] = {}

    def foretell_all(self, store: ReadingStore, plans: Sequence[Plan]) -> int:
        """Foretell every series that a plan fits, the first that does; return how many forecasts are new."""
        chosen = [(one, next((plan for plan in plans if plan.fits(one.key)), None)) for one in store.series()]
        return sum(self.foretell(store, one, plan.horizons_h) for one, plan in chosen if plan is not None)

    def foretell(self, store: ReadingStore, series: Series, horizons_h: Sequence[int]) -> int:
        """Keep a Forecast from the newest whole hour for each horizon that has none yet; return how many there were."""
        hours = read_hours(store, [series], now_us=self._clock.now_us(), hours=_HISTORY_H)
        if not hours.series or hours.values.shape[1] <= _STEPS_A_DAY:
            return 0
        found = [self._one(series.key, hours, horizon) for horizon in horizons_h]
        fresh = [one for one in found if one is not None]
        if fresh:
            with self._records.writing() as session:
                add_forecasts(session, fresh)
        return len(fresh)

    def join_actuals(self, store: ReadingStore) -> None:
        """Join actual values to forecasts whose hour is over, and drop forecasts of 90 days ago."""
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            due = due_forecasts(session, now=now)
        by_series: dict[SeriesKey, list[Forecast]] = {}
        for one in due:
            by_series.setdefault(one.series, []).append(one)
        joined = [pair for key, each in by_series.items() for pair in self._actuals(store, key, each, now)]
        with self._records.writing() as session:
            mature(session, joined, at=now)
            forget_forecasts(session, before=now - _KEPT)

    def _one(self, key: SeriesKey, hours: Hours, horizon: int) -> Forecast | None:
        if self._last_told_us(key, horizon) == hours.end_us:
            return None
        grid = _grid(hours)
        forecaster = self._forecaster(key, grid, hours, horizon)
        found = forecaster.foretell(grid, np.array([len(grid.values)]))
        if not np.isfinite(found.quantiles).all():
            return None  # the last hour is not known yet
        self._told_until[key, horizon] = hours.end_us
        return self._forecast(key, forecaster, found, hours.end_us)

    def _last_told_us(self, key: SeriesKey, horizon: int) -> int:
        if (key, horizon) not in self._told_until:
            with self._records.reading() as session:
                known = newest_forecasts(session, series=key)
            told = {one.horizon_minutes: to_us(one.issued_at) for one in known}
            self._told_until[key, horizon] = told.get(horizon * 60, -1)
        return self._told_until[key, horizon]

    def _forecaster(self, key: SeriesKey, grid: Grid, hours: Hours, horizon: int) -> Forecaster:
        known = self._fitted.get((key, horizon))
        if known is not None and known.forecaster.model is not None and hours.end_us - known.fitted_us < _REFIT_US:
            return known.forecaster
        starts = hours.start_us(0) + np.arange(len(grid.values)) * HOUR_US
        forecaster = learn(grid, horizon, self._fit, excluded=self._excluded(key, starts))
        self._fitted[key, horizon] = _Fitted(forecaster, hours.end_us)
        return forecaster

    def _forecast(self, key: SeriesKey, forecaster: Forecaster, found: Quantiles, issued_us: int) -> Forecast:
        minutes = forecaster.horizon * 60
        with self._records.reading() as session:
            past = matured_forecasts(session, key, horizon_minutes=minutes, limit=MOST_MATURED)
        alike = [one for one in past if one.method == forecaster.method]
        moves = shifts(*_columns(alike))[-1] if alike else np.zeros(found.quantiles.shape[1])
        shift = correction(moves, len(alike), forecaster.horizon)
        return Forecast(
            series=key,
            issued_at=to_datetime(issued_us),
            target_at=to_datetime(issued_us + forecaster.horizon * HOUR_US),
            horizon_minutes=minutes,
            quantiles=tuple(corrected(found, shift.shift)[0].tolist()),
            raw=tuple(found.quantiles[0].tolist()),
            scale=float(found.scale[0]),
            method=forecaster.method,
            model_version=self._version(key, forecaster),
            is_calibrated=shift.is_calibrated,
            features=forecaster.features,
            confidence=confidence(alike),
        )

    def _version(self, key: SeriesKey, forecaster: Forecaster) -> str:
        fitted = self._fitted[key, forecaster.horizon]
        return f"{forecaster.method}-{to_datetime(fitted.fitted_us):%Y%m%dT%HZ}"

    def _actuals(
        self, store: ReadingStore, key: SeriesKey, due: Sequence[Forecast], now: datetime
    ) -> Sequence[tuple[int, float | None]]:
        series = [one for one in store.series(source=key.source, device=key.device) if one.key == key]
        first = min(one.target_at for one in due)
        span_h = int((now - first) / timedelta(hours=1)) + 2
        hours = read_hours(store, series[-1:], now_us=self._clock.now_us(), hours=span_h)
        joined: list[tuple[int, float | None]] = []
        for one in due:
            value = _hour_before(hours, to_us(one.target_at))
            if one.id is not None and (value is not None or now - one.target_at > _WAIT_FOR_ACTUAL):
                joined.append((one.id, value))
        return joined


def _grid(hours: Hours) -> Grid:
    values = bridged(hours.values[0], most=_MOST_BRIDGED_H)
    return Grid(values, _STEPS_A_DAY, hours.start_us(0) // HOUR_US % _STEPS_A_DAY)


def _columns(past: Sequence[Forecast]) -> tuple[Quantiles, Floats]:
    quantiles = np.array([one.raw for one in past])
    scale = np.array([one.scale for one in past])
    return Quantiles(quantiles, scale), np.array([one.actual for one in past], np.float64)


def _hour_before(hours: Hours, end_us: int) -> float | None:
    """Return the mean of the hour that ends then."""
    size = hours.values.shape[1]
    position = size - 1 - (hours.end_us - end_us) // HOUR_US
    if not hours.series or not 0 <= position < size:
        return None
    value = float(hours.values[0, position])
    return value if np.isfinite(value) else None
