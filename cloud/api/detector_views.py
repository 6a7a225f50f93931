"""Detectors as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.api.scalars import Number
from cloud.domain.detector import MAX_DESCRIPTION, MAX_NAME, MOST_RATE, Detector

_ID = "0197f3a2-5c1e-7d40-9a6b-001122334455"
DETECTOR: dict[str, Any] = {
    "id": _ID,
    "name": "Pump hall",
    "algorithm_name": "IsolationForest",
    "contamination_rate": 0.1,
    "is_fitted": True,
    "hyperparameters": {"n_estimators": 100, "max_samples": "auto"},
    "description": "Rows of the pump hall that are not like the others",
    "created_at": "2026-01-15T10:30:00Z",
    "updated_at": "2026-01-15T11:00:00Z",
    "model_name": "pump-hall-22334455",
    "model_version": 3,
}
_NEW: dict[str, Any] = {
    "name": "Pump hall",
    "algorithm_name": "IsolationForest",
    "contamination_rate": 0.1,
    "hyperparameters": {"n_estimators": 100, "max_samples": "auto", "contamination": 0.1},
    "description": "Rows of the pump hall that are not like the others",
}
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Description = Annotated[str, Field(max_length=MAX_DESCRIPTION)]
Hyperparameters = Annotated[dict[Annotated[str, Field(max_length=80)], Any], Field(max_length=50)]


class NewDetector(BaseModel):
    """What a detector shall be; `hyperparameters.contamination` may say the rate again, but no other."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _NEW})

    name: Name
    algorithm_name: Annotated[str, Field(min_length=1, max_length=100)]
    contamination_rate: Annotated[Number | None, Field(ge=0, le=MOST_RATE)] = None
    hyperparameters: Hyperparameters = {}
    description: Description = ""


class DetectorChange(BaseModel):
    """What shall be different; other hyperparameters, which replace all of before, make it unfitted."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"hyperparameters": {"n_estimators": 200}}})

    name: Name | None = None
    description: Description | None = None
    hyperparameters: Hyperparameters | None = None


class DetectorView(BaseModel):
    """One detector; model_name, model_version: what it was fitted as, to be found under /models."""

    model_config = ConfigDict(protected_namespaces=())

    id: str
    name: str
    algorithm_name: str
    contamination_rate: float
    is_fitted: bool
    hyperparameters: dict[str, Any]
    description: str
    created_at: datetime
    updated_at: datetime
    model_name: str
    model_version: int | None


def show_detector(one: Detector) -> DetectorView:
    """Return a detector as it is shown."""
    return DetectorView(
        id=str(UUID(one.id)),
        name=one.name,
        algorithm_name=one.algorithm,
        contamination_rate=one.contamination_rate,
        is_fitted=one.is_fitted,
        hyperparameters=dict(one.hyperparameters),
        description=one.description,
        created_at=one.created_at,
        updated_at=one.updated_at,
        model_name=one.model,
        model_version=one.fitted_version,
    )
