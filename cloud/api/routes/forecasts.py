"""GET /predictions/current, /predictions/history, /metrics/accuracy: forecasts, what came, and how good they were."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from cloud.analysis.accuracy import Accuracy, error_percentage
from cloud.analysis.forecasts import Term, term_of
from cloud.api.deps import Predictor, ServicesDep
from cloud.api.document import answers
from cloud.api.event_answers import Moment
from cloud.api.limits import limited
from cloud.api.resource import Resource
from cloud.domain.forecast import LEVELS, Forecast
from cloud.domain.identity import new_id
from cloud.domain.load import SOURCE, is_service
from cloud.domain.load import Service as LoadService
from cloud.domain.times import to_datetime, to_us
from cloud.errors import Invalid
from cloud.ports import SeriesKey
from cloud.services import Services, Views

router = Resource(tags=["forecasts"])
_WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_SERVICE = "ingest, inference, jobs or api, in messages a second; or a series, written `device/tag`; all by default."
Window = Literal["1h", "24h", "7d", "30d"]
Service = Annotated[str | None, Query(max_length=400, description=_SERVICE)]
_QUANTILES = {"prediction_p1": 10.8, "prediction_p10": 11.6, "prediction_p90": 13.1, "prediction_p99": 13.9}
_CURRENT = {
    "predictions": [
        {
            "service_name": "ingest",
            "horizon_minutes": 60,
            "horizon_type": "medium",
            "prediction_p50": 12.4,
            **_QUANTILES,
            "confidence_score": 0.87,
            "calibrated": True,
            "timestamp": "2026-01-15T11:00:00Z",
            "issued_at": "2026-01-15T10:00:00Z",
            "features_used": ["lag_2", "lag_day"],
            "model_version": "quantile_boosting-20260115T00Z",
        }
    ],
    "generated_at": "2026-01-15T10:30:00Z",
}
_HISTORY = {
    "predictions": [
        {
            "id": "0197a3c2-7b1e-7000-8000-000000000007",
            "service_name": "ingest",
            "horizon_minutes": 60,
            "predicted_value": 12.4,
            **_QUANTILES,
            "actual_value": 12.1,
            "error_percentage": 2.48,
            "timestamp": "2026-01-15T11:00:00Z",
        }
    ],
    "total_count": 1,
    "accuracy_metrics": {"mape": 2.48, "rmse": 0.3},
}
_FIGURES = {"count": 24, "mae": 0.2, "rmse": 0.3, "mape": 2.1, "wape": 2.0, "r2": 0.8, "coverage_p90": 0.9}
_ACCURACY = {
    "accuracy": {"short_term": None, "medium_term": _FIGURES, "long_term": None},
    "by_horizon": {"60": _FIGURES},
    "window": "24h",
    "sample_count": 24,
}


class CurrentForecast(BaseModel):
    """What is expected at `timestamp`; quantiles never fall. `calibrated`: enough forecasts have matured."""

    service_name: str
    horizon_minutes: int
    horizon_type: Term
    prediction_p50: float
    prediction_p90: float
    prediction_p99: float
    prediction_p10: float
    prediction_p1: float
    confidence_score: float | None
    calibrated: bool
    timestamp: datetime
    issued_at: datetime
    features_used: list[str]
    model_version: str


class CurrentForecasts(BaseModel):
    """The newest forecast of each series and horizon."""

    predictions: list[CurrentForecast]
    generated_at: datetime


class PastForecast(BaseModel):
    """One forecast, its median and its quantiles; `actual_value` is null until its hour has passed."""

    id: UUID
    service_name: str
    horizon_minutes: int
    predicted_value: float
    prediction_p1: float
    prediction_p10: float
    prediction_p90: float
    prediction_p99: float
    actual_value: float | None
    error_percentage: float | None
    timestamp: datetime


class ShortFigures(BaseModel):
    """Errors of those shown; null where nothing has matured."""

    mape: float | None
    rmse: float | None


class PastForecasts(BaseModel):
    """The newest first; `total_count` counts all that fit."""

    predictions: list[PastForecast]
    total_count: int
    accuracy_metrics: ShortFigures


class Figures(BaseModel):
    """mape and wape in percent; r2 is null where the actual values do not vary."""

    count: int
    mae: float | None
    rmse: float | None
    mape: float | None
    wape: float | None
    r2: float | None
    coverage_p90: float | None


class TermFigures(BaseModel):
    """By the words for horizons: the nearest horizon that was foretold counts."""

    short_term: Figures | None
    medium_term: Figures | None
    long_term: Figures | None


class AccuracyAnswer(BaseModel):
    """How good forecasts were that matured within the window, by horizon in minutes."""

    accuracy: TermFigures
    by_horizon: dict[int, Figures]
    window: Window
    sample_count: int


@router.get(
    "/predictions/current",
    summary="Show current forecasts",
    dependencies=[limited("100/minute")],
    responses=answers(_CURRENT, 401, 403, 404, 422, 503),
)
async def current_forecasts(
    _caller: Predictor, services: ServicesDep, service: Service = None, horizon: Term | None = None
) -> CurrentForecasts:
    """Quantiles of each service and series at each horizon: short to an hour, medium to a day, long from a day on.

    Those of services reckon with the planned events that are known now.
    """

    def read(views: Views) -> CurrentForecasts:
        found = services.forecasts.current(series=_series(services, views, service), term=horizon)
        names = services.registry.names(views.store.devices)
        at = to_datetime(services.clock.now_us())
        return CurrentForecasts(predictions=[_current(one, names) for one in found], generated_at=at)

    return await services.threads.run(read)


@router.get(
    "/predictions/history",
    summary="List past forecasts",
    dependencies=[limited("100/minute")],
    responses=answers(_HISTORY, 401, 403, 404, 422, 503),
)
async def past_forecasts(
    _caller: Predictor,
    services: ServicesDep,
    service: Service = None,
    start_time: Moment | None = None,
    end_time: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> PastForecasts:
    """Forecasts and what then came, the newest first."""
    if start_time is not None and end_time is not None and end_time <= start_time:
        raise Invalid("end_time: must be after start_time", code="INVALID_RANGE", details={"field": "end_time"})

    def read(views: Views) -> PastForecasts:
        told = services.forecasts.told(
            series=_series(services, views, service), since=start_time, until=end_time, limit=limit
        )
        names = services.registry.names(views.store.devices)
        figures = ShortFigures(mape=told.accuracy.mape, rmse=told.accuracy.rmse)
        return PastForecasts(
            predictions=[_past(one, names) for one in told.forecasts], total_count=told.total, accuracy_metrics=figures
        )

    return await services.threads.run(read)


@router.get(
    "/metrics/accuracy",
    summary="Show forecasts' accuracy",
    dependencies=[limited("100/minute")],
    responses=answers(_ACCURACY, 401, 403, 404, 422, 503),
)
async def forecast_accuracy(
    _caller: Predictor, services: ServicesDep, window: Window = "24h", service: Service = None
) -> AccuracyAnswer:
    """Errors and coverage of what matured within the window, by horizon."""

    def read(views: Views) -> AccuracyAnswer:
        found = services.forecasts.accuracy(_WINDOWS[window], series=_series(services, views, service))
        by_horizon = {minutes: _figures(one) for minutes, one in found.items() if one.count}
        return AccuracyAnswer(
            accuracy=TermFigures(**{f"{term}_term": _of_term(by_horizon, term) for term in Term}),
            by_horizon=by_horizon,
            window=window,
            sample_count=sum(one.count for one in by_horizon.values()),
        )

    return await services.threads.run(read)


def _series(services: Services, views: Views, service: str | None) -> SeriesKey | None:
    if service is None:
        return None
    if is_service(service):
        return LoadService(service).series
    shown, _, tag = service.rpartition("/")
    device = services.registry.find(shown or tag, views.store.devices)
    return SeriesKey(device.source, device.device_id, tag)


def _name(one: Forecast, names: Mapping[tuple[str, str], str]) -> str:
    if one.series.source == SOURCE:
        return one.series.device
    return f"{names.get((one.series.source, one.series.device), one.series.device)}/{one.series.tag}"


def _quantiles(one: Forecast) -> dict[str, float]:
    return {f"prediction_p{round(100 * level)}": one.quantiles[LEVELS.index(level)] for level in (0.01, 0.1, 0.9, 0.99)}


def _current(one: Forecast, names: Mapping[tuple[str, str], str]) -> CurrentForecast:
    return CurrentForecast(
        service_name=_name(one, names),
        horizon_minutes=one.horizon_minutes,
        horizon_type=term_of(one.horizon_minutes),
        prediction_p50=one.median,
        **_quantiles(one),
        confidence_score=one.confidence,
        calibrated=one.is_calibrated,
        timestamp=one.target_at,
        issued_at=one.issued_at,
        features_used=list(one.features),
        model_version=one.model_version,
    )


def _past(one: Forecast, names: Mapping[tuple[str, str], str]) -> PastForecast:
    return PastForecast(
        id=UUID(new_id(to_us(one.issued_at), f"{one.id or 0:019x}")),
        service_name=_name(one, names),
        horizon_minutes=one.horizon_minutes,
        predicted_value=one.median,
        **_quantiles(one),
        actual_value=one.actual,
        error_percentage=error_percentage(one),
        timestamp=one.target_at,
    )


def _figures(found: Accuracy) -> Figures:
    p90 = None if found.coverage is None else found.coverage[0.9]
    errors = {"mae": found.mae, "rmse": found.rmse, "mape": found.mape, "wape": found.wape, "r2": found.r2}
    return Figures(count=found.count, coverage_p90=p90, **errors)


def _of_term(by_horizon: dict[int, Figures], term: Term) -> Figures | None:
    fitting = [minutes for minutes in by_horizon if term_of(minutes) is term]
    return by_horizon[min(fitting)] if fitting else None
