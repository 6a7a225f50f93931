"""Preparing: what detectors of numbers need of other rows: categories as numbers, lags; learned and kept with a model.

A category becomes how surprising it is, the negative logarithm of its share of the rows learned from, so that a rare
one is far from the others and one that was never seen is farther still.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from cloud.errors import Invalid
from cloud.learning.algorithm import Algorithm, Explanation, Learned, Progress, Settings, Task, Trained
from cloud.learning.features.lagged import SensorFeatureTransformer
from cloud.learning.keeping import read_file
from cloud.learning.table import Floats, Table

PREPARATION = "preparation.json"
_CHANGE = "change of"
_HALF = 0.5
_OUTSIDE, _FAR = 5.0, 100.0
"""How fast a score nears 1 outside of what was seen: by e for each fifth of the range that was."""
_APART = 0.01
"""Categories of one share must not become one number."""


class Encoding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column of categories: the number of each, in their order, and that of any other."""

    levels: tuple[str, ...]
    numbers: tuple[float, ...]
    unseen: float

    def of(self, column: Floats) -> Floats:
        """Return the numbers of places in `levels` (n,), NaN for a category that is not among them."""
        known = (column >= 0) & (column < len(self.levels))
        place = np.where(known, np.nan_to_num(column, nan=-1.0), -1.0).astype(np.int64)
        found: Floats = np.array([*self.numbers, self.unseen])[place]
        return found


class Lagging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a series was made rows of: of each column itself and its change, with lags of both, scaled to [0, 1]."""

    lags: int
    minimum: tuple[float, ...]
    range: tuple[float, ...]


class Preparation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done to rows (of these columns) before the model sees them."""

    columns: tuple[str, ...]
    encodings: dict[str, Encoding] = {}
    lagging: Lagging | None = None

    def apply(self, table: Table) -> Table:
        """Return the table that the model sees, of the same rows; raise Invalid that names a missing column."""
        levels = {name: one.levels for name, one in self.encodings.items()}
        own = table.like(self.columns, levels)
        values = own.values.copy()
        for name, encoding in self.encodings.items():
            values[:, self.columns.index(name)] = encoding.of(values[:, self.columns.index(name)])
        plain = replace(own, values=values, levels={})
        return plain if self.lagging is None else _lagged(plain, self.lagging)

    def sources(self) -> tuple[int, ...]:
        """Return of which column of the rows each column of the prepared table is."""
        if self.lagging is None:
            return tuple(range(len(self.columns)))
        each = 2 * (1 + self.lagging.lags)
        return tuple(place for place in range(len(self.columns)) for _ in range(each))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model behind its preparation."""

    inner: Trained
    preparation: Preparation

    @property
    def learned(self) -> Learned:
        """Return what it learned from: the columns as people know them."""
        levels = {name: one.levels for name, one in self.preparation.encodings.items()}
        return replace(self.inner.learned, columns=self.preparation.columns, levels=levels)

    def score(self, table: Table) -> Floats:
        """Return the scores of the model behind, shape (n,)."""
        return self.inner.score(self.preparation.apply(table))

    def predict(self, table: Table) -> Floats:
        """Return 1 for rows over the threshold, else 0, shape (n,)."""
        return (self.outputs(table)[:, 0] > _HALF).astype(np.float64)

    def outputs(self, table: Table) -> Floats:
        """Return the scores with .5 at the threshold, shape (n, 1), nearer to 1 the farther a row is outside.

        Trees cannot tell how far beyond all that they saw a value is; where series are scaled, that is known.
        """
        applied = self.preparation.apply(table)
        found = self.inner.outputs(applied)
        if self.preparation.lagging is None:
            return found
        outside = np.maximum(-applied.values, applied.values - 1.0).max(axis=1).clip(0.0, _FAR)
        return np.asarray(1.0 - (1.0 - found) * np.exp(-_OUTSIDE * outside)[:, None], np.float64)

    def explain(self, table: Table) -> Explanation:
        """Return contributions of the columns as people know them; what is made of one column counts for it."""
        told = self.inner.explain(self.preparation.apply(table))
        placed = np.zeros(table.values.shape)
        for made, source in enumerate(self.preparation.sources()):
            placed[:, table.columns.index(self.preparation.columns[source])] += told.contributions[:, made]
        return replace(told, contributions=placed)

    def files(self) -> Mapping[str, bytes]:
        """Return the files of the model behind, and the preparation."""
        kept = msgspec.json.format(msgspec.json.encode(self.preparation), indent=1)
        return {**self.inner.files(), PREPARATION: kept}


@dataclass(frozen=True, slots=True)
class Preparing:
    """An algorithm that learns from prepared rows; lags: 0 for none."""

    inner: Algorithm
    lags: int = 0
    name: str = field(init=False, default="")
    summary: str = field(init=False, default="")
    task: Task = field(init=False, default=Task.ANOMALY)
    settings: type[Settings] = field(init=False, default=Settings)

    def __post_init__(self) -> None:
        for name in ("name", "summary", "task", "settings"):
            object.__setattr__(self, name, getattr(self.inner, name))

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:
        """Learn the preparation, then the model."""
        made = learn_preparation(table, lags=self.lags)
        return Prepared(self.inner.fit(made.apply(table), settings, progress, seed), made)

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model kept as these files; raise Invalid where they are no such model."""
        return load_prepared(self.inner, files)


def load_prepared(algorithm: Algorithm, files: Mapping[str, bytes]) -> Trained:
    """Return the model kept as these files, behind its preparation where it has one; raise Invalid."""
    if PREPARATION not in files:
        return algorithm.load(files)
    try:
        made = msgspec.json.decode(read_file(files, PREPARATION), type=Preparation)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(f"{PREPARATION}: {error}") from error
    return Prepared(algorithm.load({name: data for name, data in files.items() if name != PREPARATION}), made)


def learn_preparation(table: Table, *, lags: int = 0) -> Preparation:
    """Return what makes numbers of these rows; lags: 1 to 5 for rows of a series, 0 for none."""
    encodings = {name: _encoding(table.column(name), levels) for name, levels in table.levels.items()}
    plain = Preparation(table.columns, encodings)
    if not lags:
        return plain
    found = SensorFeatureTransformer(lags).fit(_with_changes(plain.apply(table)).values)
    lagging = Lagging(lags, tuple(found.minimum_.tolist()), tuple(found.range_.tolist()))
    return msgspec.structs.replace(plain, lagging=lagging)


def _encoding(column: Floats, levels: tuple[str, ...]) -> Encoding:
    known = column[np.isfinite(column)].astype(np.int64)
    counts = np.bincount(known, minlength=len(levels))
    present = [place for place in np.argsort(-counts, kind="stable").tolist() if counts[place]]
    shares = counts[present] / max(len(known), 1)
    numbers = -np.log(shares) + _APART * np.arange(len(present))
    unseen = float(np.log(2.0 * max(len(known), 1)) + _APART * len(present))
    return Encoding(tuple(levels[place] for place in present), tuple(numbers.tolist()), unseen)


def _with_changes(table: Table) -> Table:
    """Return each column followed by its change since the row before, of the same machine."""
    changes = np.zeros_like(table.values)
    for rows in table.runs():
        own = table.values[rows]
        changes[rows] = np.diff(own, axis=0, prepend=own[:1])
    both = np.stack([table.values, changes], axis=2).reshape(len(table), -1)
    names = tuple(name for column in table.columns for name in (column, f"{_CHANGE} {column}"))
    return replace(table, columns=names, values=both)


def _lagged(table: Table, how: Lagging) -> Table:
    both = _with_changes(table)
    scale = SensorFeatureTransformer(how.lags)
    scale.minimum_, scale.range_ = np.array(how.minimum), np.array(how.range)
    values = np.empty((len(table), len(both.columns) * (1 + how.lags)))
    for rows in table.runs():
        if len(rows):
            values[rows] = scale.transform(both.values[rows])
    names = tuple(_lag_name(name, lag) for name in both.columns for lag in range(1 + how.lags))
    return replace(both, columns=names, values=values)


def _lag_name(column: str, lag: int) -> str:
    return column if lag == 0 else f"{column} lag {lag}"
