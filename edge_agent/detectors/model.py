"""Model: judges rows by the model that serves, lets another one try in its shadow, and learns the gateway's own.

Invariants: rows are taken whatever a model does; a model that fails, or is late, `off_after` times in a row is out;
own models are fitted on rows on which nothing was out of order, and anew as those become more.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from edge_agent.detectors.judgement import Judgement, named_shares
from edge_agent.detectors.learner import Finish, Learner
from edge_agent.detectors.recalibrator import Recalibrator
from edge_agent.detectors.subject import Subject
from edge_agent.ports import Candidate, Row, Turn
from protocols.scoring.episodes import AT_THRESHOLD, Closed, EpisodeRules, Episodes, Opened
from protocols.scoring.scorer import Scored
from protocols.wanted import OWN, ModelStanding, Standing

log = logging.getLogger(__name__)
RECENT_ROWS = 192


class ModelDetector:
    """The Detector and the Judge of one Device. score: of the newest row, NaN where no model said anything of it."""

    def __init__(self, subject: Subject) -> None:
        self.device = subject.device
        self.channels = subject.channels
        self.score = np.nan
        self.is_off = False
        self.alarms = 0
        self._subject = subject
        self._rules = subject.rules
        self._tools = subject.tools
        self._recalibrator = Recalibrator(subject)
        self._learner = Learner(subject, self._take_own, self._recalibrator.watch)
        self._episodes = Episodes(EpisodeRules(subject.period_s, subject.open_after_s, subject.close_after_s))
        self._recent: deque[Row] = deque(maxlen=RECENT_ROWS)
        self._own: Judgement | None = None
        self._serving: Judgement | None = None
        self._previous: Judgement | None = None
        self._challenger: Judgement | None = None
        self._judging: Judgement | None = None
        self._reason = ""
        self._model = ""

    @property
    def is_calm(self) -> bool:
        """Return whether no row of late was above the threshold."""
        return not self._episodes.is_running

    def take(self, row: Row, *, is_calm: bool) -> Sequence[Turn]:
        """Return what opened or closed with this row; never fails."""
        if row.is_after_gap:
            self._begin_anew()
        self._recent.append(row)
        scored = self._judge(row, may_adapt=is_calm and self.is_calm)
        turns = [] if scored is None else self._follow(row, scored)
        is_normal = is_calm and not self._episodes.is_open
        self._recalibrator.take(row.at_us, is_normal=is_normal)
        self._learner.take(row, is_normal=is_normal)
        return turns + self._end_if_blind(row)

    def forget_since(self, at_us: int) -> None:
        """Learn nothing of the rows since then: something was out of order already."""
        self._learner.rows.drop_since(at_us)
        self._recalibrator.drop_since(at_us)

    def work(self) -> Callable[[], Finish] | None:
        """Return what is to be done off the loop, None where there is nothing; call what it returns on the loop."""
        return self._learner.work() or self._recalibrator.work()

    def challenge(self, candidate: Candidate) -> None:
        """Let the candidate score the same rows from now on; it opens nothing. Replaces an earlier challenger."""
        self._challenger = self._judgement(candidate)
        if candidate.is_fleet:
            self._learner.await_fleet(self._challenger)
        self._challenger.begin_anew(self._recent)

    def swap(self) -> None:
        """Make the challenger serve; the model before it is kept for `roll_back`."""
        if self._challenger is None:
            return
        self._previous, self._serving, self._challenger = self._serving, self._challenger, None
        self._serving.failures = 0
        self.is_off, self._reason = False, ""

    def roll_back(self, reason: str) -> None:
        """Serve with the model before this one again, or with the gateway's own."""
        if self._serving is None or self._serving is self._own:
            return
        self._reason = f"{self._serving.label}: {reason}"
        self._serving, self._previous = self._previous or self._own, None
        if self._serving is not None:
            self._serving.failures = 0
            self._serving.begin_anew(self._recent)

    def dismiss(self) -> None:
        """Let go of the challenger."""
        self._challenger = None

    def standings(self) -> Sequence[ModelStanding]:
        """Return how the serving model is doing, and the challenger where there is one."""
        if self._serving is not None:
            told = [self._serving.standing(self.device, Standing.SERVING, self._reason)]
        else:
            standing = Standing.OFF if self.is_off else Standing.LEARNING
            reason = self._reason if self.is_off else self._learner.trouble
            told = [ModelStanding(self.device, OWN, 0, standing, reason=reason, rows=len(self._learner.rows))]
        if self._challenger is not None:
            told.append(self._challenger.standing(self.device, Standing.SHADOWING))
        return tuple(told)

    def _begin_anew(self) -> None:
        self._recent.clear()
        self._episodes.forget()
        for judgement in (self._own, self._serving, self._previous, self._challenger):
            if judgement is not None:
                judgement.begin_anew(())

    def _judge(self, row: Row, *, may_adapt: bool) -> Scored | None:
        """Return what the serving model says; the own one in its stead while it has no scale or lacks a channel."""
        judging, scored = self._serving, None
        if self._serving is not None:
            scored = self._of_one(self._serving, row, may_adapt=may_adapt)
            is_mute = self._serving.is_blind or self._learner.is_awaited(self._serving)
            if is_mute and self._own is not None and self._own is not self._serving:
                judging = self._own
                if self._judging is not judging:
                    judging.begin_anew(list(self._recent)[:-1])
                scored = self._of_one(judging, row, may_adapt=may_adapt)
        self._judging = judging
        self._shadow(row, may_adapt=may_adapt)
        self.score = np.nan if scored is None else float(scored.score[0])
        self._take_out_who_fails()
        return scored

    def _shadow(self, row: Row, *, may_adapt: bool) -> None:
        if self._challenger is not None:
            self._of_one(self._challenger, row, may_adapt=may_adapt)
            if self._judging is not None:
                self._challenger.compare(self._judging)

    def _of_one(self, judgement: Judgement, row: Row, *, may_adapt: bool) -> Scored | None:
        if self._learner.is_awaited(judgement):
            return None
        return judgement.take(row, may_adapt=may_adapt, deadline_s=self._rules.deadline_s)

    def _take_out_who_fails(self) -> None:
        challenger, serving = self._challenger, self._serving
        if challenger is not None and challenger.failures >= self._rules.off_after:
            log.warning("the challenger %s is out: %s", challenger.label, challenger.failure, extra=self._extra)
            self._challenger = None
        if serving is not None and serving.failures >= self._rules.off_after:
            self._take_out(serving)

    def _take_out(self, failed: Judgement) -> None:
        """Go back from a model that fails, to the one before, else the own, else none; say so once."""
        self._reason = f"{failed.label}: {failed.failure}"
        self._serving = next((one for one in (self._previous, self._own) if one not in (None, failed)), None)
        self._previous = None
        if self._own is failed:
            self._own = None
        self.is_off = self._serving is None
        now = "off"
        if self._serving is not None:
            now, self._serving.failures = self._serving.label, 0
            self._serving.begin_anew(self._recent)
        log.error("model %s is off: %s", failed.label, failed.failure, extra=self._extra)
        detail = {"model": failed.label, "reason": failed.failure, "now": now}
        self._tools.record("model_off", self.device, detail)

    def _follow(self, row: Row, scored: Scored) -> list[Turn]:
        judging = self._judging
        if judging is None:
            return []
        if not self._episodes.is_running and self.score <= AT_THRESHOLD:
            self._episodes.pass_by(1)
            return []
        told = self._episodes.take(np.array([row.at_us]), scored.score, judging.spread(scored))
        return [self._turn(judging, one) for one in told]

    def _turn(self, judgement: Judgement, told: Opened | Closed) -> Turn:
        is_opening = isinstance(told, Opened)
        if is_opening:
            self._model = judgement.label
            judgement.alarms += 1
            self.alarms += 1
            self.forget_since(told.onset_us)
        shares = named_shares(self.channels, told.shares)
        return Turn(is_opening, shares, told.score, told.peak, told.onset_us, self._model)

    def _end_if_blind(self, row: Row) -> list[Turn]:
        """Close what is open where no model is left to say when it is over."""
        closed = self._episodes.end(row.at_us) if self.is_off else None
        if closed is None:
            return []
        shares = named_shares(self.channels, closed.shares)
        return [Turn(is_opening=False, shares=shares, score=closed.score, peak=closed.peak, onset_us=closed.onset_us)]

    def _take_own(self, candidate: Candidate) -> None:
        before = self._own
        self._own = self._judgement(candidate)
        self._own.begin_anew(self._recent)
        self._recalibrator.watch(self._own)
        if self._previous is before and before is not None:
            self._previous = self._own
        if self._serving is before and not self.is_off:
            self._serving = self._own
        log.info("%s was learned from %d rows", self._own.label, candidate.scoring.rows, extra=self._extra)

    def _judgement(self, candidate: Candidate) -> Judgement:
        return Judgement(candidate, self.channels, load=self._tools.load, clock=self._tools.clock)

    @property
    def _extra(self) -> dict[str, str]:
        return {"device_id": self.device}
