"""LoadForeteller: foretells the load of each service, joins what came, learns what events did, tells of what is odd.

The worker's side of load forecasts. What is kept is the base, its correction, and the multiplier of the events that
were known; whoever shows a forecast reckons with the events that are known then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from cloud.analysis.accuracy import confidence
from cloud.analysis.conformal import MOST_MATURED, corrected, correction, shifts
from cloud.analysis.event_effects import EventEffects, measured_effect
from cloud.analysis.forecasting import QuantileFit, Quantiles
from cloud.analysis.load_quantiles import LoadForecaster, in_order, learn
from cloud.analysis.load_series import LoadGrid, grid_of, without_events
from cloud.domain.forecast import LEVELS, Forecast
from cloud.domain.load import HORIZON_MINUTES, MINUTE_US, Service
from cloud.domain.planned_event import PlannedEvent
from cloud.domain.scaling import Count
from cloud.domain.times import to_datetime, to_us
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.forecasts import (
    add_forecasts,
    due_forecasts,
    forget_forecasts,
    mature,
    matured_forecasts,
    newest_forecasts,
)
from cloud.records.load import KEPT, forget_load, load_minutes
from cloud.records.planned_events import keep_measured, unmeasured_events
from cloud.records.scaling import count_up

EVERY_MINUTES = {15: 5, 60: 15, 1440: 60}
"""How often each horizon is foretold."""
GENERATED, LATENCY = "predictions_generated", "prediction_latency"
BUCKETS_S = (0.005, 0.05, 0.1, 0.5, 1.0, 5.0)
_HORIZON_WORDS = {15: "short", 60: "medium", 1440: "long"}
_HISTORY_MINUTES = 35 * 1440
_REFIT_MINUTES = 1440
_WAIT_FOR_ACTUAL = timedelta(hours=1)
_SETTLED = timedelta(minutes=10)
"""After that the forecasts of an event's last minutes have their actual values."""
_MOST_OF_AN_EVENT = 10_000


@dataclass(frozen=True, slots=True)
class _Fitted:
    forecaster: LoadForecaster
    minute: int


class LoadForeteller:
    """Fits each service and horizon once a day; fit: who grows trees, given by wiring."""

    def __init__(self, records: Records, clock: Clock, fit: QuantileFit) -> None:
        self._records = records
        self._clock = clock
        self._fit = fit
        self._fitted: dict[tuple[Service, int], _Fitted] = {}
        self._told: dict[tuple[Service, int], int] = {}

    def look(self) -> None:
        """Do what is due: join, foretell, learn from events, forget."""
        minute = self._clock.now_us() // MINUTE_US
        self._join(minute)
        for service in Service:
            due = [one for one in HORIZON_MINUTES if self._is_due(service, one, minute)]
            if due:
                self.foretell(service, due)
        self._measure_events()
        with self._records.writing() as session:
            forget_load(session, before=minute - KEPT // timedelta(minutes=1))
            forget_forecasts(session, before=to_datetime(self._clock.now_us()) - KEPT)

    def foretell(self, service: Service, horizons: Sequence[int]) -> Sequence[Forecast]:
        """Keep and return a Forecast for each horizon, in minutes, that something can be said of."""
        now = self._clock.now_us() // MINUTE_US
        with self._records.reading() as session:
            minutes = load_minutes(session, service, since=now - _HISTORY_MINUTES, until=now)
            grid = grid_of(minutes, until=now)
            effect = EventEffects(session).over(service, grid.start, len(grid.per_s))
        if not len(grid.per_s):
            return ()
        found: list[Forecast] = []
        counts: list[Count] = []
        for horizon in horizons:
            begun_s = self._clock.monotonic_s()
            one = self._one(service, grid, effect, horizon)
            self._told[service, horizon] = now
            if one is not None:
                found.append(one)
                counts += _counted(service, horizon, self._clock.monotonic_s() - begun_s)
        with self._records.writing() as session:
            add_forecasts(session, found)
            count_up(session, counts)
        return found

    def _is_due(self, service: Service, horizon: int, minute: int) -> bool:
        if (service, horizon) not in self._told:
            with self._records.reading() as session:
                known = newest_forecasts(session, series=service.series)
            told = {one.horizon_minutes: to_us(one.issued_at) // MINUTE_US for one in known}
            self._told[service, horizon] = told.get(horizon, -1)
        # A clock that was put back must not silence it.
        return not 0 <= minute - self._told[service, horizon] < EVERY_MINUTES[horizon]

    def _one(self, service: Service, grid: LoadGrid, effect: np.ndarray, horizon: int) -> Forecast | None:
        base, marked = without_events(grid.per_s, effect)
        known = self._fitted.get((service, horizon))
        if known is None or known.forecaster.model is None or grid.end - known.minute >= _REFIT_MINUTES:
            forecaster = learn(base, grid.online, horizon, self._fit, start=grid.start, marked=marked)
            known = self._fitted[service, horizon] = _Fitted(forecaster, grid.end)
        found = known.forecaster.foretell(base, grid.online, start=grid.start)
        return self._forecast(service, known, found, grid.end) if np.isfinite(found.quantiles).all() else None

    def _forecast(self, service: Service, fitted: _Fitted, found: Quantiles, end: int) -> Forecast:
        horizon, method = fitted.forecaster.horizon, fitted.forecaster.method
        target_at = to_datetime((end + horizon) * MINUTE_US)
        with self._records.reading() as session:
            past = matured_forecasts(session, service.series, horizon_minutes=horizon, limit=MOST_MATURED)
            effect = EventEffects(session).before(service, target_at)
        alike = [one for one in past if one.method == method]
        moves = shifts(*_columns(alike))[-1] if alike else np.zeros(len(LEVELS))
        shift = correction(moves, len(alike), horizon // EVERY_MINUTES[horizon])
        base = in_order(corrected(found, shift.shift)[0])
        return Forecast(
            series=service.series,
            issued_at=to_datetime(end * MINUTE_US),
            target_at=target_at,
            horizon_minutes=horizon,
            quantiles=tuple((base * effect.multiplier).tolist()),
            raw=tuple(found.quantiles[0].tolist()),
            scale=float(found.scale[0]),
            method=method,
            model_version=f"{method}-{to_datetime(fitted.minute * MINUTE_US):%Y%m%dT%H%MZ}",
            is_calibrated=shift.is_calibrated,
            features=fitted.forecaster.features,
            confidence=confidence(past),
            multiplier=effect.multiplier,
        )

    def _join(self, minute: int) -> None:
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            due = due_forecasts(session, now=to_datetime((minute - 1) * MINUTE_US), of_services=True)
            joined = [pair for service in Service for pair in _actuals(session, service, due, now)]
        if joined:
            with self._records.writing() as session:
                mature(session, joined, at=now)

    def _measure_events(self) -> None:
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            over = unmeasured_events(session, ended_before=now - _SETTLED)
            effects = EventEffects(session)
            found = {one.id: _measured(session, one, effects.share(one)) for one in over}
        if found:
            with self._records.writing() as session:
                for identity, measured in found.items():
                    keep_measured(session, identity, measured)


def _columns(past: Sequence[Forecast]) -> tuple[Quantiles, np.ndarray]:
    multiplier = np.array([one.multiplier for one in past])
    raw = np.array([one.raw for one in past]) * multiplier[:, None]
    scale = np.array([one.scale for one in past]) * multiplier
    return Quantiles(raw, scale), np.array([one.actual for one in past], np.float64)


def _actuals(
    session: Session, service: Service, due: Sequence[Forecast], now: datetime
) -> Sequence[tuple[int, float | None]]:
    mine = [one for one in due if one.series == service.series and one.id is not None]
    if not mine:
        return ()
    minutes = [to_us(one.target_at) // MINUTE_US - 1 for one in mine]
    seen = load_minutes(session, service, since=min(minutes), until=max(minutes) + 1)
    came = {one.minute: one.per_s for one in seen}
    paired = zip(mine, minutes, strict=True)
    return [
        (one.id or 0, came.get(minute))
        for one, minute in paired
        if minute in came or now - one.target_at > _WAIT_FOR_ACTUAL
    ]


def _measured(session: Session, event: PlannedEvent, share: float) -> dict[str, float]:
    """Return by service what an event did: the median of actual load by base forecast."""
    found: dict[str, float] = {}
    for service in Service:
        past = matured_forecasts(
            session, service.series, horizon_minutes=15, limit=_MOST_OF_AN_EVENT, until=event.end_at
        )
        during = [one for one in past if event.start_at < one.target_at <= event.end_at]
        middle = LEVELS.index(0.5)
        ratios = [one.actual / one.raw[middle] for one in during if one.actual is not None and one.raw[middle] > 0]
        multiplier = measured_effect(ratios, share)
        if multiplier is not None:
            found[service.value] = multiplier
    return found


def _counted(service: Service, horizon: int, seconds: float) -> list[Count]:
    buckets = [Count(LATENCY, "", f"{bound:g}", 1.0) for bound in BUCKETS_S if seconds <= bound]
    told = Count(GENERATED, service.value, _HORIZON_WORDS[horizon], 1.0)
    return [told, *buckets, Count(LATENCY, "", "sum", seconds), Count(LATENCY, "", "count", 1.0)]
