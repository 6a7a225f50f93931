"""Models, trainings on files, and what models say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cloud.client.call import Call, File, given
from cloud.client.resources.base import Many_co, One_co, Raw_co, Resource

Row = Mapping[str, Any]
_WAIT_S, _EVERY_S = 600.0, 0.5


class Models(Resource[One_co, Many_co, Raw_co]):
    """What was learned."""

    def list(self, *, status: str | None = None, sort: str | None = None, limit: int | None = None) -> One_co:
        """Return `models` and how many there are; without a status those that serve."""
        return self._get("/models", **given(status=status, sort=sort, limit=limit))

    def get(self, model_id: str) -> One_co:
        """Return a model by its id or name."""
        return self._get(f"/models/{quote(model_id, safe='')}")

    def deploy(self, model_id: str, **wish: Any) -> One_co:  # noqa: ANN401 - version, target, cohort, canary_percent
        """Let a version serve."""
        return self._post(f"/models/{quote(model_id, safe='')}/deploy", wish or None)

    def retrain(self, model_name: str, training_days: float = 14) -> One_co:
        """Let a model learn anew, as a job."""
        return self._post("/models/retrain", {"model_name": model_name, "training_days": training_days})

    def predict(self, model_id: str, data: Sequence[Row]) -> One_co:
        """Return what a deployed model says of rows."""
        return self._post(f"/predict/{quote(model_id, safe='')}", {"data": [dict(row) for row in data]})


class Training(Resource[One_co, Many_co, Raw_co]):
    """Trainings on uploaded files."""

    def upload(self, file_path: str | Path) -> One_co:
        """Upload a CSV file with a header row; raise OSError where it cannot be read."""
        path = Path(file_path)
        return self._doer.thing(Call("POST", "/upload", file=File(path.name, path.read_bytes())))

    def start(self, file_id: str, model_type: str = "auto", **more: Any) -> One_co:  # noqa: ANN401 - documented fields
        """Train a model on a file, as a job."""
        return self._post("/train", {"file_id": file_id, "model_type": model_type, **more})

    def status(self, job_id: str) -> One_co:
        """Return how far a training is."""
        return self._get(f"/training/{quote(job_id, safe='')}")

    def wait(self, job_id: str, *, timeout_s: float = _WAIT_S, every_s: float = _EVERY_S) -> One_co:
        """Return a training when it has ended; raise JobFailed, TimedOut."""
        look = Call("GET", f"/training/{quote(job_id, safe='')}")
        return self._doer.ended(look, timeout_s=timeout_s, every_s=every_s)


class MachineLearning(Resource[One_co, Many_co, Raw_co]):
    """Models by their names, on features and readings."""

    def predict(self, model_name: str, features: Row, model_version: str = "auto") -> One_co:
        """Return what a model says of features."""
        body = {"model_name": model_name, "model_version": model_version, "features": dict(features)}
        return self._post("/ml/predict", body)

    def detect_anomaly(
        self,
        sensor_readings: Sequence[Row],
        model_name: str,
        model_version: str = "auto",
        sensitivity: float | None = None,
    ) -> One_co:
        """Return which readings are strange."""
        body = {"model_name": model_name, "model_version": model_version, **given(sensitivity=sensitivity)}
        return self._post("/ml/detect_anomaly", {"sensor_readings": [dict(one) for one in sensor_readings], **body})

    def check_drift(
        self,
        sensor_id: str,
        *,
        window_minutes: int | None = None,
        p_value_threshold: float | None = None,
        min_samples: int | None = None,
    ) -> One_co:
        """Return whether a sensor's values moved away from what they were."""
        more = given(window_minutes=window_minutes, p_value_threshold=p_value_threshold, min_samples=min_samples)
        return self._post("/ml/check_drift", {"sensor_id": sensor_id, **more})
