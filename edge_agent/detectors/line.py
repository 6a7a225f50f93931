"""DetectorLine: what watches the readings of one Device: rows, detectors, Anomalies, and the score as a Tag."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from edge_agent.detectors.model import ModelDetector
from edge_agent.detectors.rows import Rows
from edge_agent.ports import Deliver, Detector, Row, Turn
from protocols.anomaly import CLOSED, OPENED, Anomaly, AnomalySource
from protocols.batch import GatewayEvent
from protocols.reading import Column, Kind, Quality, ReadingBlock

GOOD = np.array([Quality.GOOD], np.uint8)


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where findings go: score readings, events, and a new name for each episode. score_tag: index of the score Tag."""

    deliver: Deliver
    announce: Callable[[GatewayEvent], None]
    new_name: Callable[[], str]
    score_tag: int
    score_period_s: float


class DetectorLine:
    """A tap behind the quality gate; rules: the detectors beside the model, by what they find.

    rows: judged, `unscored` of them by rules only; left_out: readings that came too fast to be judged.
    """

    def __init__(
        self, rows: Rows, model: ModelDetector, rules: Mapping[AnomalySource, Detector], outlets: Outlets
    ) -> None:
        self.model = model
        self.rows = self.unscored = self.left_out = 0
        self.opened = dict.fromkeys((AnomalySource.MODEL, *rules), 0)
        self._rows = rows
        self._rules = dict(rules)
        self._outlets = outlets
        self._score_tag = np.array([outlets.score_tag], np.uint32)
        self._score_us = round(outlets.score_period_s * 1e6)
        self._next_score_us: int | None = None
        self._names: dict[tuple[AnomalySource, str], str] = {}

    def take(self, block: ReadingBlock) -> None:
        """Judge the rows that these readings complete."""
        for row in self._rows.take(block):
            self._take(row)

    def leave_out(self, block: ReadingBlock) -> None:
        """Count readings that are not judged."""
        self.left_out += len(block)

    def _take(self, row: Row) -> None:
        self.rows += 1
        is_calm = True
        for source, rule in self._rules.items():
            for turn in rule.take(row, is_calm=True):
                self._tell(source, turn, row)
                if turn.is_opening:
                    self.model.forget_since(turn.onset_us)
            is_calm = is_calm and rule.is_calm
        for turn in self.model.take(row, is_calm=is_calm):
            self._tell(AnomalySource.MODEL, turn, row)
        if isfinite(self.model.score):
            self._send_score(row)
        else:
            self.unscored += 1

    def _send_score(self, row: Row) -> None:
        due_us = self._next_score_us
        if due_us is not None and 0 <= due_us - row.at_us <= self._score_us and due_us > row.at_us:
            return
        self._next_score_us = row.at_us + self._score_us
        time_us, value = np.array([row.at_us], np.int64), np.array([self.model.score])
        column = Column(Kind.FLOAT, self._score_tag, time_us, value, GOOD)
        self._outlets.deliver(ReadingBlock((column,)))

    def _tell(self, source: AnomalySource, turn: Turn, row: Row) -> None:
        channel = turn.shares[0][0] if turn.shares else ""
        key = source, "" if source is AnomalySource.MODEL else channel
        if turn.is_opening:
            self._names[key] = self._outlets.new_name()
            self.opened[source] += 1
        anomaly = Anomaly(
            episode=self._names[key] if turn.is_opening else self._names.pop(key),
            source=source,
            device=self.model.device,
            channel=channel,
            shares=turn.shares,
            score=turn.score,
            peak=turn.peak,
            onset_us=turn.onset_us,
            at_us=row.at_us,
            model=turn.model,
            limit=turn.limit,
        )
        self._outlets.announce(anomaly.event(OPENED if turn.is_opening else CLOSED))
