"""Recalibrator: counts what models of a Device say of normal rows that they did not learn from, and moves thresholds.

It follows the gateway's own model and the one of a fleet that has a scale of this Device. Of each it keeps a few kB
and no rows. The newest scores are held back for a while: an episode that opens says that they were not normal.
"""

import logging
from collections.abc import Callable
from functools import partial

import numpy as np

from edge_agent.detectors.judgement import Judgement
from edge_agent.detectors.own import Recalibration
from edge_agent.detectors.subject import Subject
from edge_agent.errors import ModelsUnusable
from protocols.scoring.model import Scoring
from protocols.scoring.recalibration import MOST_BLOCKS, Curve, Tally, recalibrated, rows_a_block
from protocols.scoring.scorer import Scored
from protocols.wanted import OWN

log = logging.getLogger(__name__)
HELD = 256
"""Rows that wait until they count; runs that open an episode seldom are longer."""
Finish = Callable[[], None]


class Outside:
    """The raw scores of normal rows since the fit, block after block."""

    def __init__(self, fitted: Scoring) -> None:
        self.fitted = fitted
        self.blocks: tuple[Curve, ...] = ()
        self._tally = Tally(fitted.threshold)
        self._raw = np.empty(HELD)
        self._time_us = np.empty(HELD, np.int64)
        self._held = 0

    @property
    def is_due(self) -> bool:
        """Return whether a block is full."""
        return self._tally.rows >= rows_a_block(self.fitted)

    def take(self, at_us: int, raw: float) -> None:
        """Hold the score of one row, and count those that were held for long; nothing after the last block."""
        if len(self.blocks) >= MOST_BLOCKS:
            return
        if self._held == HELD:
            self._count_older_half()
        self._time_us[self._held], self._raw[self._held] = at_us, raw
        self._held += 1

    def drop_since(self, at_us: int) -> None:
        """Forget what is held of the rows back to this time."""
        while self._held and self._time_us[self._held - 1] >= at_us:
            self._held -= 1

    def close(self) -> tuple[Curve, ...]:
        """End the block, and return all so far."""
        self.blocks = (*self.blocks, self._tally.curve(self.fitted.alarm_share))
        self._tally = Tally(self.fitted.threshold)
        return self.blocks

    def _count_older_half(self) -> None:
        half = HELD // 2
        self._tally.add(self._raw[:half])
        for held in (self._raw, self._time_us):
            held[:half] = held[half:]
        self._held = half


class _Watched:
    """One model that is followed; seen: what it said last."""

    def __init__(self, judgement: Judgement) -> None:
        self.judgement = judgement
        self.outside = Outside(judgement.scoring)
        self.is_recalled = False
        self.seen: Scored | None = None


class Recalibrator:
    """One Device; as the Learner, what takes time is done off the loop."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._tools = subject.tools
        self._watched: dict[bool, _Watched] = {}
        self._is_busy = False

    def watch(self, judgement: Judgement) -> None:
        """Follow this model from now on, in place of the own or the fleet's one before it."""
        self._watched[judgement.candidate.name == OWN] = _Watched(judgement)

    def take(self, at_us: int, *, is_normal: bool) -> None:
        """Count what was said of a row, where it is normal, and ask for what there is to do."""
        for watched in self._watched.values():
            scored = watched.judgement.scored
            if scored is None or scored is watched.seen:
                continue
            watched.seen = scored
            if is_normal and watched.judgement.is_whole:
                watched.outside.take(at_us, float(scored.raw[0]))
                if watched.outside.is_due:
                    self._tools.wake()

    def drop_since(self, at_us: int) -> None:
        """Count nothing of the rows since then."""
        for watched in self._watched.values():
            watched.outside.drop_since(at_us)

    def work(self) -> Callable[[], Finish] | None:
        """Return what is to be done off the loop, None where there is nothing."""
        if self._is_busy:
            return None
        job = next(filter(None, map(self._job, self._watched.values())), None)
        self._is_busy = job is not None
        return job

    def _job(self, watched: _Watched) -> Callable[[], Finish] | None:
        if not watched.is_recalled:
            return partial(self._recall, watched)
        return partial(self._recalibrate, watched, watched.outside.close()) if watched.outside.is_due else None

    def _recall(self, watched: _Watched) -> Finish:
        """Load what an earlier run saw of the same fit."""
        fitted, candidate = watched.outside.fitted, watched.judgement.candidate
        try:
            kept = self._tools.own.load_recalibration(self._subject.device, is_fleet=candidate.name != OWN)
        except ModelsUnusable as error:
            log.warning("%s is calibrated anew: %s", watched.judgement.label, error, extra=self._extra)
            kept = None
        is_same = kept is not None and kept.is_of(candidate.name, candidate.version, fitted)
        blocks = kept.blocks if kept is not None and is_same else ()
        return partial(self._end_recall, watched, blocks, recalibrated(fitted, blocks))

    def _end_recall(self, watched: _Watched, blocks: tuple[Curve, ...], scoring: Scoring) -> None:
        self._is_busy, watched.is_recalled = False, True
        if blocks:
            watched.outside.blocks = blocks
            self._use(watched, scoring)

    def _recalibrate(self, watched: _Watched, blocks: tuple[Curve, ...]) -> Finish:
        fitted, candidate = watched.outside.fitted, watched.judgement.candidate
        kept = Recalibration(candidate.name, candidate.version, fitted.threshold, self._tools.clock.now_us(), blocks)
        try:
            self._tools.own.keep_recalibration(self._subject.device, kept, is_fleet=candidate.name != OWN)
        except ModelsUnusable as error:
            log.error("a restart forgets the calibration: %s", error, extra=self._extra)  # noqa: TRY400
        return partial(self._end_recalibrate, watched, recalibrated(fitted, blocks))

    def _end_recalibrate(self, watched: _Watched, scoring: Scoring) -> None:
        self._is_busy = False
        self._use(watched, scoring)
        judgement = watched.judgement
        log.info("%s was recalibrated: %.2f times its limits", judgement.label, judgement.times, extra=self._extra)
        detail = {"model": judgement.label, "rows": judgement.calibrated_rows, "times": round(judgement.times, 4)}
        self._tools.record("model_recalibrated", self._subject.device, detail)

    def _use(self, watched: _Watched, scoring: Scoring) -> None:
        rows = len(watched.outside.blocks) * rows_a_block(watched.outside.fitted)
        watched.judgement.calibrate(scoring, rows)

    @property
    def _extra(self) -> dict[str, str]:
        return {"device_id": self._subject.device}
