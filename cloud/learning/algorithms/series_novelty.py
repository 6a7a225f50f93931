"""Novelty: each column against its own past, for series without companions; see `cloud/learning/novelty.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cloud.errors import Invalid
from cloud.learning.algorithm import Explanation, Learned, Progress, Settings, Task, Trained, own_settings
from cloud.learning.keeping import CARD, arrays_file, card_file, read_arrays, read_card, read_file
from cloud.learning.novelty import THRESHOLD, Pace, novelty
from cloud.learning.soundness import normal_rows, require_columns, require_finite, require_rows, require_variation
from cloud.learning.table import Floats, Table

ARRAYS = "history.npz"
MIN_ROWS = 200
US = 1e6


class NoveltySettings(Settings):
    """threshold: of the score; remember: rows kept of the past; keeps_learning: what was judged counts as past."""

    threshold: Annotated[float, Field(gt=0, le=50)] = THRESHOLD
    remember: Annotated[int, Field(ge=MIN_ROWS, le=20_000)] = 5_000
    period_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    """Seconds from row to row, for the daily pattern; 0: by the table's times."""
    keeps_learning: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """The past that rows are compared with; history: (n, n_columns); season: rows of a day, 0 without."""

    learned: Learned
    history: Floats
    season: int

    def score(self, table: Table) -> Floats:
        """Return the highest score among the columns, shape (n,)."""
        best: Floats = self._by_column(table).max(axis=1)
        return best

    def predict(self, table: Table) -> Floats:
        """Return 1 for rows over the threshold, else 0, shape (n,)."""
        return (self.score(table) > self._settings.threshold).astype(np.float64)

    def outputs(self, table: Table) -> Floats:
        """Return the scores in 0..1, .5 at the threshold, shape (n, 1)."""
        score = self.score(table)
        return (score / (score + self._settings.threshold))[:, None]

    def explain(self, table: Table) -> Explanation:
        """Return the share of the score in 0..1 that each column has by its own score."""
        by_column, score = self._by_column(table), self.outputs(table)[:, 0]
        placed = np.zeros(table.values.shape)
        places = [table.columns.index(name) for name in self.learned.columns]
        total = np.maximum(by_column.sum(axis=1), np.finfo(np.float64).tiny)
        placed[:, places] = by_column * (score / total)[:, None]
        return Explanation(placed, np.zeros(len(table)), "score", "column_scores", is_exact=True)

    def files(self) -> Mapping[str, bytes]:
        """Return the card and the past."""
        return {
            CARD: card_file(self.learned),
            ARRAYS: arrays_file({"history": self.history, "season": np.array([self.season])}),
        }

    @property
    def _settings(self) -> NoveltySettings:
        return own_settings(NoveltySettings, self.learned.settings)

    def _by_column(self, table: Table) -> Floats:
        own = table.select(self.learned.columns)
        require_finite(own)
        scores = np.zeros(own.values.shape)
        for rows in own.runs():
            scores[rows] = self._judged(own.values[rows])
        return scores

    def _judged(self, rows: Floats) -> Floats:
        n = len(self.history)
        pace = Pace(learn=n, season=self.season)
        learned = None if self._settings.keeps_learning else n
        both = np.concatenate([self.history, rows])
        return np.column_stack([novelty(column, pace, learned=learned)[n:] for column in both.T])


@dataclass(frozen=True, slots=True)
class SeriesNovelty:
    """Finds what a series never did before, whatever its shape; each column by itself."""

    name: str = "novelty"
    summary: str = "What a series never did before, whatever its shape; each column by itself."
    task: Task = Task.ANOMALY
    settings: type[Settings] = NoveltySettings

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:  # noqa: ARG002 - none drawn
        """Remember the newest rows not labelled faulty; raise Invalid where they are too few or hold no number."""
        own = own_settings(NoveltySettings, settings)
        require_columns(table)
        table = normal_rows(table)
        require_rows(table, MIN_ROWS)
        require_finite(table)
        require_variation(table)
        progress(0.5, "remembering")
        history = table.values[-own.remember :]
        season = Pace.of(len(history), own.period_s or _period_s(table.time_us)).season
        figures = {"rows": float(len(history)), "season": float(season)}
        learned = Learned(self.name, self.task, table.columns, ("normal", "anomaly"), own, figures)
        progress(1.0, "remembered")
        return Remembered(learned, history, season if season < len(history) else 0)

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model kept as these files; raise Invalid where they are no such model."""
        learned = read_card(files, self.name, self.settings)
        arrays = read_arrays(read_file(files, ARRAYS), ("history", "season"))
        history, season = arrays["history"], arrays["season"]
        is_sound = history.ndim == 2 and history.shape[1] == len(learned.columns) and len(history) >= MIN_ROWS
        if not is_sound or season.shape != (1,) or season[0] < 0 or not np.isfinite(history).all():
            raise Invalid(f"{ARRAYS}: no past of {len(learned.columns)} columns")
        return Remembered(learned, history.astype(np.float64), int(season[0]))


def _period_s(time_us: NDArray[np.int64] | None) -> float:
    return 0.0 if time_us is None or len(time_us) < 2 else float(np.median(np.diff(time_us))) / US
