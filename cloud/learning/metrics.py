"""How good answers are against what is known: for rows, classes, values, quantiles and probabilities."""

import numpy as np
from numpy.typing import NDArray

from cloud.learning.table import Floats

Bools = NDArray[np.bool_]


def best_f1_threshold(truth: Bools, score: Floats) -> tuple[float, float]:
    """Return the threshold with the highest F1 and that F1, of scores (n,); midway to the next lower score."""
    order = np.argsort(-score, kind="stable")
    last_of_score = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(truth[order])[last_of_score]
    f1 = 2 * hits / (last_of_score + 1 + truth.sum())
    best = int(f1.argmax())
    at = score[order][last_of_score]
    below = at[best + 1] if best + 1 < len(at) else at[best] - 1e-9
    return float((at[best] + below) / 2), float(f1[best])
