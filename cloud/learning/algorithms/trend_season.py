"""Trend and season: a value as a line that bends, patterns of day and week, and what other columns add to it.

Taylor and Letham, Forecasting at Scale, 2018 (Prophet), without its sampler: the most likely coefficients under the
same priors, Laplace for the bends by reweighted least squares, normal for the rest. Quantiles by what was left over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cloud.errors import Invalid
from cloud.learning.algorithm import Explanation, Learned, Progress, Settings, Task, Trained, own_settings
from cloud.learning.keeping import CARD, arrays_file, card_file, read_arrays, read_card, read_file
from cloud.learning.soundness import require_columns, require_finite, require_rows, require_values, require_variation
from cloud.learning.table import Floats, Table

ARRAYS = "trend.npz"
MIN_ROWS = 40
_NAMES = ("bends", "weights", "columns", "frame", "offsets")
_DAY_US, _WEEK_US = 86_400e6, 7 * 86_400e6
_ROUNDS = 30
_TREND_SCALE, _COLUMN_SCALE = 5.0, 10.0
_LEAST_SLOPE = 1e-4
_BENDS_UNTIL = 0.8
"""A bend near the end would be drawn through noise, and the future hangs on it."""


class TrendSettings(Settings):
    """changepoints: where the trend may bend, evenly over the first 80 %; scales: how far that and seasons may go."""

    changepoints: Annotated[int, Field(ge=0, le=100)] = 25
    changepoint_prior_scale: Annotated[float, Field(gt=0, le=10)] = 0.1
    seasonality_prior_scale: Annotated[float, Field(gt=0, le=100)] = 5.0
    daily_order: Annotated[int, Field(ge=0, le=24)] = 6
    weekly_order: Annotated[int, Field(ge=0, le=10)] = 3
    quantiles: tuple[float, float, float] = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """What was learned; weights: of all terms in order; columns: (2, n_columns) middle and spread of each.

    frame: first time and span in microseconds (0 without times), middle and spread of the target; offsets: of the
    quantiles from what is said.
    """

    learned: Learned
    bends: Floats
    weights: Floats
    columns: Floats
    frame: Floats
    offsets: Floats

    def score(self, table: Table) -> Floats:
        """Return the value that is most likely, shape (n,)."""
        own = self._own(table)
        said: Floats = self._time_part(own) + self._column_parts(own).sum(axis=1)
        return said

    def predict(self, table: Table) -> Floats:
        """Return the same."""
        return self.score(table)

    def outputs(self, table: Table) -> Floats:
        """Return rising quantiles, shape (n, 3)."""
        return self.score(table)[:, None] + self.offsets

    def explain(self, table: Table) -> Explanation:
        """Return what each column added to trend and season, exactly."""
        own = self._own(table)
        placed = np.zeros(table.values.shape)
        parts = self._column_parts(own)
        for place, name in enumerate(self.learned.columns):
            placed[:, table.columns.index(name)] = parts[:, place]
        return Explanation(placed, self._time_part(own), "raw", "linear", is_exact=True)

    def files(self) -> Mapping[str, bytes]:
        """Return the card and all numbers."""
        return {CARD: card_file(self.learned), ARRAYS: arrays_file({name: getattr(self, name) for name in _NAMES})}

    def _own(self, table: Table) -> Table:
        own = table.select(self.learned.columns)
        require_finite(own)
        if self.frame[1] > 0 and own.time_us is None:
            raise Invalid("timestamp: is needed, the model foretells by time", details={"field": "timestamp"})
        return own

    def _time_part(self, own: Table) -> Floats:
        settings = own_settings(TrendSettings, self.learned.settings)
        terms = _time_terms(own.time_us if self.frame[1] > 0 else None, len(own), self.bends, self.frame, settings)
        said: Floats = self.frame[2] + self.frame[3] * (terms @ self.weights[: terms.shape[1]])
        return said

    def _column_parts(self, own: Table) -> Floats:
        n_columns = len(self.learned.columns)
        weights = self.weights[len(self.weights) - n_columns :]
        parts: Floats = self.frame[3] * weights * (own.values - self.columns[0]) / self.columns[1]
        return parts


@dataclass(frozen=True, slots=True)
class TrendSeason:
    """Foretells a value by when it is: trend that bends, day, week, and other columns in a straight line."""

    name: str = "trend_season"
    summary: str = "A value by its trend, day and week, as far ahead as one likes."
    task: Task = Task.FORECAST
    settings: type[Settings] = TrendSettings

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:
        """Learn from the target and its times; columns may be none where times are known."""
        del seed
        own = own_settings(TrendSettings, settings)
        if table.time_us is None:
            require_columns(table)
        require_rows(table, MIN_ROWS)
        require_finite(table)
        require_variation(table)
        target = require_values(table)
        progress(0.1, "fitting trend and season")
        frame = _frame(table.time_us, target)
        bends = (
            _BENDS_UNTIL * np.arange(1, own.changepoints + 1) / max(own.changepoints, 1)
            if frame[1] > 0
            else np.zeros(0)
        )
        columns = np.stack([table.values.mean(axis=0), np.maximum(table.values.std(axis=0), 1e-300)])
        terms = _time_terms(table.time_us if frame[1] > 0 else None, len(table), bends, frame, own)
        design = np.column_stack([terms, (table.values - columns[0]) / columns[1]])
        scales, is_bend = _priors(len(bends), terms.shape[1], len(table.columns), own)
        scaled = (target - frame[2]) / frame[3]
        weights = _likeliest(design, scaled, scales, is_bend)
        left = frame[3] * (scaled - design @ weights)
        offsets = np.quantile(left, own.quantiles)
        figures = {"rows": float(len(table)), "left_over": float(left.std())}
        learned = Learned(self.name, self.task, table.columns, (), own, figures, own.quantiles)
        progress(1.0, "fitted")
        return Trend(learned, bends, weights, columns, frame, offsets)

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model kept as these files; raise Invalid where they are no such model."""
        learned = read_card(files, self.name, self.settings)
        arrays: dict[str, NDArray[Any]] = read_arrays(read_file(files, ARRAYS), _NAMES)
        is_sound = arrays["frame"].shape == (4,) and arrays["columns"].shape == (2, len(learned.columns))
        is_sound = is_sound and arrays["offsets"].shape == (len(learned.quantiles),)
        if not is_sound or not all(np.isfinite(array).all() for array in arrays.values()):
            raise Invalid(f"{ARRAYS}: no trend of {len(learned.columns)} columns")
        return Trend(learned, *(arrays[name] for name in _NAMES))


def _frame(time_us: NDArray[np.int64] | None, target: Floats) -> Floats:
    spread = float(target.std())
    if time_us is None:
        return np.array([0.0, 0.0, float(target.mean()), spread])
    first, span = float(time_us.min()), float(np.ptp(time_us))
    if span == 0:
        raise Invalid("time: all rows are of one moment", details={"field": "time"})
    return np.array([first, span, float(target.mean()), spread])


def _time_terms(
    time_us: NDArray[np.int64] | None, n_rows: int, bends: Floats, frame: Floats, settings: TrendSettings
) -> Floats:
    """Return 1, the line, its bends, and waves of day and week as far as the rows learned from hold them, (n, k)."""
    if time_us is None:
        return np.ones((n_rows, 1))
    at = (time_us - frame[0]) / frame[1]
    terms = [np.ones(n_rows), at, *np.maximum(at[:, None] - bends, 0.0).T]
    for period, order in ((_DAY_US, settings.daily_order), (_WEEK_US, settings.weekly_order)):
        if frame[1] < 2 * period:
            continue
        turn = 2 * np.pi * (time_us % period) / period
        for k in range(1, order + 1):
            terms += [np.sin(k * turn), np.cos(k * turn)]
    return np.column_stack(terms)


def _priors(n_bends: int, n_terms: int, n_columns: int, settings: TrendSettings) -> tuple[Floats, NDArray[np.bool_]]:
    n_line = min(2, n_terms)
    scales = np.concatenate(
        [
            np.full(n_line, _TREND_SCALE),
            np.full(n_bends, settings.changepoint_prior_scale),
            np.full(n_terms - n_line - n_bends, settings.seasonality_prior_scale),
            np.full(n_columns, _COLUMN_SCALE),
        ]
    )
    is_bend = np.zeros(len(scales), bool)
    is_bend[n_line : n_line + n_bends] = True
    return scales, is_bend


def _likeliest(design: Floats, target: Floats, scales: Floats, is_bend: NDArray[np.bool_]) -> Floats:
    """Return the most likely weights; a Laplace prior is a normal one whose variance follows the weight."""
    products, aims = design.T @ design, design.T @ target
    noise = 0.1
    weights: Floats = np.zeros(len(scales))
    for _ in range(_ROUNDS):
        variance = np.where(is_bend, scales * np.maximum(np.abs(weights), _LEAST_SLOPE), scales**2)
        found = np.linalg.solve(products + np.diag(noise / variance), aims)
        noise = max(float(np.mean((target - design @ found) ** 2)), 1e-12)
        if np.allclose(found, weights, atol=1e-9):
            break
        weights = np.asarray(found, np.float64)
    return weights
