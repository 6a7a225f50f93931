"""POST /ml/check_drift: whether the newest readings of a sensor differ from earlier ones; two verdicts."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from cloud.analysis.drift_checks import PERSISTENT, Question
from cloud.api.deps import DriftChecker, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.resource import Resource
from cloud.api.scalars import WHOLE, Number
from cloud.domain.drift import BaselineKind, Corrected, DriftCheck, Origin
from cloud.errors import NotFound
from cloud.operations.history import PRIMARY, choose_series
from cloud.ports import Series
from cloud.services import Services, Views

router = Resource(prefix="/ml", tags=["drift"])
_CHECK = {
    "drift_detected": True,
    "p_value": 0.0021,
    "ks_statistic": 0.083,
    "recent_count": 3600,
    "baseline_count": 3600,
    "notes": "raw values against the same window 7 days earlier; a reading is worth 0.026 independent ones: what the "
    "plain test finds is within what this series does by itself",
    "psi": 0.06,
    "baseline": "week_before",
    "corrected": {
        "drift_detected": False,
        "p_value": 0.41,
        "location_p": 0.29,
        "spread_p": 0.55,
        "shape_p": 0.48,
        "autocorrelation": 0.95,
        "effective_recent": 92.3,
        "effective_baseline": 1846.2,
        "channels": 1,
    },
}
_KEPT = _CHECK | {
    "id": 7,
    "at": "2026-01-15T10:30:00Z",
    "device": "pump-1",
    "source": "gw-1",
    "tag": "flow",
    "origin": "schedule",
    "window_minutes": 60,
    "in_a_row": 0,
    "is_lasting": False,
}


class CheckDrift(BaseModel):
    """What to compare: the last `window_minutes` of a sensor, which is a Device; `metric` names one of its Tags."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"sensor_id": "sensor_001", "window_minutes": 60, "p_value_threshold": 0.05, "min_samples": 30}
        },
    )

    sensor_id: Annotated[str, Field(min_length=1, max_length=200)]
    metric: Annotated[str, Field(min_length=1, max_length=200)] = PRIMARY
    window_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60), WHOLE] = 60
    p_value_threshold: Annotated[Number, Field(gt=0, lt=1)] = 0.05
    min_samples: Annotated[int, Field(ge=2, le=100_000), WHOLE] = 30


class CorrectedAnswer(BaseModel):
    """The verdict that bears autocorrelation, and how it came about."""

    drift_detected: bool
    p_value: float
    location_p: float
    spread_p: float
    shape_p: float
    autocorrelation: float
    effective_recent: float
    effective_baseline: float
    channels: int


class DriftAnswer(BaseModel):
    """`drift_detected`, `p_value`, `ks_statistic`: the plain two-sample Kolmogorov-Smirnov test on raw values."""

    drift_detected: bool
    p_value: float
    ks_statistic: float
    recent_count: int
    baseline_count: int
    notes: str
    psi: float | None = None
    baseline: BaselineKind = BaselineKind.WEEK_BEFORE
    corrected: CorrectedAnswer | None = None


class KeptDrift(DriftAnswer):
    """A check that was made, of which series and why; lasting: corrected drift in three scheduled checks in a row."""

    id: int
    at: datetime
    source: str
    device: str
    tag: str
    origin: Origin
    window_minutes: int
    in_a_row: int
    is_lasting: bool


@router.post(
    "/check_drift",
    summary="Check a sensor for drift",
    dependencies=[limited("10/minute")],
    responses=answers(_CHECK, 401, 403, 422, 429, 503),
)
async def check_drift(body: CheckDrift, _caller: DriftChecker, services: ServicesDep) -> DriftAnswer:
    """Compare the newest readings with the training baseline, or with those of 7 days earlier.

    An unknown sensor and too few readings are no drift; `notes` say so. Trust `corrected` on any series with a memory.
    """
    question = Question(body.window_minutes, body.p_value_threshold, body.min_samples)

    def check(views: Views) -> DriftAnswer:
        try:
            series = _series(services, views, body.sensor_id, body.metric)
        except NotFound as error:
            return _nothing(str(error))
        return DriftAnswer.model_validate(_facts(services.drift.check(views.store, series, question)))

    return await services.threads.run(check)


@router.get("/drift_checks", summary="List drift checks", responses=answers([_KEPT], 401, 403, 404, 422, 503))
async def list_drift_checks(
    _caller: DriftChecker,
    services: ServicesDep,
    sensor_id: Annotated[str | None, Query(max_length=200)] = None,
    metric: Annotated[str, Query(max_length=200)] = PRIMARY,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[KeptDrift]:
    """All checks, of one sensor or of all, the newest first: those on schedule and those on request."""

    def read(views: Views) -> list[KeptDrift]:
        series = None if sensor_id is None else _series(services, views, sensor_id, metric)
        return [_kept(check) for check in services.drift.history(series, limit=limit)]

    return await services.threads.run(read)


def _series(services: Services, views: Views, sensor_id: str, metric: str) -> Series:
    device = services.registry.find(sensor_id, views.store.devices)
    found = views.store.series(source=device.source, device=device.device_id)
    return choose_series(found, device_id=sensor_id, metric=metric)


def _nothing(why: str) -> DriftAnswer:
    return DriftAnswer(drift_detected=False, p_value=1.0, ks_statistic=0.0, recent_count=0, baseline_count=0, notes=why)


def _facts(check: DriftCheck) -> dict[str, object]:
    documented, corrected = check.documented, check.corrected
    return {
        "drift_detected": documented is not None and documented.is_drift,
        "p_value": 1.0 if documented is None else documented.p_value,
        "ks_statistic": 0.0 if documented is None else documented.statistic,
        "recent_count": check.recent_count,
        "baseline_count": check.baseline_count,
        "notes": check.notes,
        "psi": check.psi,
        "baseline": check.baseline,
        "corrected": None if corrected is None else _corrected(corrected),
    }


def _corrected(found: Corrected) -> CorrectedAnswer:
    return CorrectedAnswer(
        drift_detected=found.is_drift,
        p_value=found.p_value,
        location_p=found.location_p,
        spread_p=found.spread_p,
        shape_p=found.shape_p,
        autocorrelation=found.autocorrelation,
        effective_recent=found.effective_recent,
        effective_baseline=found.effective_baseline,
        channels=found.channels,
    )


def _kept(check: DriftCheck) -> KeptDrift:
    return KeptDrift.model_validate(
        _facts(check)
        | {
            "id": check.id,
            "at": check.at,
            "source": check.series.source,
            "device": check.series.device,
            "tag": check.series.tag,
            "origin": check.origin,
            "window_minutes": check.window_minutes,
            "in_a_row": check.in_a_row,
            "is_lasting": check.in_a_row >= PERSISTENT,
        }
    )
