"""Boosted: a model of trees that has learned: its answers, their exact reasons, and the files it is kept as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cloud.errors import Invalid
from cloud.learning.algorithm import Explanation, Learned, Settings, Task
from cloud.learning.boosting import Trees, rising_quantiles
from cloud.learning.features.expand import Expanded, expand
from cloud.learning.features.recipe import Recipe
from cloud.learning.keeping import CARD, card_file, read_card, read_file
from cloud.learning.table import Floats, Table

HALF = 0.5


class WithFeatures(Settings):
    """Settings of an algorithm that may look at columns made of the table's."""

    features: Recipe = Recipe()


@dataclass(frozen=True, slots=True)
class Boosted:
    """One model of trees, or one a quantile."""

    learned: Learned
    models: tuple[Trees, ...]

    def score(self, table: Table) -> Floats:
        """Return the probability of not being the first class, the value, or the middle quantile, shape (n,)."""
        outputs = self.outputs(table)
        match self.learned.task:
            case Task.CLASSIFICATION:
                return 1 - outputs[:, 0]
            case Task.FORECAST:
                return outputs[:, _middle(self.learned.quantiles)]
            case Task.REGRESSION | Task.ANOMALY:
                return outputs[:, 0]

    def predict(self, table: Table) -> Floats:
        """Return classes by index, of two by the threshold; values; or the middle quantile, shape (n,)."""
        if self.learned.task is not Task.CLASSIFICATION:
            return self.score(table)
        outputs = self.outputs(table)
        if len(self.learned.classes) == 2:
            return np.asarray(outputs[:, 1] > self.learned.figures.get("threshold", HALF), dtype=np.float64)
        return np.asarray(outputs.argmax(axis=1), dtype=np.float64)

    def outputs(self, table: Table) -> Floats:
        """Return probabilities by class, the value, or rising quantiles, shape (n, k)."""
        values = self._expanded(table).values
        if self.learned.task is Task.FORECAST:
            return rising_quantiles(self.models, values)
        said = self.models[0].said(values)
        return np.column_stack([1 - said, said]) if len(self.learned.classes) == 2 else said

    def explain(self, table: Table) -> Explanation:
        """Return exact SHAP values of the raw output: of the class, value or quantile that was answered."""
        expanded = self._expanded(table)
        model = self.models[_middle(self.learned.quantiles) if self.learned.task is Task.FORECAST else 0]
        parts, base = model.contributions(expanded.values)
        chosen = np.zeros(len(table), dtype=np.int64)
        if parts.shape[1] > 1:
            chosen = (parts.sum(axis=2) + base).argmax(axis=1)
        rows = np.arange(len(table))
        own = expanded.to_columns(parts[rows, chosen])
        return Explanation(self._placed(table, own), base[rows, chosen], "raw", "shap", is_exact=True)

    def files(self) -> Mapping[str, bytes]:
        """Return the card and LightGBM's text of each model."""
        texts = {f"trees-{i}.txt": model.text.encode() for i, model in enumerate(self.models)}
        return {CARD: card_file(self.learned), **texts}

    def _expanded(self, table: Table) -> Expanded:
        recipe = self.learned.settings.features if isinstance(self.learned.settings, WithFeatures) else Recipe()
        return expand(table.like(self.learned.columns, self.learned.levels), recipe)

    def _placed(self, table: Table, contributions: Floats) -> Floats:
        """Return contributions of the learned columns at the places that these have in the table."""
        placed = np.zeros(table.values.shape)
        placed[:, [table.columns.index(name) for name in self.learned.columns]] = contributions
        return placed


def load_boosted(files: Mapping[str, bytes], algorithm: str, kind: type[Settings]) -> Boosted:
    """Return the model that `Boosted.files` gave; raise Invalid where they are not of this algorithm."""
    learned = read_card(files, algorithm, kind)
    n_models = len(learned.quantiles) or 1
    return Boosted(learned, tuple(_trees(files, f"trees-{i}.txt") for i in range(n_models)))


def _trees(files: Mapping[str, bytes], name: str) -> Trees:
    try:
        return Trees(read_file(files, name).decode())
    except UnicodeDecodeError as error:
        raise Invalid(f"{name}: {error}") from error


def _middle(quantiles: Sequence[float]) -> int:
    return int(np.argmin(np.abs(np.asarray(quantiles) - HALF)))
