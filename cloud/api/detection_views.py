"""What is asked of detectors and what they answer, in the words of two documents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cloud.api.inference_views import Features, ModelInfo, Name, Rows, Version
from cloud.api.scalars import Number, Truth
from cloud.api.times import AnyTime
from cloud.domain.direct_reading import SensorType

_ID = "0197f3a2-5c1e-7d40-9a6b-001122334455"
_ROW: dict[str, Any] = {"amount": 1500.0, "merchant_category": "online", "hour_of_day": 3}
PREDICTED: dict[str, Any] = {
    "predictions": [1, 0],
    "anomaly_scores": [0.85, 0.15],
    "anomaly_count": 1,
    "anomaly_rate": 0.5,
    "processing_time_ms": 12,
    "threshold_used": 0.5,
    "summary": {"total_samples": 2, "max_score": 0.85, "min_score": 0.15, "avg_score": 0.5},
}
EXPLAINED: dict[str, Any] = {
    "explanation": {"feature_importance": {"amount": 0.75, "hour_of_day": 0.25}, "values": [0.75, 0.25]},
    "method_used": "occlusion",
    "prediction": 0.85,
    "confidence": 0.85,
    "shap_space": None,
}
_READING: dict[str, Any] = {
    "sensor_id": "sensor_001",
    "sensor_type": "temperature",
    "value": 25.5,
    "unit": "celsius",
    "timestamp": "2026-01-15T10:30:00Z",
    "quality": 0.95,
}
FOUND: dict[str, Any] = {
    "anomalies_detected": [
        {
            "index": 0,
            "sensor_id": "sensor_001",
            "sensor_type": "temperature",
            "value": 85.5,
            "unit": "celsius",
            "timestamp": "2026-01-15T10:30:00Z",
            "anomaly_score": 0.99,
        }
    ],
    "anomaly_count": 1,
    "total_readings_analyzed": 1,
    "threshold_used": 0.93,
    "scales": {"sensor_001": "stored"},
    "not_judged": {},
    "model_info": {
        "name": "anomaly_detector_refined_v2",
        "id": "model_5d1c0f7a9be24e10",
        "version": 1,
        "algorithm": "isolation_forest",
        "task": "anomaly",
        "stage": "deployed",
    },
    "analysis_timestamp": "2026-01-15T10:30:01Z",
}


class DetectBody(BaseModel):
    """Rows of a dataset or `data`, exactly one; threshold: in 0..1, the detector's own is .5 there."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"detector_id": _ID, "data": [_ROW], "return_scores": True}}
    )

    detector_id: Name
    dataset_id: Name | None = None
    data: Rows | None = None
    threshold: Annotated[Number | None, Field(ge=0, le=1)] = None
    return_scores: Truth = True


class ScoreSummary(BaseModel):
    """All scores in short."""

    total_samples: int
    max_score: float
    min_score: float
    avg_score: float


class DetectedView(BaseModel):
    """One prediction a row, 1 for an anomaly; scores in 0..1, null where they were not asked for."""

    predictions: list[int]
    anomaly_scores: list[float] | None
    anomaly_count: int
    anomaly_rate: float
    processing_time_ms: int
    threshold_used: float
    summary: ScoreSummary


class ExplainBody(BaseModel):
    """One row, and the order in which values are wanted; the method used may be another, which the answer says."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"detector_id": _ID, "instance": _ROW, "method": "shap"}}
    )

    detector_id: Name
    instance: Features
    method: Literal["shap", "lime"] = "shap"
    feature_names: Annotated[list[Name], Field(max_length=1_000)] | None = None


class ExplanationView(BaseModel):
    """The share of each feature in what was found; they add up to 1. values: in the order asked for."""

    feature_importance: dict[str, float]
    values: list[float]


class ExplainedView(BaseModel):
    """Why a row was judged so; prediction: the score, or of a classifier the probability of the likeliest class."""

    explanation: ExplanationView
    method_used: str
    prediction: float
    confidence: float
    shap_space: str | None


class SensorReading(BaseModel):
    """One value of one sensor; quality: 0 to 1, readings under .5 are not judged."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _READING})

    sensor_id: Name
    value: Annotated[Number, Field(ge=-1e300, le=1e300)]
    sensor_type: SensorType = SensorType.OTHER
    unit: Annotated[str, Field(max_length=50)] = ""
    timestamp: AnyTime | None = None
    quality: Annotated[Number, Field(ge=0, le=1)] = 1.0


class DetectAnomalyBody(BaseModel):
    """Readings, and how readily they are called anomalies: 0 one false alarm in 10,000, 1 one in 100."""

    model_config = ConfigDict(
        extra="forbid",
        protected_namespaces=(),
        json_schema_extra={
            "example": {
                "sensor_readings": [_READING],
                "model_name": "anomaly_detector_refined_v2",
                "model_version": "auto",
                "sensitivity": 0.7,
            }
        },
    )

    sensor_readings: Annotated[list[SensorReading], Field(min_length=1, max_length=10_000)]
    model_name: Name = "anomaly_detector_refined_v2"
    model_version: Version = "auto"
    sensitivity: Annotated[Number, Field(ge=0, le=1)] = 0.5


class AnomalyView(BaseModel):
    """One reading that is strange; index: its place among those sent."""

    index: int
    sensor_id: str
    sensor_type: SensorType
    value: float
    unit: str
    timestamp: datetime | None
    anomaly_score: float


class FoundView(BaseModel):
    """What is strange; scales: whence it is known how a sensor usually is; not_judged: which were not, and why."""

    model_config = ConfigDict(protected_namespaces=())

    anomalies_detected: list[AnomalyView]
    anomaly_count: int
    total_readings_analyzed: int
    threshold_used: float
    scales: dict[str, str]
    not_judged: dict[str, str]
    model_info: ModelInfo
    analysis_timestamp: datetime


def show_anomalies(readings: Sequence[SensorReading], scores: dict[int, float]) -> list[AnomalyView]:
    """Return the readings with these scores, by their place, as they are shown."""
    return [
        AnomalyView(
            index=index,
            sensor_id=readings[index].sensor_id,
            sensor_type=readings[index].sensor_type,
            value=readings[index].value,
            unit=readings[index].unit,
            timestamp=readings[index].timestamp,
            anomaly_score=score,
        )
        for index, score in scores.items()
    ]
