"""Scorer: rows in, scores and reasons out, as they come; no score depends on a later row.

The same rows give the same scores whether they come one at a time or a thousand at once: windows are made of rows that
are remembered, and what is taken for normal moves only at every BLOCK-th row.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.evidence import TINY
from protocols.scoring.features import Features
from protocols.scoring.model import InvalidRows, Scoring, ScoringKind
from protocols.scoring.network import Network
from protocols.scoring.scores import calibrated
from protocols.scoring.windows import trailing_means

Floats = NDArray[np.float64]
BLOCK = 50
PACE = 10
"""The center forgets over ten times as many rows as it was learned from: slower than what was seen to be normal."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model says of m rows.

    raw (m,): as the threshold is in; score (m,): 0..1 with 0.5 at the threshold, NaN where the windows are not full
    yet; is_over (m,); shares (m, channels): of each channel in the raw score, each row adds up to 1, or NaN.
    """

    raw: Floats
    score: Floats
    is_over: NDArray[np.bool_]
    shares: Floats


class Scorer:
    """Scores one asset's rows in order; remembers as many rows as its longest window has."""

    def __init__(self, scoring: Scoring, network: Network) -> None:
        self.scoring = scoring
        self._network = network
        self._features = Features(scoring)
        self._dof = np.asarray(scoring.dof) if scoring.dof else None
        self._longest = max(scoring.spans)
        n = len(scoring.channels)
        self._kept = np.empty((0, n))
        self._logs = np.empty(0)
        self._block = _Block(n)

    def reset(self) -> None:
        """Begin anew after a gap: no window may reach across it. What was adapted to stays."""
        self._kept = self._kept[:0]
        self._logs = self._logs[:0]
        self._block.clear()

    def take(self, rows: Floats, *, may_adapt: bool = True) -> Scored:
        """Return what the model says of the next rows (m, channels); raise InvalidRows or NetworkFailed.

        may_adapt: whether rows with a low score may slowly move what is taken for normal; not while an alarm is open.
        """
        self._check(rows)
        m = len(rows)
        seen = np.concatenate([self._kept, self._features.scaled(rows)])
        raw, shares = np.full(m, np.nan), np.full(rows.shape, np.nan)
        first = max(self._longest - 1 - len(self._kept), 0)
        if first < m:
            means = trailing_means(seen, self.scoring.spans)
            judged = seen[len(seen) - len(means) :]
            for begin, end in self._steps(len(means)):
                part = slice(first + begin, first + end)
                raw[part], shares[part] = self._judge(means[begin:end])
                self._follow(judged[begin:end], raw[part], may_adapt=may_adapt)
        self._kept = seen[max(len(seen) - self._longest + 1, 0) :]
        return Scored(raw, calibrated(raw, self.scoring), raw > self.scoring.threshold, shares)

    def _steps(self, n_rows: int) -> Iterator[tuple[int, int]]:
        """Yield from where to where rows are judged by the same center."""
        begin = 0
        while begin < n_rows:
            end = min(begin + BLOCK - self._block.rows, n_rows)
            yield begin, end
            begin = end

    def _judge(self, means: Floats) -> tuple[Floats, Floats]:
        features, lengths = self._features.of(means)
        out = self._network.run(features)
        if self.scoring.kind is ScoringKind.RECONSTRUCTION:
            out = features - out
        parts = np.square(out, dtype=np.float64) if lengths is None else np.square(out * lengths)
        if self._dof is None:
            logs = np.log(parts.mean(axis=1) + TINY)
        else:
            parts = (self._dof + 1.0) * np.log1p(parts / self._dof)
            logs = np.log(parts.max(axis=1) + TINY)
        by_channel = parts.reshape(means.shape).sum(axis=1) + TINY
        return self._smoothed(logs), by_channel / by_channel.sum(axis=1, keepdims=True)

    def _smoothed(self, logs: Floats) -> Floats:
        """Return the mean over the last few of each log score, NaN where there are too few."""
        smooth = self.scoring.smooth
        if smooth == 1:
            return logs
        seen = np.concatenate([self._logs, logs])
        self._logs = seen[max(len(seen) - smooth + 1, 0) :]
        if len(seen) < smooth:
            return np.full(len(logs), np.nan)
        means = trailing_means(seen[:, None], (smooth,))[:, 0, 0]
        return np.concatenate([np.full(len(logs) - len(means), np.nan), means])

    def _follow(self, scaled: Floats, raw: Floats, *, may_adapt: bool) -> None:
        """Count rows of a block; at its end, move the center a little where all of it was normal."""
        block = self._block
        block.add(scaled, is_normal=may_adapt and bool((raw <= self.scoring.threshold).all()))
        if block.rows < BLOCK:
            return
        if block.is_normal and self.scoring.rows:
            rate = BLOCK / (PACE * self.scoring.rows)
            self._features.move(min(rate, 1.0) * (block.sum / BLOCK - self._features.shift))
        block.clear()

    def _check(self, rows: Floats) -> None:
        if rows.ndim != 2 or rows.shape[1] != len(self.scoring.channels):
            raise InvalidRows(f"rows of shape {rows.shape} for {len(self.scoring.channels)} channels")
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise InvalidRows(f"{self.scoring.channels[column]}: row {row} is {rows[row, column]}")


class _Block:
    """The rows since the center last could move: their sum, and whether all were normal."""

    def __init__(self, n_channels: int) -> None:
        self.sum = np.zeros(n_channels)
        self.clear()

    def add(self, scaled: Floats, *, is_normal: bool) -> None:
        self.rows += len(scaled)
        self.sum += scaled.sum(axis=0)
        self.is_normal &= is_normal

    def clear(self) -> None:
        self.rows = 0
        self.sum[:] = 0.0
        self.is_normal = True
