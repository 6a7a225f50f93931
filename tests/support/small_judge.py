"""SmallJudge: the Judge port over the real Scorer, without rules and episodes; a test feeds it rows by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_agent.ports import Candidate
from protocols.errors import NetworkFailed
from protocols.scoring.scorer import Scorer
from protocols.wanted import OWN, ModelStanding, Standing


@dataclass(slots=True)
class Running:
    """A model that scores, and how it went."""

    candidate: Candidate
    scorer: Scorer
    rows: int = 0
    failures: int = 0
    invoke_us: float = 20.0


class SmallJudge:
    """Judges by the last of `serving`, by the gateway's own model where it is empty; off_after: failures in a row."""

    def __init__(self, device: str, channels: tuple[str, ...], *, off_after: int = 3) -> None:
        self.device = device
        self.channels = channels
        self.serving: list[Running] = []
        self.challenger: Running | None = None
        self.reasons: list[str] = []
        self.judged = 0
        self._off_after = off_after

    def feed(self, rows: NDArray[np.float64]) -> None:
        """Score rows with what serves and with the challenger."""
        self.judged += len(rows)
        if self.serving and not self._score(self.serving[-1], rows):
            self.roll_back("failed")
        if self.challenger is not None and not self._score(self.challenger, rows):
            self.challenger = None

    def challenge(self, candidate: Candidate) -> None:
        """Let the candidate score the same rows."""
        self.challenger = Running(candidate, Scorer(candidate.scoring, candidate.network))

    def swap(self) -> None:
        """Make the challenger serve."""
        assert self.challenger is not None
        self.serving = [*self.serving[-1:], self.challenger]
        self.challenger = None

    def roll_back(self, reason: str) -> None:
        """Serve with the model before this one."""
        self.reasons.append(reason)
        self.serving.pop()

    def dismiss(self) -> None:
        """Let go of the challenger."""
        self.challenger = None

    def standings(self) -> Sequence[ModelStanding]:
        """Return how the serving model is doing, and the challenger."""
        if self.serving:
            shown = [self._shown(self.serving[-1], Standing.SERVING)]
        else:
            shown = [ModelStanding(self.device, OWN, 1, Standing.SERVING, rows=self.judged)]
        if self.challenger is not None:
            shown.append(self._shown(self.challenger, Standing.SHADOWING))
        return shown

    def _score(self, running: Running, rows: NDArray[np.float64]) -> bool:
        try:
            running.scorer.take(rows)
        except NetworkFailed:
            running.failures += 1
            return running.failures < self._off_after
        running.rows += len(rows)
        running.failures = 0
        return True

    def _shown(self, running: Running, standing: Standing) -> ModelStanding:
        one = running.candidate
        return ModelStanding(
            self.device,
            one.name,
            one.version,
            standing,
            one.rollout,
            rows=running.rows,
            invoke_us=running.invoke_us,
            bytes=one.size_bytes,
        )
