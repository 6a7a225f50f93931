"""Models and their versions as the API shows them: the documents' fields, and all that is known beside them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from cloud.api.frame import V1_PREFIX
from cloud.domain.model import Model, ModelVersion, Stage
from protocols.wanted import ModelStanding

VERSION_EXAMPLE: dict[str, Any] = {
    "version": 3,
    "algorithm": "whitening",
    "stage": "deployed",
    "metrics": {"recall": 0.93, "false_alarms_per_day": 0.4},
    "comparison": {
        "champion": 2,
        "champion_metrics": {"mae": 3.1},
        "challenger_metrics": {"mae": 2.8},
        "is_better": True,
    },
    "lineage": {"made_by": "job 17", "rows": 86400},
    "files": {"package.lsp": 9120},
    "sha256": "2b4e...",
    "path": "pump/3.lsp",
    "created_at": "2026-01-15T10:00:00Z",
    "created_by": "job 17",
    "published_at": "2026-01-15T10:05:00Z",
    "deployed_at": "2026-01-15T10:30:00Z",
    "archived_at": None,
}
ITEM_EXAMPLE: dict[str, Any] = {
    "id": "model_5d1c0f7a9be24e10",
    "name": "pump",
    "type": "anomaly",
    "version": 3,
    "algorithm": "whitening",
    "accuracy": None,
    "metrics": {"recall": 0.93, "false_alarms_per_day": 0.4},
    "status": "active",
    "stage": "deployed",
    "created_at": "2026-01-15T10:00:00Z",
    "deployed_at": "2026-01-15T10:30:00Z",
}
MODEL_EXAMPLE: dict[str, Any] = ITEM_EXAMPLE | {
    "training_data": {"file_id": "", "rows": 86400, "features": ["flow", "pressure"]},
    "parameters": {"scoring": {"kind": "whitening", "spans": [1, 5]}},
    "aliases": {"champion": 3},
    "tags": {"line": "2"},
    "versions": [VERSION_EXAMPLE],
    "gateways": [{"gateway_id": "gw-1", "device": "pump-1", "version": 3, "standing": "serving", "reason": ""}],
}


class VersionAnswer(BaseModel):
    """One version of a Model; it never changes, but for what became of it.

    comparison: with the version that served when it was made, on rows new to both; null where none served.
    """

    version: int
    algorithm: str
    stage: Stage
    metrics: dict[str, float]
    comparison: dict[str, Any] | None
    lineage: dict[str, Any]
    files: dict[str, int]
    sha256: str
    path: str
    created_at: datetime
    created_by: str
    published_at: datetime | None
    deployed_at: datetime | None
    archived_at: datetime | None


class ModelItem(BaseModel):
    """A Model by the version that serves, else its newest; status is the documents' word for the stage."""

    id: str
    name: str
    type: str
    version: int | None
    algorithm: str
    accuracy: float | None
    metrics: dict[str, float]
    status: str
    stage: Stage
    created_at: datetime
    deployed_at: datetime | None


class TrainingData(BaseModel):
    """What it learned from."""

    file_id: str
    rows: int
    features: list[str]


class GatewayUse(BaseModel):
    """What one Gateway says of a version on one Device."""

    gateway_id: str
    device: str
    version: int
    standing: str
    reason: str


class ModelAnswer(ModelItem):
    """A Model with all its versions and the gateways that run it."""

    training_data: TrainingData
    parameters: dict[str, Any]
    aliases: dict[str, int]
    tags: dict[str, str]
    versions: list[VersionAnswer]
    gateways: list[GatewayUse]


def status_of(stage: Stage, path: str) -> str:
    """Return the documents' word for a stage: `active` under /api/v1, `deployed` under /api."""
    is_active = stage is Stage.DEPLOYED and path.startswith(V1_PREFIX)
    return "active" if is_active else stage.value


def version_answer(model: Model, version: ModelVersion) -> VersionAnswer:
    """Return a version as it is shown."""
    return VersionAnswer(
        version=version.version,
        algorithm=version.algorithm,
        stage=model.stage_of(version),
        metrics=dict(version.metrics),
        comparison=_comparison(version),
        lineage=dict(version.lineage),
        files={name: file.size for name, file in version.files.items()},
        sha256=version.sha256,
        path=version.path,
        created_at=version.created_at,
        created_by=version.created_by,
        published_at=version.published_at,
        deployed_at=version.deployed_at,
        archived_at=version.archived_at,
    )


def _comparison(version: ModelVersion) -> dict[str, Any] | None:
    told = version.card.get("comparison")
    return dict(told) if isinstance(told, Mapping) else None


def model_item(model: Model, path: str) -> ModelItem:
    """Return a Model as a list shows it."""
    shown = model.shown
    stage = model.stage_of(shown) if shown is not None else Stage.TRAINED
    return ModelItem(
        id=model.id,
        name=model.name,
        type=model.task.value,
        version=shown.version if shown is not None else None,
        algorithm=shown.algorithm if shown is not None else "",
        accuracy=shown.metrics.get("accuracy") if shown is not None else None,
        metrics=dict(shown.metrics) if shown is not None else {},
        status=status_of(stage, path),
        stage=stage,
        created_at=model.created_at,
        deployed_at=shown.deployed_at if shown is not None else None,
    )


def model_answer(model: Model, path: str, running: Sequence[tuple[str, ModelStanding]]) -> ModelAnswer:
    """Return a Model with everything of it."""
    shown = model.shown
    uses = [
        GatewayUse(
            gateway_id=gateway,
            device=one.device,
            version=one.version,
            standing=one.standing.value,
            reason=one.reason,
        )
        for gateway, one in running
    ]
    return ModelAnswer(
        **model_item(model, path).model_dump(),
        training_data=_training_data(shown.lineage if shown else {}, shown.card if shown else {}),
        parameters=_parameters(shown.card if shown is not None else {}),
        aliases=dict(model.aliases),
        tags=dict(model.tags),
        versions=[version_answer(model, one) for one in model.versions],
        gateways=uses,
    )


def _parameters(card: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings it was trained with; of a package its card, which is all that is known."""
    settings = card.get("settings")
    return dict(settings) if isinstance(settings, Mapping) else dict(card)


def _training_data(lineage: Mapping[str, object], card: Mapping[str, object]) -> TrainingData:
    scoring = card.get("scoring")
    channels = scoring.get("channels") if isinstance(scoring, dict) else None
    channels = channels or lineage.get("features") or card.get("features")
    rows = lineage.get("rows")
    return TrainingData(
        file_id=str(lineage.get("dataset", "")),
        rows=rows if isinstance(rows, int) else 0,
        features=[str(one) for one in channels] if isinstance(channels, (list, tuple)) else [],
    )
