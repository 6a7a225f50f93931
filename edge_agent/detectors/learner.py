"""Learner: collects a Device's normal rows, and makes of them the gateway's own model and what a fleet's model lacks.

What takes time is done off the loop: `work` returns it, what that returns is called on the loop. The first fit comes
after `learn_rows` rows and the next ones after several times as many: 400 rows have not seen much of a machine.
"""

import logging
from collections.abc import Callable
from functools import partial
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from edge_agent.detectors.judgement import Judgement
from edge_agent.detectors.normal_rows import NormalRows
from edge_agent.detectors.own import FleetScoring, pack_own
from edge_agent.detectors.subject import Subject
from edge_agent.errors import ModelsUnusable
from edge_agent.ports import Candidate, Row
from protocols.errors import NetworkFailed
from protocols.package import Package
from protocols.scoring.fit import fit
from protocols.scoring.model import InvalidRows
from protocols.scoring.reduce import adapt_to
from protocols.wanted import OWN

log = logging.getLogger(__name__)
STAGES = (1.0, 2.5, 6.0, 15.0)
"""How many times `learn_rows` each fit has."""
LEAST_KEPT = 0.5
"""The share of the rows that must lack nothing; with fewer, more are waited for."""
Finish = Callable[[], None]
Adopt = Callable[[Candidate], None]


class Learner:
    """One Device; adopt: called on the loop with each own model; scaled: with a fleet's model that learned its scale.

    trouble: why there is no own model yet, in words.
    """

    def __init__(self, subject: Subject, adopt: Adopt, scaled: Callable[[Judgement], None]) -> None:
        learn_rows = subject.rules.learn_rows
        self.rows = NormalRows(len(subject.channels), round(STAGES[-1] * learn_rows))
        self.trouble = ""
        self._subject = subject
        self._tools = subject.tools
        self._adopt = adopt
        self._scaled = scaled
        self._targets = [round(stage * learn_rows) for stage in STAGES]
        self._learn_rows = learn_rows
        self._version = 0
        self._is_restored = self._is_asked = False
        self._is_busy = False
        self._fleet: Judgement | None = None
        self._is_fleet_kept = True

    def take(self, row: Row, *, is_normal: bool) -> None:
        """Keep a row that is normal, and ask for what there is to do."""
        n_good = np.count_nonzero(row.is_good)
        if not n_good:
            return
        if is_normal and self._targets:
            is_whole = n_good == len(row.is_good)
            self.rows.add(row.at_us, row.values if is_whole else np.where(row.is_good, row.values, np.nan))
        is_due = not self._is_restored or self._is_fit_due or self._is_fleet_due
        if is_due and not self._is_asked:
            self._is_asked = True
            self._tools.wake()

    def await_fleet(self, judgement: Judgement) -> None:
        """Have this model of a fleet learn its scale and threshold from the rows here, or recall those of before."""
        self._fleet, self._is_fleet_kept = judgement, True
        self._is_asked = False

    def is_awaited(self, judgement: Judgement) -> bool:
        """Return whether this model has no scale yet."""
        return judgement is self._fleet

    def work(self) -> Callable[[], Finish] | None:
        """Return what is to be done off the loop, None where there is nothing."""
        self._is_asked = False
        if self._is_busy:
            return None
        job = self._job()
        self._is_busy = job is not None
        return job

    @property
    def _is_fit_due(self) -> bool:
        return bool(self._targets) and len(self.rows) >= self._targets[0]

    @property
    def _is_fleet_due(self) -> bool:
        return self._fleet is not None and (self._is_fleet_kept or len(self.rows) >= self._learn_rows)

    def _job(self) -> Callable[[], Finish] | None:
        if not self._is_restored:
            return self._restore
        if self._is_fleet_due and self._fleet is not None:
            return partial(self._adapt, self._fleet, *self.rows.complete())
        if self._is_fit_due:
            return partial(self._fit, *self.rows.complete(), self._version + 1)
        return None

    def _restore(self) -> Finish:
        """Load what an earlier run fitted, if it still fits the configuration."""
        try:
            package = self._tools.own.load(self._subject.device)
            is_ours = package is not None and package.card.lineage.dataset == self._fingerprint
            candidate = None if package is None or not is_ours else self._candidate(package)
        except (ModelsUnusable, NetworkFailed) as error:
            log.warning("the own model is learned anew: %s", error, extra=self._extra)
            candidate = None
        return partial(self._end_restore, candidate)

    def _end_restore(self, candidate: Candidate | None) -> None:
        self._is_restored, self._is_busy = True, False
        if candidate is not None:
            self._targets = [target for target in self._targets if target > candidate.scoring.rows]
            self._take_over(candidate)

    def _fit(self, channels: NDArray[np.intp], rows: NDArray[np.float64], version: int) -> Finish:
        names = [self._subject.channels[i] for i in channels]
        if len(rows) < LEAST_KEPT * self._targets[0]:
            return partial(self._end_fit, None, f"only {len(rows)} rows lack no channel")
        try:
            fitted = fit(rows, names, period_s=self._subject.period_s)
            network = self._tools.load(fitted.network)
        except (InvalidRows, NetworkFailed, np.linalg.LinAlgError) as error:
            return partial(self._end_fit, None, str(error))
        used = [names.index(channel) for channel in fitted.scoring.channels]
        at_us = self._tools.clock.now_us()
        package = pack_own(fitted, network, rows[:, used], version=version, at_us=at_us, dataset=self._fingerprint)
        try:
            self._tools.own.keep(self._subject.device, package)
        except ModelsUnusable as error:
            log.error("the own model will be learned anew after a restart: %s", error, extra=self._extra)  # noqa: TRY400
        candidate = Candidate(OWN, version, fitted.scoring, network, len(package.network))
        return partial(self._end_fit, candidate, "; ".join(fitted.notes))

    def _end_fit(self, candidate: Candidate | None, trouble: str) -> None:
        self._is_busy = False
        if trouble and trouble != self.trouble:
            log.info("own model: %s", trouble, extra=self._extra)
        self.trouble = trouble
        if candidate is None:  # wait for as many rows again
            self._targets = [len(self.rows) + self._learn_rows, *(t for t in self._targets[1:] if t > len(self.rows))]
            self._targets[0] = min(self._targets[0], self.rows.most)
            if len(self.rows) >= self.rows.most:
                self.rows.clear()
            return
        self._targets = self._targets[1:]
        self._take_over(candidate)

    def _adapt(self, judgement: Judgement, channels: NDArray[np.intp], rows: NDArray[np.float64]) -> Finish:
        """Give a fleet's model the scale and threshold of this Device: those kept, or those of its rows."""
        candidate = judgement.candidate
        scoring = candidate.scoring
        try:
            kept = self._tools.own.load_fleet(self._subject.device)
            if kept is not None and (kept.name, kept.version) == (candidate.name, candidate.version):
                return partial(self._end_adapt, judgement, kept)
            if len(rows) < LEAST_KEPT * self._learn_rows:
                return partial(self._end_adapt, judgement, None)
            names = [self._subject.channels[i] for i in channels]
            columns = [names.index(channel) for channel in scoring.channels]
            made = FleetScoring(
                candidate.name, candidate.version, adapt_to(scoring, candidate.network, rows[:, columns])
            )
            self._tools.own.keep_fleet(self._subject.device, made)
        except (ModelsUnusable, InvalidRows, NetworkFailed, ValueError) as error:
            log.warning("%s has no scale for this device yet: %s", judgement.label, error, extra=self._extra)
            return partial(self._end_adapt, judgement, None)
        return partial(self._end_adapt, judgement, made)

    def _end_adapt(self, judgement: Judgement, made: FleetScoring | None) -> None:
        self._is_busy = self._is_fleet_kept = False
        if made is not None and judgement is self._fleet:
            judgement.use(made.scoring)
            self._scaled(judgement)
            self._fleet = None

    def _take_over(self, candidate: Candidate) -> None:
        self._version = candidate.version
        self._adopt(candidate)

    def _candidate(self, package: Package) -> Candidate:
        card = package.card
        return Candidate(card.name, card.version, card.scoring, self._tools.load(package.network), card.network_bytes)

    @property
    def _fingerprint(self) -> str:
        """Return what a fit holds for: these channels, at this period."""
        words = "\n".join((*self._subject.channels, f"{self._subject.period_s:g}"))
        return f"{len(self._subject.channels)} channels, {sha256(words.encode()).hexdigest()[:16]}"

    @property
    def _extra(self) -> dict[str, str]:
        return {"device_id": self._subject.device}
