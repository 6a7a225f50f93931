"""Scorer: rows in, scores and reasons out, as they come; no score depends on a later row.

The same rows give the same scores whether they come one at a time or a thousand at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.scoring.model import InvalidRows, Scoring, ScoringKind
from protocols.scoring.network import Network
from protocols.scoring.scores import calibrated
from protocols.scoring.windows import trailing_means

Floats = NDArray[np.float64]


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
        self._center = np.asarray(scoring.center)
        self._width = np.asarray(scoring.width)
        self._axes = np.asarray(scoring.axes).reshape(-1, n, n).transpose(0, 2, 1) if scoring.axes else None
        self._gains = np.asarray(scoring.gains) if scoring.gains else np.ones(n * len(scoring.spans))
        self._kept = np.empty((0, n))
        self._logs = np.empty((0, 1))
        self._may_adapt = True

    def reset(self) -> None:
        """Begin anew after a gap: no window may reach across it."""
        self._kept = self._kept[:0]
        self._logs = self._logs[:0]

    def take(self, rows: Floats, *, may_adapt: bool = True) -> Scored:
        """Return what the model says of the next rows (m, channels); raise InvalidRows or NetworkFailed.

        may_adapt: whether rows with a low score may slowly move what is taken for normal; not while an alarm is open.
        """
        self._check(rows)
        self._may_adapt = may_adapt
        m, n = len(rows), len(self.scoring.channels)
        scaled = np.concatenate([self._kept, (rows - self._center) / self._width])
        longest = max(self.scoring.spans)
        raw, shares = np.full(m, np.nan), np.full((m, n), np.nan)
        if len(scaled) >= longest:
            logs, weights = self._judge(trailing_means(scaled, self.scoring.spans))
            shares[m - len(weights) :] = weights
            logs = np.concatenate([self._logs, logs[:, None]])
            if len(logs) >= self.scoring.smooth:
                smooth = trailing_means(logs, (self.scoring.smooth,))[:, 0, 0]
                raw[m - len(smooth) :] = smooth
            self._logs = logs[len(logs) - self.scoring.smooth + 1 :] if self.scoring.smooth > 1 else logs[:0]
        self._kept = scaled[max(len(scaled) - longest + 1, 0) :]
        return Scored(raw, calibrated(raw, self.scoring), raw > self.scoring.threshold, shares)

    def _judge(self, means: Floats) -> tuple[Floats, Floats]:
        m, n_spans, n = means.shape
        features = means if self._axes is None else np.einsum("msi,sij->msj", means, self._axes)
        flat = features.reshape(m, -1).astype(np.float32)
        out = self._network.run(flat)
        if self.scoring.kind is ScoringKind.RECONSTRUCTION:
            out = flat - out
        squares = np.square(out, dtype=np.float64)
        parts = (squares / self._gains).reshape(m, n_spans, n).sum(axis=1) + 1e-12
        logs = np.log(squares.sum(axis=1) / squares.shape[1] + 1e-12)
        return logs, parts / parts.sum(axis=1, keepdims=True)

    def _check(self, rows: Floats) -> None:
        if rows.ndim != 2 or rows.shape[1] != len(self.scoring.channels):
            raise InvalidRows(f"rows of shape {rows.shape} for {len(self.scoring.channels)} channels")
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise InvalidRows(f"{self.scoring.channels[column]}: row {row} is {rows[row, column]}")
