"""Datasets, detectors, trainings, experiments and jobs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cloud.client.call import Call, File, given
from cloud.client.resources.base import Many_co, One_co, Raw_co, Resource

Row = Mapping[str, Any]
_WAIT_S, _EVERY_S = 300.0, 0.5


class Datasets(Resource[One_co, Many_co, Raw_co]):
    """Rows that something can be learned from."""

    def upload(self, file_path: str | Path, name: str = "", description: str = "", target_column: str = "") -> One_co:
        """Upload a CSV, JSON or Parquet file as a dataset; raise OSError where it cannot be read."""
        path = Path(file_path)
        form = {"name": name or path.stem, "description": description, "target_column": target_column}
        form = {key: text for key, text in form.items() if text}
        return self._doer.thing(Call("POST", "/datasets", form=form, file=File(path.name, path.read_bytes())))

    def list(self, *, format: str | None = None, has_target: bool | None = None, limit: int | None = None) -> Many_co:  # noqa: A002 - the documented name
        """Return the datasets, the newest first."""
        return self._list("/datasets", **given(format=format, has_target=has_target, limit=limit))

    def get(self, dataset_id: str) -> One_co:
        """Return one dataset with what is known of its columns."""
        return self._get(f"/datasets/{_part(dataset_id)}")

    def sample(self, dataset_id: str, size: int = 10) -> One_co:
        """Return its first rows."""
        return self._get(f"/datasets/{_part(dataset_id)}/sample", size=size)

    def delete(self, dataset_id: str) -> One_co:
        """Delete it and its file."""
        return self._delete(f"/datasets/{_part(dataset_id)}")


class Detectors(Resource[One_co, Many_co, Raw_co]):
    """Models that find anomalies."""

    def create(
        self,
        name: str,
        algorithm_name: str,
        contamination_rate: float = 0.1,
        hyperparameters: Mapping[str, Any] | None = None,
        description: str = "",
    ) -> One_co:
        """Make a detector, which is to be trained."""
        body = {"name": name, "algorithm_name": algorithm_name, "contamination_rate": contamination_rate}
        return self._post(
            "/detectors", {**body, "hyperparameters": dict(hyperparameters or {}), "description": description}
        )

    def list(self, *, algorithm: str | None = None, is_fitted: bool | None = None, limit: int | None = None) -> Many_co:
        """Return the detectors."""
        return self._list("/detectors", **given(algorithm=algorithm, is_fitted=is_fitted, limit=limit))

    def get(self, detector_id: str) -> One_co:
        """Return one detector."""
        return self._get(f"/detectors/{_part(detector_id)}")

    def update(
        self,
        detector_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
    ) -> One_co:
        """Change what is given; new hyperparameters want a new training."""
        body = given(name=name, description=description, hyperparameters=hyperparameters)
        return self._put(f"/detectors/{_part(detector_id)}", body)

    def delete(self, detector_id: str) -> One_co:
        """Delete it with its versions."""
        return self._delete(f"/detectors/{_part(detector_id)}")


class Detection(Resource[One_co, Many_co, Raw_co]):
    """What detectors do."""

    def train(
        self,
        detector_id: str,
        dataset_id: str,
        *,
        validation_split: float | None = None,
        cross_validation: bool | None = None,
        save_model: bool | None = None,
        experiment_id: str | None = None,
    ) -> One_co:
        """Fit a detector on a dataset; after a minute the answer is a `job_id` to wait for."""
        more = given(
            validation_split=validation_split,
            cross_validation=cross_validation,
            save_model=save_model,
            experiment_id=experiment_id,
        )
        return self._post("/detection/train", {"detector_id": detector_id, "dataset_id": dataset_id, **more})

    def predict(
        self,
        detector_id: str,
        data: Sequence[Row] | None = None,
        *,
        dataset_id: str | None = None,
        threshold: float | None = None,
        return_scores: bool | None = None,
    ) -> One_co:
        """Judge rows, or those of a dataset."""
        rows = None if data is None else [dict(row) for row in data]
        more = given(data=rows, dataset_id=dataset_id, threshold=threshold, return_scores=return_scores)
        return self._post("/detection/predict", {"detector_id": detector_id, **more})

    def explain(
        self, detector_id: str, instance: Row, *, method: str = "shap", feature_names: Sequence[str] | None = None
    ) -> One_co:
        """Say what each feature of a row added to its score."""
        names = None if feature_names is None else [*feature_names]
        body = {"detector_id": detector_id, "instance": dict(instance), "method": method}
        return self._post("/detection/explain", {**body, **given(feature_names=names)})


class Experiments(Resource[One_co, Many_co, Raw_co]):
    """Trainings that are compared with each other."""

    def create(self, name: str, *, description: str = "", tags: Sequence[str] = (), metric: str = "") -> One_co:
        """Make an experiment; trainings join it by its id."""
        return self._post("/experiments", {"name": name, "description": description, "tags": [*tags], "metric": metric})

    def list(self, *, limit: int | None = None) -> Many_co:
        """Return the experiments, each with its best run."""
        return self._list("/experiments", **given(limit=limit))

    def get(self, experiment_id: str) -> One_co:
        """Return one with its runs."""
        return self._get(f"/experiments/{_part(experiment_id)}")

    def compare(self, experiment_id: str, metric: str = "") -> One_co:
        """Return its runs, the best first."""
        return self._get(f"/experiments/{_part(experiment_id)}/compare", metric=metric)


class Algorithms(Resource[One_co, Many_co, Raw_co]):
    """What can learn."""

    def list(self) -> Many_co:
        """Return the algorithms with what may be set of each."""
        return self._list("/algorithms")


class Jobs(Resource[One_co, Many_co, Raw_co]):
    """Work that takes longer than a request."""

    def list(self, *, limit: int | None = None) -> Many_co:
        """Return the newest jobs."""
        return self._list("/jobs", **given(limit=limit))

    def get(self, job_id: str) -> One_co:
        """Return how far a job is."""
        return self._get(f"/jobs/{_part(job_id)}")

    def wait(self, job_id: str, *, timeout_s: float = _WAIT_S, every_s: float = _EVERY_S) -> One_co:
        """Return a job when it has ended; raise JobFailed, TimedOut."""
        return self._doer.ended(Call("GET", f"/jobs/{_part(job_id)}"), timeout_s=timeout_s, every_s=every_s)

    def cancel(self, job_id: str) -> One_co:
        """Ask that it stops."""
        return self._delete(f"/jobs/{_part(job_id)}")


def _part(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(str(text), safe="")
