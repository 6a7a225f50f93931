"""Lagged: a series becomes rows of itself and its last values, gaps filled, scaled to [0, 1] by what was learned."""

from types import SimpleNamespace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloud.errors import Invalid

Floats = NDArray[np.float64]
MOST_LAGS = 5


class SensorFeatureTransformer:
    """Fit, transform and parameters as scikit-learn's pipelines ask for; (n, k) becomes (n, k (1 + lags)).

    Columns come in the order value, value 1 row ago, ..., value of the next column. A gap takes the value before it
    (forward fill), a gap at the beginning the first value after it (back fill), and so do lags before the first row.
    Scaling is by the least and greatest value of each column in the rows learned from: these become 0 and 1; later
    rows beyond them go beyond, unless `clip`.
    """

    def __init__(self, lags: int = MOST_LAGS, *, clip: bool = False) -> None:
        """Lags: 1 to 5; they are checked by `fit`, as scikit-learn asks."""
        self.lags = lags
        self.clip = clip

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - scikit-learn's signature
        """Return what it was made with."""
        del deep
        return {"lags": self.lags, "clip": self.clip}

    def set_params(self, **parameters: Any) -> Self:  # noqa: ANN401 - scikit-learn's signature
        """Set what it is made with; raise Invalid for a name that there is not."""
        for name, value in parameters.items():
            if name not in self.get_params():
                raise Invalid(f"{name}: there are {', '.join(self.get_params())}", details={"field": name})
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> SimpleNamespace:
        """Return what scikit-learn wants to know of a transformer, without scikit-learn."""
        takes = SimpleNamespace(one_d_array=False, two_d_array=True, sparse=False, pairwise=False, allow_nan=True)
        gives = SimpleNamespace(required=False, one_d_labels=False, two_d_labels=False, multi_output=False)
        return SimpleNamespace(
            estimator_type="transformer",
            requires_fit=True,
            no_validation=False,
            non_deterministic=False,
            array_api_support=False,
            input_tags=takes,
            target_tags=gives,
            transformer_tags=SimpleNamespace(preserves_dtype=["float64"]),
        )

    def fit(self, rows: ArrayLike, target: object = None) -> Self:
        """Learn least and greatest of each column; raise Invalid for what cannot be learned from."""
        del target
        if isinstance(self.lags, bool) or not isinstance(self.lags, int) or not 1 <= self.lags <= MOST_LAGS:
            raise Invalid(f"lags: {self.lags!r} is not 1 to {MOST_LAGS}", details={"field": "lags"})
        values = _filled(_checked(rows))
        self.minimum_: Floats = values.min(axis=0)
        self.range_: Floats = np.ptp(values, axis=0)
        if (self.range_ == 0).any():
            column = int(np.flatnonzero(self.range_ == 0)[0])
            raise Invalid(f"column {column}: always the same; there is nothing to scale", details={"field": "rows"})
        return self

    def transform(self, rows: ArrayLike) -> Floats:
        """Return the features, shape (n, k (1 + lags)); raise Invalid before `fit`, or for other columns."""
        if not hasattr(self, "minimum_"):
            raise Invalid("features: nothing was learned yet; call fit first", details={"field": "rows"})
        values = _checked(rows)
        if values.shape[1] != len(self.minimum_):
            told = f"rows: {values.shape[1]} columns, {len(self.minimum_)} were learned"
            raise Invalid(told, details={"field": "rows"})
        scaled = (_filled(values) - self.minimum_) / self.range_
        if self.clip:
            scaled = np.clip(scaled, 0.0, 1.0)
        return with_lags(scaled, self.lags)

    def fit_transform(self, rows: ArrayLike, target: object = None) -> Floats:
        """Learn from the rows and return their features."""
        return self.fit(rows, target).transform(rows)


def with_lags(values: Floats, lags: int) -> Floats:
    """Return each column followed by its values 1, 2, ... rows ago, the first value where there was none yet."""
    before = [
        np.concatenate([np.repeat(values[:1], lag, axis=0), values[: len(values) - lag]]) for lag in range(1, lags + 1)
    ]
    stacked = np.stack([values, *(one[: len(values)] for one in before)], axis=2)
    return np.ascontiguousarray(stacked.reshape(len(values), -1))


def _checked(rows: ArrayLike) -> Floats:
    try:
        values = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise Invalid(f"rows: not numbers: {error}", details={"field": "rows"}) from error
    if values.ndim != 2 or not values.size:
        raise Invalid(f"rows: shape {values.shape} is not (rows, columns)", details={"field": "rows"})
    if np.isinf(values).any():
        raise Invalid("rows: infinity is no reading", details={"field": "rows"})
    empty = np.flatnonzero(np.isnan(values).all(axis=0))
    if len(empty):
        raise Invalid(f"column {empty[0]}: every value is missing", details={"field": "rows"})
    return values


def _filled(values: Floats) -> Floats:
    known = ~np.isnan(values)
    if known.all():
        return values
    place = np.where(known, np.arange(len(values))[:, None], -1)
    before = np.maximum.accumulate(place, axis=0)
    first = known.argmax(axis=0)
    taken = np.where(before < 0, first[None, :], before)
    filled: Floats = np.take_along_axis(values, taken, axis=0)
    return filled
