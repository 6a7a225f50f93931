"""Judgement: one model at work on one Device, with or without channels that are missing, and how it is doing.

A model never sees a value that was not read: a row that lacks a channel is left out; where it is lacking for long, a
model without it is made of the same covariance.
"""

from collections import deque
from collections.abc import Callable, Sequence
from math import exp, isfinite

import numpy as np
from numpy.typing import NDArray

from edge_agent.ports import Candidate, Clock, Row
from protocols.errors import LinesideError, NetworkFailed
from protocols.scoring.context import memory_of
from protocols.scoring.model import InvalidRows, Scoring
from protocols.scoring.network import Network
from protocols.scoring.reduce import without
from protocols.scoring.scorer import Scored, Scorer
from protocols.wanted import ModelStanding, Standing

LONG_ROWS = 5
"""Rows in a row that lack a channel before a model does without it; and that have it again before one does with it."""
MEASURED_ROWS = 101
MOST_VARIANTS = 8
FAILURES = (
    ArithmeticError,
    AttributeError,
    LinesideError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Whatever a network may raise."""


class Judgement:
    """Scores the rows of a Device by one Candidate; channels: of the Device, in the order of its rows."""

    def __init__(
        self, candidate: Candidate, channels: Sequence[str], *, load: Callable[[bytes], Network], clock: Clock
    ) -> None:
        self.candidate = candidate
        self.label = f"{candidate.name}@{candidate.version}"
        self.rows = self.rows_over = self.rows_agreed = self.rows_compared = 0
        self.alarms = 0
        self.failures = 0
        self.failure = ""
        self.scored: Scored | None = None
        self._channels = tuple(channels)
        self._load = load
        self._clock = clock
        self._taken_s: deque[float] = deque(maxlen=MEASURED_ROWS)
        self.use(candidate.scoring)

    def use(self, scoring: Scoring) -> None:
        """Score by this from now on, which may differ from the candidate's in scale and threshold."""
        self.scoring = scoring
        self.calibrated_rows = 0
        self._fitted_threshold = scoring.threshold
        self._columns = np.array([self._channels.index(channel) for channel in scoring.channels], np.intp)
        self._variants = {frozenset[str](): (self._columns, Scorer(scoring, self.candidate.network))}
        self._missing: frozenset[str] = frozenset()
        self._scorer: Scorer | None = self._variants[self._missing][1]
        self._used = self._columns
        self._other: frozenset[str] = frozenset()
        self._n_other = 0
        self._n_fed = 0

    def calibrate(self, scoring: Scoring, n_rows: int) -> None:
        """Have normal end where this says from the next row on; n_rows: not learned from, that it rests on."""
        self.scoring, self.calibrated_rows = scoring, n_rows
        for _, scorer in self._variants.values():
            scorer.calibrate(scoring)

    @property
    def times(self) -> float:
        """Return how many of the deviations at which the fit had normal end it ends at now."""
        return exp((self.scoring.threshold - self._fitted_threshold) / 2)

    @property
    def is_whole(self) -> bool:
        """Return whether it judges by all of its channels."""
        return not self._missing

    @property
    def window_rows(self) -> int:
        """Return how many rows there must be before the first score."""
        return max(self.scoring.spans) + self.scoring.smooth - 1 + memory_of(self.scoring)

    @property
    def is_blind(self) -> bool:
        """Return whether channels are missing that the model cannot do without."""
        return self._scorer is None

    def begin_anew(self, recent: Sequence[Row]) -> None:
        """Empty the windows, after a gap, and fill them with rows of just before, where there are any; none counts."""
        self._n_fed = 0
        for _, scorer in self._variants.values():
            scorer.reset()
        whole = [row.values[self._used] for row in recent if row.is_good[self._used].all()]
        if whole and len(whole) == len(recent) and self._scorer is not None:
            self._attempt(self._scorer, np.array(whole), may_adapt=False)

    def take(self, row: Row, *, may_adapt: bool, deadline_s: float) -> Scored | None:
        """Return what the model says of a row, None where it says nothing; `failures` counts those in a row."""
        self.scored = None
        is_whole = not self._missing and not self._n_other and np.count_nonzero(row.is_good) == len(row.is_good)
        if not is_whole and not self._can_score(row.is_good[self._columns]):
            return None
        if self._scorer is None:
            return None
        begun_s = self._clock.monotonic_s()
        scored = self._attempt(self._scorer, row.values[self._used][None], may_adapt=may_adapt)
        taken_s = self._clock.monotonic_s() - begun_s
        if scored is None:
            return None
        self._taken_s.append(taken_s)
        self._n_fed += 1
        if isfinite(scored.score[0]):
            self.rows += 1
            self.rows_over += int(scored.is_over[0])
            self.scored = scored
        if taken_s > deadline_s:
            self._fail(f"a row took {taken_s * 1e3:.0f} ms, {deadline_s * 1e3:.0f} are allowed")
        elif self.scored is not None:
            self.failures = 0
        elif self._n_fed > self.window_rows:
            self._fail("the model's output is not a number")
        return self.scored

    def compare(self, other: "Judgement") -> None:
        """Count whether another one says the same of this row."""
        if self.scored is not None and other.scored is not None:
            self.rows_compared += 1
            self.rows_agreed += int(self.scored.is_over[0] == other.scored.is_over[0])

    def spread(self, scored: Scored) -> NDArray[np.float64]:
        """Return the shares of a row over all channels of the Device, shape (1, channels)."""
        spread = np.zeros((1, len(self._channels)))
        spread[0, self._used] = scored.shares[0]
        return spread

    def standing(self, device: str, standing: Standing, reason: str = "") -> ModelStanding:
        """Return how it is doing, as the cloud is told."""
        return ModelStanding(
            device=device,
            name=self.candidate.name,
            version=self.candidate.version,
            standing=standing,
            rollout=self.candidate.rollout,
            reason=reason[:200],
            rows=self.rows,
            agreement=round(self.rows_agreed / self.rows_compared, 4) if self.rows_compared else None,
            over=round(self.rows_over / self.rows, 5) if self.rows else None,
            invoke_us=self.invoke_us,
            alarms=self.alarms,
            bytes=self.candidate.size_bytes,
            calibrated=self.calibrated_rows,
            times=round(self.times, 4) if self.calibrated_rows else None,
        )

    @property
    def invoke_us(self) -> float | None:
        """Return the median time of a row with scaling and scoring, of the last hundred."""
        return round(float(np.median(self._taken_s)) * 1e6, 1) if self._taken_s else None

    def _attempt(self, scorer: Scorer, rows: NDArray[np.float64], *, may_adapt: bool) -> Scored | None:
        try:
            return scorer.take(rows, may_adapt=may_adapt)
        except FAILURES as error:
            self._fail(f"{type(error).__name__}: {error}"[:200])
            return None

    def _fail(self, reason: str) -> None:
        self.failures += 1
        self.failure = reason

    def _can_score(self, is_good: NDArray[np.bool_]) -> bool:
        """Return whether the scorer in use has all that it needs; change it where another set is there for long."""
        missing = frozenset(self.scoring.channels[i] for i in np.flatnonzero(~is_good))
        if missing == self._missing:
            self._n_other = 0
            return True
        self._n_other = self._n_other + 1 if missing == self._other else 1
        self._other = missing
        if self._n_other >= LONG_ROWS:
            self._change(missing)
        return missing <= self._missing

    def _change(self, missing: frozenset[str]) -> None:
        self._missing, self._n_other, self._n_fed = missing, 0, 0
        if missing not in self._variants and len(self._variants) < MOST_VARIANTS:
            self._make(missing)
        self._used, scorer = self._variants.get(missing, (self._columns, None))
        self._scorer = scorer
        if scorer is not None:
            scorer.reset()

    def _make(self, missing: frozenset[str]) -> None:
        """Make the model without these channels, where that can be done."""
        try:
            fitted = without(self.scoring, missing)
            network = self._load(fitted.network)
        except (InvalidRows, NetworkFailed, np.linalg.LinAlgError):
            return
        columns = np.array([self._channels.index(channel) for channel in fitted.scoring.channels], np.intp)
        self._variants[missing] = (columns, Scorer(fitted.scoring, network))


def named_shares(channels: Sequence[str], shares: NDArray[np.float64]) -> tuple[tuple[str, float], ...]:
    """Return the shares of channels by name, highest first, without those that have none."""
    order = np.argsort(-shares, kind="stable")
    return tuple((channels[i], round(float(shares[i]), 4)) for i in order if shares[i] > 0)
