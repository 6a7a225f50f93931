"""GET /predictions: what is expected of one device: anomalies of its last hour, and the chance that it fails."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from cloud.analysis.failures import DEFAULT_HORIZON_H
from cloud.analysis.recent_anomalies import AnomalyEstimate
from cloud.api.deps import Predictor, ServicesDep
from cloud.api.document import answers
from cloud.api.errors import MISSING_IS_400
from cloud.api.failure_answers import FAILURE_EXAMPLE, FailurePrediction
from cloud.api.limits import limited
from cloud.api.resource import Resource
from cloud.domain.failure import FailureEstimate
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.services import Views

router = Resource(tags=["predictions"])
NO_LIMITS = "NO_LIMITS"
_EXAMPLE: dict[str, Any] = {
    "device_id": "DEVICE_001",
    "anomaly_prediction": {
        "anomaly_count": 1,
        "anomaly_percentage": 33.333333,
        "anomaly_indices": [2],
        "anomaly_scores": [0.04, 0.07, 0.93],
        "timestamps": ["2026-01-15T10:28:00Z", "2026-01-15T10:29:00Z", "2026-01-15T10:30:00Z"],
        "sample_count": 3,
        "threshold": 0.5,
        "model_version": "pump-detector@3",
        "notes": "",
    },
    "failure_prediction": FAILURE_EXAMPLE,
}


class AnomalyPrediction(BaseModel):
    """What the device's model says of the last 60 minutes, 500 samples at most; indices point into the scores.

    model_version: null where no model could be had, and then nothing was judged: sample_count is 0.
    """

    anomaly_count: int
    anomaly_percentage: float
    anomaly_indices: list[int]
    anomaly_scores: list[float]
    timestamps: list[datetime]
    sample_count: int
    threshold: float | None
    model_version: str | None
    notes: str


class DevicePredictions(BaseModel):
    """What is expected of a device; failure_prediction: null where neither a limit nor a failure model is known."""

    device_id: str
    anomaly_prediction: AnomalyPrediction
    failure_prediction: FailurePrediction | None


@router.get(
    "/predictions",
    summary="Predict anomalies and failure of a device",
    dependencies=[limited("60/minute")],
    responses=answers(_EXAMPLE, 400, 401, 403, 404, 409, 422, 501, 503),
    openapi_extra={MISSING_IS_400: True},
)
async def device_predictions(
    _caller: Predictor,
    services: ServicesDep,
    device_id: Annotated[str, Query(max_length=200, description="The device.")],
    horizon_hours: Annotated[float, Query(gt=0, le=8760)] = DEFAULT_HORIZON_H,
) -> DevicePredictions:
    """Anomalies of the last 60 minutes and failure within the horizon; 404 with under 24 h of data."""

    def estimate(views: Views) -> DevicePredictions:
        device = services.registry.find(device_id, views.store.devices)
        failure: FailureEstimate | None = None
        try:
            failure = services.failures.estimate(views.store, device, horizon_hours=horizon_hours)
        except NotFound as error:
            if error.code != NO_LIMITS:
                raise
        anomalies = services.recent_anomalies.estimate(views.store, device)
        return DevicePredictions(
            device_id=device.shown_id,
            anomaly_prediction=_anomalies(anomalies),
            failure_prediction=None if failure is None else FailurePrediction.of(failure),
        )

    return await services.threads.run(estimate)


def _anomalies(found: AnomalyEstimate | None) -> AnomalyPrediction:
    known = found or AnomalyEstimate((), (), (), 0.0, "", "no model could be had for this device")
    return AnomalyPrediction(
        anomaly_count=len(known.indices),
        anomaly_percentage=round(known.percentage, 6),
        anomaly_indices=list(known.indices),
        anomaly_scores=list(known.scores),
        timestamps=[to_datetime(time_us) for time_us in known.time_us],
        sample_count=len(known.scores),
        threshold=None if found is None else found.threshold,
        model_version=None if found is None else found.model_version,
        notes=known.notes,
    )
