"""Scorer: rows in, scores and reasons out, as they come; no score depends on a later row.

The same rows give the same scores whether they come one at a time or a thousand at once: windows are made of rows that
are remembered, and what is taken for normal moves only at every BLOCK-th row.
"""

from dataclasses import dataclass
from math import isfinite

import msgspec
import numpy as np
from numpy.typing import NDArray

from protocols.scoring.evidence import TINY
from protocols.scoring.features import Features
from protocols.scoring.model import InvalidRows, Scoring, ScoringKind
from protocols.scoring.network import Network
from protocols.scoring.one_row import RowCalibrator, RowEvidence
from protocols.scoring.scores import Calibration, Calibrator
from protocols.scoring.windows import Window

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
        n = len(scoring.channels)
        self.scoring = scoring
        self._network = network
        self._features = Features(scoring)
        self._calibrator, self._row_calibrator = Calibrator(scoring), RowCalibrator(scoring)
        self._row_evidence = RowEvidence(scoring)
        self._per_limit = 1.0 / np.square(scoring.limits) if scoring.limits else None
        self._shape = (len(scoring.spans), n)
        self._logs = Window((scoring.smooth,), 1)
        self._block = _Block(len(self._features.shift))

    def reset(self) -> None:
        """Begin anew after a gap: no window may reach across it. What was adapted to stays."""
        self._features.clear()
        self._logs.clear()
        self._block.clear()

    def calibrate(self, calibration: Calibration) -> None:
        """Have normal end somewhere else from the next row on; windows and center stay."""
        self.scoring = msgspec.structs.replace(
            self.scoring,
            threshold=calibration.threshold,
            body=tuple(calibration.body),
            tail=calibration.tail,
        )
        self._calibrator, self._row_calibrator = Calibrator(self.scoring), RowCalibrator(self.scoring)

    def take(self, rows: Floats, *, may_adapt: bool = True) -> Scored:
        """Return what the model says of the next rows (m, channels); raise InvalidRows or NetworkFailed.

        may_adapt: whether rows with a low score may slowly move what is taken for normal; not while an alarm is open.
        """
        self._check(rows)
        scaled = self._features.scaled(rows)
        windows = self._features.windows(scaled)
        m, known = len(rows), len(windows)
        if known == m == 1:
            return self._take_one(scaled, windows, may_adapt=may_adapt)
        raw, shares = np.full(m, np.nan), np.full(rows.shape, np.nan)
        begin = m - known
        while begin < m:
            part = slice(begin, min(begin + BLOCK - self._block.rows, m))
            raw[part], shares[part] = self._judge(windows[part.start - m + known : part.stop - m + known])
            is_normal = may_adapt and bool((raw[part] <= self.scoring.threshold).all())
            self._follow(scaled[part], is_normal=is_normal)
            begin = part.stop
        return Scored(raw, self._calibrator.scores(raw), raw > self.scoring.threshold, shares)

    def _take_one(self, scaled: Floats, windows: Floats, *, may_adapt: bool) -> Scored:
        """Return what the model says of one row (1, channels) with full windows; as many rows would say, but sooner."""
        log, shares = self._row_evidence.of(self._outputs(windows)[0].tolist())
        raw = log if self.scoring.smooth == 1 else float(self._smoothed(np.array((log,)))[0])
        is_over = raw > self.scoring.threshold
        self._follow(scaled, is_normal=may_adapt and raw <= self.scoring.threshold)
        score = self._row_calibrator.score(raw)
        return Scored(np.array((raw,)), np.array((score,)), np.array((is_over,)), np.array((shares,)))

    def _judge(self, windows: Floats) -> tuple[Floats, Floats]:
        """Return raw scores (k,) and shares (k, channels) of what windows come to (k, spans * channels)."""
        parts, most = self._evidence(self._outputs(windows))
        most += TINY
        by_channel = np.add.reduce(parts.reshape(len(windows), *self._shape), axis=1)
        by_channel += TINY
        by_channel /= np.add.reduce(by_channel, axis=1, keepdims=True)
        return self._smoothed(np.log(most)), by_channel

    def _outputs(self, windows: Floats) -> NDArray[np.floating]:
        """Return what of the windows (k, spans * channels) is evidence of an anomaly, same shape."""
        features, lengths = self._features.of(windows)
        out = self._network.run(features)
        if self.scoring.kind is ScoringKind.RECONSTRUCTION:
            out = features - out
        return out if lengths is None else out * lengths

    def _evidence(self, out: NDArray[np.floating]) -> tuple[Floats, Floats]:
        """Return the squares of outputs (k, outputs), and what a row comes to (k,)."""
        parts = out.astype(np.float64)
        parts *= parts
        if self._per_limit is None:
            return parts, parts.mean(axis=1)
        return parts, np.maximum.reduce(parts * self._per_limit, axis=1)

    def _smoothed(self, logs: Floats) -> Floats:
        """Return the mean over the last few of each log score, NaN where there are too few."""
        if self.scoring.smooth == 1:
            return logs
        means = self._logs.means(logs[:, None])[:, 0, 0]
        return np.concatenate((np.full(len(logs) - len(means), np.nan), means))

    def _follow(self, scaled: Floats, *, is_normal: bool) -> None:
        """Count rows of a block; at its end, move the center a little where all of it was normal."""
        block = self._block
        block.add(self._features.sums(scaled), len(scaled), is_normal=is_normal)
        if block.rows < BLOCK:
            return
        if block.is_normal and self.scoring.rows:
            self._features.move(block.sum / BLOCK, min(BLOCK / (PACE * self.scoring.rows), 1.0))
        block.clear()

    def _check(self, rows: Floats) -> None:
        if rows.ndim != 2 or rows.shape[1] != len(self.scoring.channels):
            raise InvalidRows(f"rows of shape {rows.shape} for {len(self.scoring.channels)} channels")
        if isfinite(np.vdot(rows, rows)):  # the cheap answer; of huge numbers the square is infinite too
            return
        is_finite = np.isfinite(rows)
        if not is_finite.all():
            row, column = np.argwhere(~is_finite)[0]
            raise InvalidRows(f"{self.scoring.channels[column]}: row {row} is {rows[row, column]}")


class _Block:
    """The rows since the center last could move: their sum, and whether all were normal."""

    def __init__(self, n_sums: int) -> None:
        self.sum = np.zeros(n_sums)
        self.clear()

    def add(self, total: Floats, n_rows: int, *, is_normal: bool) -> None:
        self.rows += n_rows
        self.sum += total
        self.is_normal &= is_normal

    def clear(self) -> None:
        self.rows = 0
        self.sum[:] = 0.0
        self.is_normal = True
