"""What one row's outputs come to, in plain numbers: arrays of ten numbers take three times as long.

A gateway judges each row as it comes; the arrays of `scorer.py` say the same to rounding, of many at once.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, log
from operator import mul

from protocols.scoring.evidence import TINY
from protocols.scoring.model import Scoring
from protocols.scoring.scores import AT_THRESHOLD, Calibration, body_points


class RowEvidence:
    """Outputs of one row -> its raw score and each channel's share in it."""

    def __init__(self, scoring: Scoring) -> None:
        self._n = len(scoring.channels)
        self._per_limit = [1.0 / limit**2 for limit in scoring.limits]

    def of(self, outputs: Sequence[float]) -> tuple[float, list[float]]:
        """Return the log of the evidence, not smoothed, and the shares (channels,), of (spans * channels) outputs."""
        squares = [value * value for value in outputs]
        most = max(map(mul, squares, self._per_limit)) if self._per_limit else sum(squares) / len(squares)
        n = self._n
        parts = squares if len(squares) == n else [sum(squares[channel::n]) for channel in range(n)]
        total = sum(parts) + n * TINY
        return log(most + TINY), [(part + TINY) / total for part in parts]


class RowCalibrator:
    """A Calibration made ready for one raw score a call; see `scores.Calibrator`."""

    def __init__(self, scoring: Calibration) -> None:
        self._threshold = scoring.threshold
        self._decay = -1.0 / scoring.tail
        self._body = body_points(scoring)
        self._step = AT_THRESHOLD / (len(self._body) - 1)

    def score(self, raw: float) -> float:
        """Return the score, 0..1, of a raw one; NaN of NaN."""
        if raw != raw:  # noqa: PLR0124 - NaN alone differs from itself, and this is asked of every row
            return raw
        if raw > self._threshold:
            return 1.0 - AT_THRESHOLD * exp((raw - self._threshold) * self._decay)
        body = self._body
        at = bisect_right(body, raw)
        if at == len(body):
            return AT_THRESHOLD
        if at == 0:
            return 0.0
        low, high = body[at - 1], body[at]
        return self._step * (at - 1 + (raw - low) / (high - low))
