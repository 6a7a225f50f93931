"""Failure predictions as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from cloud.domain.failure import FailureEstimate, Method
from cloud.domain.times import to_datetime

FAILURE_EXAMPLE: dict[str, Any] = {
    "predictions": [0, 0, 1],
    "failure_probabilities": [0.31, 0.42, 0.56],
    "high_risk_count": 1,
    "method": "first_passage",
    "calibrated": False,
    "horizon_hours": 168.0,
    "brier_score": None,
    "failures_learned": 0,
    "channel": "vibration",
    "first_hour": "2026-01-15T08:00:00Z",
    "notes": "",
}


class FailurePrediction(BaseModel):
    """One chance for each of the last 24 hours; a failure is predicted from 0.5 on.

    `method`: learned from at least 20 labelled failures of the class, or how the distance to the limit wanders.
    """

    predictions: list[int]
    failure_probabilities: list[float]
    high_risk_count: int
    method: Method
    calibrated: bool
    horizon_hours: float
    brier_score: float | None
    failures_learned: int
    channel: str
    first_hour: datetime
    notes: str

    @classmethod
    def of(cls, found: FailureEstimate) -> "FailurePrediction":
        """Return an estimate for people."""
        return cls(
            predictions=list(found.predictions),
            failure_probabilities=list(found.chances),
            high_risk_count=found.high_risk_count,
            method=found.method,
            calibrated=found.is_calibrated,
            horizon_hours=found.horizon_hours,
            brier_score=found.brier,
            failures_learned=found.failures_learned,
            channel=found.channel,
            first_hour=to_datetime(found.first_hour_us),
            notes=found.notes,
        )
