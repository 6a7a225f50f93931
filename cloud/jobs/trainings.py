"""Trainings: what people ask to be learned; checked at once as far as that goes, then put into the queue."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from cloud.domain.dataset import Dataset
from cloud.domain.job import Job, JobKind, JobLimits, NewJob
from cloud.domain.model import Task
from cloud.errors import Invalid, NotFound
from cloud.jobs.queue import Jobs
from cloud.jobs.usual import UsualTraining
from cloud.learning.dataset_drawing import DrawRequest, parse_draw_request
from cloud.learning.datasets import Datasets
from cloud.learning.experiments import Experiments
from cloud.learning.registry import Registry
from cloud.learning.retrain_request import RetrainRequest, device_pair
from cloud.learning.train_request import TrainRequest, parse_train_request

USUAL_S: Mapping[JobKind, float] = {JobKind.TRAIN: 30.0, JobKind.RETRAIN: 900.0, JobKind.DRAW_DATASET: 30.0}
"""How long a job of a kind takes where none has ended yet."""


class Trainings:
    """Asks for jobs that learn; safe to use from several threads."""

    def __init__(
        self,
        jobs: Jobs,
        datasets: Datasets,
        experiments: Experiments,
        registry: Registry,
        *,
        limits: JobLimits,
        usual: Callable[[], UsualTraining],
    ) -> None:
        """Usual: what a training does where its request does not say."""
        self._jobs = jobs
        self._experiments = experiments
        self._datasets = datasets
        self._registry = registry
        self._limits = limits
        self._usual = usual

    def train(self, request: TrainRequest, *, by: str, limit_s: float | None = None) -> Job:
        """Ask for a training; raise NotFound, Invalid that names the field or column, Unavailable."""
        parse_train_request(request.parameters())
        dataset = self._datasets.get(request.dataset_id)
        request.check_against(dataset)
        if request.experiment:
            self._experiments.get(request.experiment)
        usual_s = self._usual().limit_s
        seconds = min(limit_s or usual_s, max(usual_s, self._limits.seconds))
        return self._add(JobKind.TRAIN, request.parameters(), by, seconds)

    def usual(self) -> UsualTraining:
        """Return what a training does where its request does not say; raise Unavailable."""
        return self._usual()

    def retrain(self, request: RetrainRequest, *, by: str) -> Job:
        """Ask that a detector learns anew; raise NotFound, Invalid, Unavailable."""
        model = next((one for one in self._registry.list() if request.model in (one.name, one.id)), None)
        if model is None and not request.devices:
            raise NotFound(f"there is no model {request.model:.100}", code="MODEL_NOT_FOUND")
        if model is not None and model.task is not Task.ANOMALY:
            issue = f"{model.name} is for {model.task}; only detectors learn anew from readings"
            raise Invalid(f"model_name: {issue}", details={"field": "model_name", "issue": issue})
        for device in request.devices:
            device_pair(device)
        return self._add(JobKind.RETRAIN, request.parameters(), by, None)

    def draw(self, request: DrawRequest, *, by: str) -> Job:
        """Ask for a dataset out of stored readings; raise Invalid, Unavailable."""
        parse_draw_request(request.parameters())
        for device in request.devices:
            device_pair(device)
        if request.end_us <= request.start_us:
            raise Invalid("end: must be after start", details={"field": "end", "issue": "must be after start"})
        return self._add(JobKind.DRAW_DATASET, request.parameters(), by, None)

    def detect(self, dataset_id: str, *, contamination: float, most: int, by: str) -> Job:
        """Ask that a dataset is looked at without being told how; raise NotFound, Unavailable."""
        dataset = self._datasets.get(dataset_id)
        parameters: dict[str, object] = {"dataset_id": dataset.id, "contamination": contamination, "most": most}
        return self._add(JobKind.AUTONOMOUS, parameters, by, None)

    def dataset_of(self, dataset_id: str) -> Dataset:
        """Return the dataset of a training; raise NotFound."""
        return self._datasets.get(dataset_id)

    def usual_s(self, kind: JobKind) -> float:
        """Return how long jobs of a kind take."""
        return self._jobs.usual_s(kind, default_s=USUAL_S[kind])

    def _add(self, kind: JobKind, parameters: Mapping[str, object], by: str, seconds: float | None) -> Job:
        limits = self._limits if seconds is None else replace(self._limits, seconds=seconds)
        return self._jobs.add(NewJob(kind, parameters, limits, by))
