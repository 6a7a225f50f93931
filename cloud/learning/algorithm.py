"""Algorithm: the one port behind which everything that learns lives; a Trained is what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, ValidationError

from cloud.errors import CloudError, Invalid
from cloud.learning.table import Floats, Table
from protocols.scoring.model import Fitted


class Task(StrEnum):
    """What is learned."""

    ANOMALY = "anomaly"
    """How strange a row is, learned from normal ones."""
    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    FORECAST = "forecast"
    """Quantiles of a value that is not known yet."""


class Cancelled(CloudError):
    """Somebody asked that the work stops; nothing of it is kept."""


class Progress(Protocol):
    """Told how far a fit is."""

    def __call__(self, share: float, step: str) -> None:
        """Note that this share, 0 to 1, is done, and what is done next; raise Cancelled where it shall stop."""


class Settings(BaseModel):
    """What a person may set of an algorithm; every number has bounds and every default works."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why rows were judged so.

    contributions: (n, n_columns) in the order of the table's columns; base: (n,); space: `raw`, `probability` or
    `score`: what base + contributions add up to where `is_exact`; method_used: what was really done.
    """

    contributions: Floats
    base: Floats
    space: str
    method_used: str
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of a trained model without running it.

    figures: of the fit, by name, all finite; levels: the categories it knows, by column.
    """

    algorithm: str
    task: Task
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    settings: Settings
    figures: Mapping[str, float]
    quantiles: tuple[float, ...] = ()
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Trained(Protocol):
    """A model that has learned. Owes: the same table gives the same numbers, also after `files` and `load`.

    Tables may hold more columns than were learned from, in any order; one that is missing raises Invalid and is named.
    For an anomaly no row's numbers depend on a later row of its group.
    """

    @property
    def learned(self) -> Learned:
        """Return what it learned from and how."""

    def score(self, table: Table) -> Floats:
        """Return one number a row, (n,): strangeness, probability of not the first class, value, middle quantile."""

    def predict(self, table: Table) -> Floats:
        """Return the answer, (n,): 0 or 1 over the threshold, a class's index, a value, or the middle quantile."""

    def outputs(self, table: Table) -> Floats:
        """Return all that it says, shape (n, k): probabilities by class, the value, or rising quantiles.

        For an anomaly k is 1: the score in 0..1 where .5 is the threshold.
        """

    def explain(self, table: Table) -> Explanation:
        """Return what each column of the table added to what was said of each row."""

    def files(self) -> Mapping[str, bytes]:
        """Return the model as files of text, JSON, npz or TFLite, by name: what `load` takes."""


@runtime_checkable
class Portable(Protocol):
    """A Trained that a gateway can run as well."""

    @property
    def is_fleet(self) -> bool:
        """Say whether it learned from several machines, so that each learns scale and threshold anew."""

    def fitted(self) -> Fitted:
        """Return the model in the form that packages carry."""


class Algorithm(Protocol):
    """One way to learn. Owes: the same table, settings and seed give the same model.

    Refuses with Invalid, which names the column: too few rows, NaN or infinity, a constant, one class only.
    """

    @property
    def name(self) -> str:
        """Return what people call it by."""

    @property
    def task(self) -> Task:
        """Return what it learns."""

    @property
    def summary(self) -> str:
        """Return what it is for, in a sentence."""

    @property
    def settings(self) -> type[Settings]:
        """Return the kind of its settings."""

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:
        """Learn from the table; raise Invalid for what nothing is learned from, Cancelled where progress says so."""

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model that `files` gave; raise Invalid where they are not one of this algorithm's."""


S = TypeVar("S", bound=Settings)


def read_settings(kind: type[S], values: Mapping[str, object]) -> S:
    """Return settings of this kind; raise Invalid that names every setting which is wrong."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        wrong = [(".".join(map(str, finding["loc"])), finding["msg"]) for finding in error.errors()]
        message = "; ".join(f"{field or 'settings'}: {problem}" for field, problem in wrong)
        raise Invalid(message, details={"field": wrong[0][0]}) from error


def own_settings(kind: type[S], settings: Settings) -> S:
    """Return the settings if they are of this kind; raise Invalid where they are another algorithm's."""
    if not isinstance(settings, kind):
        raise Invalid(f"settings: {type(settings).__name__} given, {kind.__name__} needed")
    return settings


def card_of(learned: Learned) -> dict[str, object]:
    """Return what readers of a version are told of how it works, as JSON has it."""
    return {
        "algorithm": learned.algorithm,
        "task": learned.task.value,
        "columns": list(learned.columns),
        "classes": list(learned.classes),
        "quantiles": list(learned.quantiles),
        "settings": learned.settings.model_dump(mode="json"),
        "figures": dict(learned.figures),
        "levels": {name: list(levels) for name, levels in learned.levels.items()},
    }


def quiet(share: float, step: str) -> None:
    """Note nothing: the progress of a fit that nobody watches."""


@dataclass(frozen=True, slots=True)
class Part:
    """Progress of one of several equal parts of a whole."""

    whole: Progress
    index: int
    of: int

    def __call__(self, share: float, step: str) -> None:
        """Tell the whole how far it is."""
        self.whole((self.index + share) / self.of, step)
