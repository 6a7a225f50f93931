"""Models, versions, experiments and runs as MLflow's REST interface shows them: times in ms, numbers as texts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cloud.domain.experiment import Experiment, Run
from cloud.domain.model import CHALLENGER, CHAMPION, Model, ModelVersion
from cloud.domain.times import to_us

Facts = dict[str, Any]
_STAGES = {CHAMPION: "Production", CHALLENGER: "Staging"}


def show_model(model: Model) -> Facts:
    """Return a registered model with the newest version of each stage."""
    changes = [model.created_at, *(_changed(one) for one in model.versions)]
    return {
        "name": model.name,
        "creation_timestamp": _ms(model.created_at),
        "last_updated_timestamp": _ms(max(changes)),
        "description": f"{model.task.value} model {model.id}",
        "latest_versions": latest_versions(model),
        "tags": [{"key": key, "value": value} for key, value in sorted(model.tags.items())],
        "aliases": [{"alias": name, "version": str(number)} for name, number in sorted(model.aliases.items())],
    }


def latest_versions(model: Model, stages: Sequence[str] = ()) -> list[Facts]:
    """Return the newest version of each stage, or of these; stages in any case."""
    wanted = {stage.lower() for stage in stages}
    newest: dict[str, Facts] = {}
    for version in model.versions:
        shown = show_version(model, version)
        newest.setdefault(shown["current_stage"], shown)
    return [one for stage, one in newest.items() if not wanted or stage.lower() in wanted]


def show_version(model: Model, version: ModelVersion) -> Facts:
    """Return one version of a model."""
    return {
        "name": model.name,
        "version": str(version.version),
        "creation_timestamp": _ms(version.created_at),
        "last_updated_timestamp": _ms(_changed(version)),
        "user_id": version.created_by,
        "current_stage": stage_of(model, version),
        "description": version.algorithm,
        "source": f"models:/{model.name}/{version.version}",
        "run_id": str(version.lineage.get("run_id", "")),
        "status": "READY",
        "tags": [{"key": "sha256", "value": version.sha256}, {"key": "algorithm", "value": version.algorithm}],
        "aliases": sorted(name for name, number in model.aliases.items() if number == version.version),
    }


def stage_of(model: Model, version: ModelVersion) -> str:
    """Return MLflow's word for how far a version is."""
    if version.archived_at is not None:
        return "Archived"
    names = [alias for alias, number in model.aliases.items() if number == version.version]
    return next((word for alias, word in _STAGES.items() if alias in names), "None")


def show_experiment(experiment: Experiment) -> Facts:
    """Return one experiment; its best run is among the tags."""
    changed = max([experiment.created_at, *(run.ended_at for run in experiment.runs)])
    best = experiment.best()
    tags = [{"key": tag, "value": "true"} for tag in experiment.tags]
    tags.append({"key": "mlflow.note.content", "value": experiment.description})
    if best is not None:
        tags.append({"key": "best_run_id", "value": best[0].id})
    return {
        "experiment_id": str(UUID(experiment.id)),
        "name": experiment.name,
        "artifact_location": "models:/",
        "lifecycle_stage": "active",
        "creation_time": _ms(experiment.created_at),
        "last_update_time": _ms(changed),
        "tags": tags,
    }


def show_run(run: Run) -> Facts:
    """Return one run with its parameters and metrics."""
    ended_ms = _ms(run.ended_at)
    source = "" if run.version is None else f"models:/{run.model}/{run.version}"
    return {
        "info": {
            "run_id": run.id,
            "run_uuid": run.id,
            "run_name": f"{run.algorithm} {run.model}",
            "experiment_id": str(UUID(run.experiment_id)),
            "user_id": run.by,
            "status": "FINISHED",
            "start_time": _ms(run.started_at),
            "end_time": ended_ms,
            "artifact_uri": source,
            "lifecycle_stage": "active",
        },
        "data": {
            "metrics": [
                {"key": name, "value": value, "timestamp": ended_ms, "step": 0}
                for name, value in sorted(run.metrics.items())
            ],
            "params": [{"key": name, "value": str(value)} for name, value in sorted(run.parameters.items())],
            "tags": [
                {"key": "mlflow.runName", "value": f"{run.algorithm} {run.model}"},
                {"key": "mlflow.user", "value": run.by},
                {"key": "dataset_id", "value": run.dataset_id},
            ],
        },
    }


def run_facts(run: Run) -> Facts:
    """Return what filters may ask of a run."""
    return {
        "run_id": run.id,
        "status": "FINISHED",
        "start_time": _ms(run.started_at),
        "end_time": _ms(run.ended_at),
        "user_id": run.by,
        **{f"metrics.{name}": value for name, value in run.metrics.items()},
        **{f"params.{name}": str(value) for name, value in run.parameters.items()},
    }


def _changed(version: ModelVersion) -> datetime:
    times = (version.created_at, version.published_at, version.deployed_at, version.archived_at)
    return max(time for time in times if time is not None)


def _ms(at: datetime) -> int:
    return to_us(at) // 1000
