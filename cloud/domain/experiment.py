"""Experiment: trainings that are compared with each other; its best run is worked out from them, never kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud.errors import Invalid

MAX_NAME, MAX_DESCRIPTION, MAX_TAGS, MAX_TAG, MAX_METRIC = 200, 2_000, 50, 100, 100
USUAL = ("f1", "stability")
"""What runs are compared by where the experiment does not say: the first one that any run has."""
_NAMES: Mapping[str, tuple[str, ...]] = {"f1": ("f1", "f1_score", "f1_macro")}
"""Figures that say the same of different tasks, the most exact first."""
_ERRORS = ("rmse", "mae", "mape", "wape", "brier", "pinball", "far", "mar", "over_share", "expected_alarms_per_day")
"""Figures of which less is better."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training of an experiment; id: of its job; version: None where no model was kept."""

    id: str
    experiment_id: str
    model: str
    version: int | None
    algorithm: str
    task: str
    dataset_id: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    started_at: datetime
    ended_at: datetime
    by: str

    def figure(self, metric: str) -> float | None:
        """Return what this run has for a metric, by any of its names."""
        return next((self.metrics[name] for name in names_of(metric) if name in self.metrics), None)


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment; metric: what its runs are compared by, empty for the usual one; runs: in order of their end."""

    id: str
    name: str
    description: str
    tags: tuple[str, ...]
    metric: str
    created_at: datetime
    created_by: str
    runs: tuple[Run, ...] = ()

    def check(self) -> "Experiment":
        """Return the experiment; raise Invalid, which names the field, where it cannot be one."""
        texts = (("name", self.name, MAX_NAME), ("description", self.description, MAX_DESCRIPTION))
        for field, text, longest in (*texts, ("metric", self.metric, MAX_METRIC)):
            if len(text) > longest:
                raise _invalid(field, f"has {len(text)} characters, {longest} are allowed")
        if not self.name.strip():
            raise _invalid("name", "must not be empty")
        if len(self.tags) > MAX_TAGS or any(not tag.strip() or len(tag) > MAX_TAG for tag in self.tags):
            raise _invalid("tags", f"at most {MAX_TAGS}, each of 1 to {MAX_TAG} characters")
        return self

    def compared_by(self, metric: str = "") -> str:
        """Return the metric that decides: the one asked for, the experiment's, or the first usual one of any run."""
        chosen = metric or self.metric
        if chosen:
            return chosen
        return next((name for name in USUAL if any(run.figure(name) is not None for run in self.runs)), USUAL[0])

    def ranked(self, metric: str = "") -> Sequence[tuple[Run, float | None]]:
        """Return the runs with their figure, the best first, those without it last; of equals the first one leads."""
        by = self.compared_by(metric)
        sign = 1.0 if is_error(by) else -1.0
        pairs = [(run, run.figure(by)) for run in self.runs]
        return sorted(pairs, key=lambda pair: (pair[1] is None, sign * (pair[1] or 0.0)))

    def best(self, metric: str = "") -> tuple[Run, float] | None:
        """Return the best run and its figure, None where no run has one."""
        run, value = next(iter(self.ranked(metric)), (None, None))
        return None if run is None or value is None else (run, value)


def names_of(metric: str) -> tuple[str, ...]:
    """Return the names under which a metric is kept."""
    return next((names for own, names in _NAMES.items() if metric in names or metric == own), (metric,))


def is_error(metric: str) -> bool:
    """Return whether less of it is better."""
    return metric.removeprefix("cross_").removesuffix("_mean") in _ERRORS


def _invalid(name: str, issue: str) -> Invalid:
    return Invalid(f"{name}: {issue}", code="INVALID_PARAMETERS", details={"field": name, "issue": issue})
