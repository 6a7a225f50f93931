"""Scores -> episodes: one that opens once and closes once for each run of rows above the threshold.

A row's evidence is how far it lies over the threshold in units of the normal excess, -log(2 (1 - score)), up to four:
the tail is known only from few rows, how long it lasts is known exactly. The evidence of one run adds up (Page's CUSUM,
1954, over a score that is already a logarithm). Healthy runs have it too, and large sums of them fall off as an
exponential: with m their scale and r how many come in a day, one in D days is above m log(r D). There an episode opens;
m (half the mean square over the mean, so that the many small ones do not hide the large) and r are learned from the
runs that opened nothing, beginning with what 400 rows of AR(.9) show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
AT_THRESHOLD = 0.5
CLOSE_BELOW = 0.45
"""Nine of ten normal rows are below: an open episode is over only when the score has come well back."""
MOST_EVIDENCE = 4.0
DAYS_WITHOUT = 3.0
"""How many days a healthy Device shall go without an episode."""
PRIOR_RUNS, PRIOR_AREA, PRIOR_ROWS = 5, 15.0, 5_000
LEAST, MOST = 110.0, 1_100.0
"""Bounds of what a run must add up to: 28 rows far above the threshold, and ten times as many."""
QUIET_ROWS, QUIET_S = 10, 2.0
MOST_STRETCH = 16
CALM = 20
"""So many closing times without a new one, and an episode is no longer taken for the same trouble coming and going."""
DAY_S = 86_400
OVER, BETWEEN, LOW, UNKNOWN = range(4)


@dataclass(frozen=True, slots=True)
class EpisodeRules:
    """When an episode opens and closes.

    period_s: time from row to row; open_after_s: how long it must last, by the evidence where None; close_after_s: how
    long it must be quiet, QUIET_ROWS rows but QUIET_S at least where None.
    """

    period_s: float
    open_after_s: float | None = None
    close_after_s: float | None = None

    @property
    def quiet_us(self) -> int:
        """Return how long a run must be quiet before it is over, in microseconds."""
        quiet_s = max(QUIET_ROWS * self.period_s, QUIET_S) if self.close_after_s is None else self.close_after_s
        return round(quiet_s * 1e6)


@dataclass(frozen=True, slots=True)
class Opened:
    """An episode opened with the row at at_us; its run began at onset_us; shares (channels,) add up to 1."""

    onset_us: int
    at_us: int
    score: float
    peak: float
    shares: Floats


@dataclass(frozen=True, slots=True)
class Closed:
    """The open episode closed; fields as of Opened, over the whole run."""

    onset_us: int
    at_us: int
    score: float
    peak: float
    shares: Floats


@dataclass(slots=True)
class _Run:
    """Rows above the threshold with short quiet spells between; loud_us: the last row that was not quiet.

    limit: what its evidence, area, must add up to.
    """

    onset_us: int
    loud_us: int
    shares: Floats
    limit: float
    area: float = 0.0
    peak: float = 0.0
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Successive rows of one class."""

    time_us: Times
    score: Floats
    shares: Floats


class Episodes:
    """Follows one Device's scores; the same episodes come of the same rows, one at a time or all at once."""

    def __init__(self, rules: EpisodeRules) -> None:
        self._rules = rules
        self._run: _Run | None = None
        self._runs, self._rows = PRIOR_RUNS, PRIOR_ROWS
        self._areas, self._squares = PRIOR_RUNS * PRIOR_AREA, PRIOR_RUNS * 2 * PRIOR_AREA**2
        self._stretch = 1
        self._closed_us: int | None = None

    @property
    def is_open(self) -> bool:
        """Return whether an episode is open."""
        return self._run is not None and self._run.is_open

    @property
    def is_running(self) -> bool:
        """Return whether rows are, or just were, above the threshold."""
        return self._run is not None

    @property
    def limit(self) -> float:
        """Return what the evidence of a run that begins now must add up to."""
        scale = self._squares / (2 * self._areas)
        runs_a_day = self._runs / self._rows * DAY_S / self._rules.period_s
        return min(max(scale * log(max(runs_a_day * DAYS_WITHOUT, 1.0)), LEAST), MOST)

    def take(self, time_us: Times, score: Floats, shares: Floats) -> "list[Opened | Closed]":
        """Return what opened and closed with these rows; NaN scores say nothing; shares (m, channels)."""
        if self._run is None and not (score > AT_THRESHOLD).any():
            self._rows += len(score)
            return []
        if len(score) == 1:  # what a gateway does all day
            one = list(self._take(_kind_of(float(score[0])), _Stretch(time_us, score, shares)))
            self._rows += 1
            return one
        told: list[Opened | Closed] = []
        kind = np.select(
            [score > AT_THRESHOLD, score >= CLOSE_BELOW, score < CLOSE_BELOW], [OVER, BETWEEN, LOW], UNKNOWN
        )
        bounds = [0, *(np.flatnonzero(kind[1:] != kind[:-1]) + 1).tolist(), len(score)]
        for begin, end in pairwise(bounds):
            rows = _Stretch(time_us[begin:end], score[begin:end], shares[begin:end])
            told += self._take(int(kind[begin]), rows)
            self._rows += end - begin
        return told

    def pass_by(self, n_rows: int) -> None:
        """Count rows that are below the threshold, while no run goes on, as `take` would."""
        self._rows += n_rows

    def forget(self) -> None:
        """Forget a run that has opened nothing, after a gap; an open episode stays open until rows say otherwise."""
        if self._run is not None and not self._run.is_open:
            self._run = None

    def end(self, at_us: int) -> Closed | None:
        """Return the open episode closed, where no more scores will come that could."""
        run, self._run = self._run, None
        return Closed(run.onset_us, at_us, 0.0, *_summed(run)) if run is not None and run.is_open else None

    def _take(self, kind: int, rows: _Stretch) -> "Sequence[Opened | Closed]":
        if kind == OVER:
            return self._take_over(rows)
        if kind == UNKNOWN or self._run is None:
            return ()
        if kind == BETWEEN and self._run.is_open:
            self._run.loud_us = int(rows.time_us[-1])
            return ()
        return self._take_quiet(self._run, rows)

    def _take_over(self, rows: _Stretch) -> Sequence[Opened]:
        run = self._run
        if run is None:
            begin_us = int(rows.time_us[0])
            run = self._run = _Run(begin_us, begin_us, np.zeros(rows.shares.shape[1]), self.limit)
        evidence = np.minimum(-np.log(np.maximum(2 * (1 - rows.score), 1e-9)), MOST_EVIDENCE)
        opening = None if run.is_open else self._opening(run, rows, run.area + np.cumsum(evidence))
        told = []
        if opening is not None:
            _add(run, rows, evidence, slice(0, opening + 1))
            run.is_open = True
            self._note_flapping(run.onset_us)
            told.append(Opened(run.onset_us, int(rows.time_us[opening]), float(rows.score[opening]), *_summed(run)))
        _add(run, rows, evidence, slice(0 if opening is None else opening + 1, None))
        return told

    def _opening(self, run: _Run, rows: _Stretch, areas: Floats) -> int | None:
        after_s = self._rules.open_after_s
        is_enough = areas >= run.limit if after_s is None else rows.time_us - run.onset_us >= after_s * 1e6
        return int(is_enough.argmax()) if is_enough.any() else None

    def _take_quiet(self, run: _Run, rows: _Stretch) -> Sequence[Closed]:
        quiet_us = self._rules.quiet_us * (self._stretch if run.is_open else 1)
        at = int(np.searchsorted(rows.time_us, run.loud_us + quiet_us))
        if at == len(rows.time_us):
            return ()
        self._run = None
        if not run.is_open:
            self._runs += 1
            self._areas += run.area
            self._squares += run.area**2
            return ()
        self._closed_us = int(rows.time_us[at])
        return (Closed(run.onset_us, self._closed_us, float(rows.score[at]), *_summed(run)),)

    def _note_flapping(self, onset_us: int) -> None:
        """Have an episode that comes again soon after the one before stay open for longer, twice each time."""
        calm_us = CALM * self._rules.quiet_us * self._stretch
        is_again = self._closed_us is not None and onset_us - self._closed_us < calm_us
        self._stretch = min(self._stretch * 2, MOST_STRETCH) if is_again else 1


def _kind_of(score: float) -> int:
    if score > AT_THRESHOLD:
        return OVER
    return BETWEEN if score >= CLOSE_BELOW else LOW if score < CLOSE_BELOW else UNKNOWN


def _add(run: _Run, rows: _Stretch, evidence: Floats, part: slice) -> None:
    weights = evidence[part]
    if not len(weights):
        return
    shares = rows.shares[part]
    run.shares += np.nan_to_num(weights @ shares) if len(weights) > 1 else np.nan_to_num(weights[0] * shares[0])
    run.area += float(weights.sum())
    run.peak = max(run.peak, float(rows.score[part].max()))
    run.loud_us = int(rows.time_us[part][-1])


def _summed(run: _Run) -> tuple[float, Floats]:
    total = run.shares.sum()
    return run.peak, run.shares / total if total > 0 else run.shares.copy()
