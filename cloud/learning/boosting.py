"""Boosting: gradient boosted trees, forests and quantile trees by LightGBM, and nothing that is ours about them.

Ke et al., LightGBM: A Highly Efficient Gradient Boosting Decision Tree, NeurIPS 2017; Breiman, Random Forests, 2001.
LightGBM is imported when trees are grown or read, so that who only names algorithms does not carry it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from cloud.errors import Invalid
from cloud.learning.algorithm import Part, Progress, quiet
from cloud.learning.table import Floats


class Objective(StrEnum):
    """What the trees are to say."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    VALUE = "regression"
    QUANTILE = "quantile"


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees are grown; shares 0..1; bins: how finely each column is cut; is_forest: side by side, not in turn."""

    objective: Objective
    trees: int = 200
    learning_rate: float = 0.05
    leaves: int = 15
    min_rows_a_leaf: int = 20
    column_share: float = 0.7
    row_share: float = 0.7
    l2: float = 1.0
    bins: int = 255
    is_forest: bool = False
    n_classes: int = 1
    quantile: float = 0.5
    threads: int = 1

    def parameters(self, seed: int) -> dict[str, object]:
        """Return the same in LightGBM's words."""
        words: dict[str, object] = {
            "objective": self.objective.value, "boosting": "rf" if self.is_forest else "gbdt",
            "learning_rate": self.learning_rate, "num_leaves": self.leaves, "min_data_in_leaf": self.min_rows_a_leaf,
            "feature_fraction": self.column_share, "bagging_fraction": self.row_share, "lambda_l2": self.l2,
            "bagging_freq": 1 if self.row_share < 1 or self.is_forest else 0, "max_bin": self.bins,
            "min_data_in_bin": 1 if self.bins > 255 else 3, "seed": seed, "deterministic": True,
            "force_row_wise": True, "num_threads": self.threads, "verbosity": -1,
        }  # fmt: skip
        if self.objective is Objective.MULTICLASS:
            words["num_class"] = self.n_classes
        if self.objective is Objective.QUANTILE:
            words["alpha"] = self.quantile
        return words


class Trees:
    """Grown trees, kept as LightGBM's own text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._booster = _booster(text)
        self._share = 1.0 / self._booster.current_iteration() if "\naverage_output\n" in text[:2000] else 1.0

    @property
    def n_columns(self) -> int:
        """Return how many columns the trees look at."""
        return int(self._booster.num_feature())

    def raw(self, values: Floats) -> Floats:
        """Return the sum of the trees, a forest's mean, shape (n, outputs): log odds, or the value itself."""
        return self._share * self._shaped(self._booster.predict(values, raw_score=True, num_threads=1), len(values))

    def said(self, values: Floats) -> Floats:
        """Return probabilities or values, shape (n, outputs)."""
        return self._shaped(self._booster.predict(values, num_threads=1), len(values))

    def contributions(self, values: Floats) -> tuple[Floats, Floats]:
        """Return exact SHAP values (n, outputs, n_columns) and their base (n, outputs), which add up to `raw`.

        Lundberg et al., Consistent Individualized Feature Attribution for Tree Ensembles, 2018.
        """
        parts = np.asarray(self._booster.predict(values, pred_contrib=True, num_threads=1), dtype=np.float64)
        parts = self._share * parts.reshape(len(values), -1, self.n_columns + 1)
        return parts[:, :, :-1], parts[:, :, -1]

    @staticmethod
    def _shaped(numbers: object, n_rows: int) -> Floats:
        return np.asarray(numbers, dtype=np.float64).reshape(n_rows, -1)


def grow(
    values: Floats,
    target: Floats,
    growth: Growth,
    *,
    seed: int,
    progress: Progress = quiet,
    weight: Floats | None = None,
) -> Trees:
    """Return trees for values (n, n_columns), NaN where missing, and target (n,); raise what progress raises."""
    import lightgbm  # noqa: PLC0415 - see above

    def told(environment: Any) -> None:  # noqa: ANN401 - LightGBM names no type for it
        progress((environment.iteration + 1) / growth.trees, f"tree {environment.iteration + 1} of {growth.trees}")

    parameters = growth.parameters(seed)
    data = lightgbm.Dataset(values, target, weight=weight, params=parameters)
    booster = lightgbm.train(parameters, data, growth.trees, callbacks=[told])
    return Trees(booster.model_to_string())


def grow_quantiles(
    values: Floats,
    target: Floats,
    quantiles: Sequence[float],
    growth: Growth,
    *,
    seed: int,
    progress: Progress = quiet,
) -> tuple[Trees, ...]:
    """Return one model a quantile; Koenker and Bassett, Regression Quantiles, 1978."""
    grown = []
    for i, quantile in enumerate(quantiles):
        own = replace(growth, objective=Objective.QUANTILE, quantile=quantile)
        grown.append(grow(values, target, own, seed=seed, progress=Part(progress, i, len(quantiles))))
    return tuple(grown)


def rising_quantiles(models: Sequence[Trees], values: Floats) -> Floats:
    """Return what each model says, sorted so that quantiles never cross, shape (n, n_quantiles).

    Sorting never makes them worse: Chernozhukov et al., Quantile and Probability Curves Without Crossing, 2010.
    """
    return np.sort(np.column_stack([model.said(values)[:, 0] for model in models]), axis=1)


def _booster(text: str) -> Any:  # noqa: ANN401 - LightGBM has no types
    import lightgbm  # noqa: PLC0415 - see above

    if not text.startswith("tree\n"):
        raise Invalid("the model's text is none of LightGBM's")
    try:
        return lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise Invalid(f"the model's text cannot be read: {error}") from error
