"""Novelty: how unlike its own past one series is, row by row, whatever its shape; no row looks ahead.

Five views of the series (value, step, hour's mean, hour against the hours before, against the same time of earlier
days) are each compared with all of their past: the mean distance to the nearest earlier values (conformal k nearest
neighbours, Burnaev and Ishimtsev 2016). A distance among the largest of the past counts by how far it lies beyond
them, in mean excesses of that tail (peaks over threshold, Siffer et al. 2017). A row's score is the sum of the
views' logarithms, so that one view alone must be very strange, and several together less so.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cloud.learning.table import Floats

THRESHOLD = 3.5
"""Scores from here on are alarms; between 2 and 4.5 the benchmark's score moves by 5 points."""
NEIGHBOURS = 5
TAIL = 0.05
"""Share of the past's distances that make up its tail."""
TAIL_EVERY = 20
"""Rows between two looks at the tail, which moves slowly."""
SHORT, LONG = 12, 48
"""Rows of the short mean, an hour of readings every 5 minutes, and of the time that it is compared over."""
DAYS = 7
SEASON_SLACK = 1
"""Rows by which a daily pattern may be early or late."""
DAY_S = 86_400.0
LEAST_EXCESS = 1e-12
"""Of a series that has always been on its grid: any other value then counts as very strange, but finitely so."""
MOST_EXCESSES = 1e6


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to look before judging; learn: rows that are not judged; season: rows of a day, 0 without."""

    learn: int
    season: int

    @property
    def hold(self) -> int:
        """Return for how many rows after an alarm more of the same is no new one."""
        return self.learn // 4

    @classmethod
    def of(cls, n_rows: int, period_s: float, *, share: float = 0.15, most: int = 750) -> "Pace":
        """Return the pace for a series of this many rows: its first share is learned from, at most so many rows."""
        return cls(max(2 * LONG, min(int(share * n_rows), most)), round(DAY_S / period_s) if period_s > 0 else 0)


def novelty(values: Floats, pace: Pace, *, learned: int | None = None) -> Floats:
    """Return the score of each row, shape (n,), 0 while learning; values: (n,), finite.

    learned: rows after which nothing more is taken for normal; all that went before a row is where None.
    """
    upto = len(values) if learned is None else learned
    scores = np.zeros(len(values))
    for view in views(values, pace.season):
        scores += np.log1p(excesses(distances(view, pace.learn // 4, upto), pace.learn, upto))
    return scores


def views(values: Floats, season: int) -> Iterator[Floats]:
    """Yield each view of the series, shape (n,)."""
    hour = trailing_mean(values, SHORT)
    yield values
    yield np.diff(values, prepend=values[:1])
    yield hour
    before = np.concatenate([np.full(min(LONG, len(hour)), hour[0]), trailing_mean(values, LONG)[:-LONG]])
    yield hour - before
    if season > 1:
        yield seasonal_difference(values, season)


def trailing_mean(values: Floats, rows: int) -> Floats:
    """Return the mean of each row and those before it, fewer at the beginning; shape (n,)."""
    total = np.concatenate([[0.0], np.cumsum(values - values[0])])
    upto = np.arange(1, len(values) + 1)
    begin = np.maximum(0, upto - rows)
    means: Floats = (total[upto] - total[begin]) / (upto - begin) + values[0]
    return means


def seasonal_difference(values: Floats, season: int) -> Floats:
    """Return each row less the median of the same time on the days before it, 0 on the first day; shape (n,)."""
    n = len(values)
    back = [day * season + slack for day in range(1, DAYS + 1) for slack in range(-SEASON_SLACK, SEASON_SLACK + 1)]
    earlier = np.full((len(back), n), np.nan)
    for row, rows in enumerate(back):
        if rows < n:
            earlier[row, rows:] = values[: n - rows]
    known = np.flatnonzero(~np.isnan(earlier).all(axis=0))
    difference = np.zeros(n)
    difference[known] = values[known] - np.nanmedian(earlier[:, known], axis=0)
    return difference


def distances(view: Floats, begin: int, upto: int) -> Floats:
    """Return the mean distance of each row to the nearest rows before it and before `upto`, shape (n,).

    It is 0 before row `begin`.
    """
    found = np.zeros(len(view))
    past = sorted(view[:begin].tolist())
    for row in range(begin, len(view)):
        value = float(view[row])
        at = bisect_left(past, value)
        near = sorted(abs(other - value) for other in past[max(0, at - NEIGHBOURS) : at + NEIGHBOURS])
        found[row] = sum(near[:NEIGHBOURS]) / NEIGHBOURS
        if row < upto:
            insort(past, value)
    return found


def excesses(distance: Floats, begin: int, upto: int) -> Floats:
    """Return by how many mean excesses each row lies beyond the tail of those before it and before `upto`, shape (n,).

    It is 0 before row `begin`.
    """
    found = np.zeros(len(distance))
    edge, mean = np.inf, 1.0
    for row in range(begin, len(distance)):
        if (row - begin) % TAIL_EVERY == 0 and row <= upto:
            edge, mean = tail(distance[begin // 4 : row])
        found[row] = min(max(0.0, distance[row] - edge) / mean, MOST_EXCESSES)
    return found


def tail(past: Floats) -> tuple[float, float]:
    """Return where the tail of the past's distances begins, and the mean excess over that."""
    edge = float(np.quantile(past, 1 - TAIL))
    beyond = past[past > edge] - edge
    mean = float(beyond.mean()) if len(beyond) else 0.0
    return edge, max(mean, TAIL * edge, LEAST_EXCESS)


def held(scores: Floats, threshold: float, hold: int) -> Floats:
    """Return 1 on rows that open an alarm, else 0: what follows within `hold` rows belongs to the same; shape (n,)."""
    opened = np.zeros(len(scores))
    free_from = 0
    for row in np.flatnonzero(scores >= threshold):
        if row >= free_from:
            opened[row] = 1.0
            free_from = int(row) + hold
    return opened
