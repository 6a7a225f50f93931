"""What is asked of models and what they answer, in the words of each document."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from cloud.api.scalars import Truth
from cloud.learning.inference import Answer
from cloud.learning.rows import MOST_ROWS
from cloud.learning.shelf import Ready

Name = Annotated[str, Field(min_length=1, max_length=200)]
Features = Annotated[dict[Annotated[str, Field(max_length=200)], float | bool | str | None], Field(max_length=1_000)]
"""One row: features by name."""
Rows = Annotated[list[Features], Field(min_length=1, max_length=MOST_ROWS)]
Version = Annotated[str, Field(min_length=1, max_length=40)]
_FEATURES: dict[str, Any] = {
    "Air_temperature_K": 298.1,
    "Process_temperature_K": 308.6,
    "Rotational_speed_rpm": 1551,
    "Torque_Nm": 42.8,
    "Tool_wear_min": 108,
}
_MODEL = {
    "name": "ai4i_classifier_randomforest_baseline",
    "id": "model_5d1c0f7a9be24e10",
    "version": 1,
    "algorithm": "random_forest_classifier",
    "task": "classification",
    "stage": "deployed",
}
PREDICTED: dict[str, Any] = {
    "predictions": [
        {
            "prediction": "yes",
            "confidence": 0.87,
            "probabilities": {"yes": 0.87, "no": 0.13},
            "decision": "yes",
            "anomaly_score": None,
            "quantiles": {},
        }
    ],
    "model_id": "model_5d1c0f7a9be24e10",
    "version": 1,
    "timestamp": "2026-01-15T10:40:00Z",
}
ASKED: dict[str, Any] = {
    "model_name": "ai4i_classifier_randomforest_baseline",
    "model_version": "auto",
    "features": _FEATURES,
}
ANSWERED: dict[str, Any] = {
    "prediction": "no failure",
    "confidence": 0.98,
    "probabilities": {"no failure": 0.98, "failure": 0.02},
    "decision": "no failure",
    "model_info": _MODEL,
    "shap_values": {"Torque_Nm": -0.4},
    "shap_base_value": -3.1,
    "shap_space": "raw",
    "model_output": -3.5,
    "feature_importance": {"Torque_Nm": 1.0},
    "method_used": "shap",
    "timestamp": "2026-01-15T10:40:00Z",
}


class PredictBody(BaseModel):
    """Rows to be foretold, each with all features of the model and no others."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"data": [_FEATURES]}})

    data: Rows


class PredictionView(BaseModel):
    """One row's answer.

    probabilities: of classes, they add up to 1 and confidence is the highest; decision: by the threshold that was
    chosen in training; anomaly_score: of a detector, .5 at its threshold; quantiles: of a forecast.
    """

    prediction: str | float
    confidence: float | None
    probabilities: dict[str, float]
    decision: str | None
    anomaly_score: float | None
    quantiles: dict[str, float]


class PredictedView(BaseModel):
    """The answers in the order of the rows."""

    model_config = ConfigDict(protected_namespaces=())

    predictions: list[PredictionView]
    model_id: str
    version: int
    timestamp: datetime


class AskBody(BaseModel):
    """Which version of a model is asked (`auto`: the one that serves, else the newest judged one), and one row.

    explain: whether reasons are worked out where that takes longer, as for detectors; trees always give them.
    """

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), json_schema_extra={"example": ASKED})

    model_name: Name
    model_version: Version = "auto"
    features: Features
    explain: Truth = False


class ModelInfo(BaseModel):
    """Which version answered."""

    name: str
    id: str
    version: int
    algorithm: str
    task: str
    stage: str


class AnswerView(BaseModel):
    """One answer with its reasons: shap_base_value and all shap_values add up to model_output, in shap_space."""

    model_config = ConfigDict(protected_namespaces=())

    prediction: str | float
    confidence: float | None
    probabilities: dict[str, float]
    decision: str | None
    model_info: ModelInfo
    shap_values: dict[str, float] | None = None
    shap_base_value: float | None = None
    shap_space: str | None = None
    model_output: float | None = None
    feature_importance: dict[str, float] | None = None
    method_used: str | None = None
    timestamp: datetime


def show_answer(one: Answer) -> PredictionView:
    """Return one row's answer as it is shown."""
    return PredictionView(
        prediction=one.prediction,
        confidence=one.confidence,
        probabilities=dict(one.probabilities),
        decision=one.decision,
        anomaly_score=one.score,
        quantiles=dict(one.quantiles),
    )


def model_info(identity: str, stage: str, ready: Ready) -> ModelInfo:
    """Return which version answered."""
    version = ready.version
    return ModelInfo(
        name=version.model,
        id=identity,
        version=version.version,
        algorithm=version.algorithm,
        task=version.task.value,
        stage=stage,
    )


def summary_of(scores: Sequence[float]) -> Mapping[str, float]:
    """Return least, greatest and mean score, 0 for no rows."""
    count = max(len(scores), 1)
    return {
        "max_score": max(scores, default=0.0),
        "min_score": min(scores, default=0.0),
        "avg_score": sum(scores) / count,
    }
