"""Recalibration: where normal ends by rows that a model met after its fit; it moves a little, and wear cannot move it.

A fit estimates its threshold from rows with memory: six thousand of them hold about a hundred independent ones, and the
share of new rows over it is anything from half to four times the nominal one. What comes later says it better. It is
looked at in blocks of time, each as long as what was learned from: their median is that of most of the time, whatever
happened in the others, and counts against the fit by rows, since both have the same memory. A machine that wears
through all of them moves the threshold by MOST and no further.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from protocols.scoring.model import Scoring
from protocols.scoring.scores import BODY_POINTS

Floats = NDArray[np.float64]
Curve = tuple[float, ...]
"""Raw scores at BODY_POINTS even shares of the normal ones under the threshold, which is the last."""
LEAST_OVER = 10
"""So many rows over the threshold are expected in a block, or a block is longer."""
MOST_BLOCKS = 15
MOST_A_BLOCK, MOST = 2 * np.log(1.1), 2 * np.log(1.2)
"""How far a block may move the threshold, and all of them: by a tenth and by a fifth of its deviations."""
BINS = 320
BELOW, ABOVE = 5.4, 1.0
"""From where to where raw scores are told apart, about the fitted threshold: a bin is a hundredth of the deviation."""


def rows_a_block(fitted: Scoring) -> int:
    """Return how many rows a block has."""
    return max(fitted.rows, round(LEAST_OVER / fitted.alarm_share))


class Tally:
    """How often which raw score came: one block, in a fixed size."""

    def __init__(self, threshold: float) -> None:
        self.rows = 0
        self._low = threshold - BELOW
        self._counts = np.zeros(BINS, np.uint32)

    def add(self, raw: Floats) -> None:
        """Count raw scores (m,)."""
        places = np.clip((raw - self._low) * (BINS / (BELOW + ABOVE)), 0, BINS - 1).astype(np.intp)
        np.add.at(self._counts, places, 1)
        self.rows += len(raw)

    def curve(self, alarm_share: float) -> Curve:
        """Return the Curve of what was counted."""
        passed = np.concatenate(([0], np.cumsum(self._counts))) / max(self.rows, 1)
        edges = self._low + np.linspace(0, BELOW + ABOVE, BINS + 1)
        return tuple(np.interp(np.linspace(0, 1 - alarm_share, BODY_POINTS), passed, edges).tolist())


def recalibrated(fitted: Scoring, blocks: Sequence[Curve]) -> Scoring:
    """Return what was fitted with the threshold and body that these blocks, in order of time, say with it.

    The tail stays: excesses over where it begins do not depend on where that is.
    """
    curve, threshold = np.asarray(fitted.body), fitted.threshold
    for n in range(1, len(blocks) + 1):
        curve = _blended(fitted, np.median(blocks[:n], axis=0), n * rows_a_block(fitted))
        moved = min(max(float(curve[-1]), threshold - MOST_A_BLOCK), threshold + MOST_A_BLOCK)
        threshold = min(max(moved, fitted.threshold - MOST), fitted.threshold + MOST)
    if not blocks:
        return fitted
    body = curve - curve[-1] + threshold
    return msgspec.structs.replace(fitted, threshold=threshold, body=(*body[:-1].tolist(), threshold))


def _blended(fitted: Scoring, seen: Floats, n_rows: int) -> Floats:
    """Return the curve between that of the fit and the one seen of n_rows, each as far as it has rows."""
    if not fitted.body:
        known = seen - seen[-1] + fitted.threshold
    else:
        shares = np.linspace(0, 1, len(fitted.body))
        known = np.interp(np.linspace(0, 1, BODY_POINTS), shares, fitted.body)
    weight = n_rows / (n_rows + fitted.rows)
    return np.asarray(weight * seen + (1 - weight) * known)
