"""The line of one Device: from readings to Anomaly events that can be read again, and to the score as a Tag."""

from pathlib import Path

import numpy as np
import pytest

from edge_agent.detectors import DETECTORS
from edge_agent.detectors.line import DetectorLine, Outlets
from edge_agent.detectors.model import ModelDetector
from edge_agent.detectors.rows import RowPlan, Rows
from edge_agent.ports import Detector
from protocols.anomaly import CLOSED, OPENED, AnomalySource, read_anomaly
from protocols.batch import GatewayEvent
from protocols.reading import Column, Kind, Quality, ReadingBlock
from tests.support.judging import PERIOD_S, Bench, Floats, do_work, healthy

SCORE_TAG = 9
PERIOD_US = round(PERIOD_S * 1e6)


class Outside:
    """What comes out of a line."""

    def __init__(self, folder: Path, *, score_period_s: float = 1.0) -> None:
        subject = Bench(folder).subject()
        self.events: list[GatewayEvent] = []
        self.scores: list[ReadingBlock] = []
        self._names = iter(f"episode-{i}" for i in range(100))
        rules: dict[AnomalySource, Detector] = {
            source: make(subject) for source, make in DETECTORS.items() if source is not AnomalySource.MODEL
        }
        self.model = ModelDetector(subject)
        outlets = Outlets(self.scores.append, self.events.append, self._names.__next__, SCORE_TAG, score_period_s)
        plan = RowPlan(tags=(0, 1, 2), period_s=PERIOD_S, stale_s=(1.0, 1.0, 1.0), awaited=(0, 1, 2))
        self.line = DetectorLine(Rows(plan), self.model, rules, outlets)

    def play(self, values: Floats) -> None:
        for i, row in enumerate(values):
            tags, times = np.arange(3, dtype=np.uint32), np.full(3, i * PERIOD_US, np.int64)
            quality = np.full(3, Quality.GOOD, np.uint8)
            self.line.take(ReadingBlock((Column(Kind.FLOAT, tags, times, row.copy(), quality),)))
            do_work(self.model)

    def anomalies(self, source: AnomalySource) -> list[tuple[str, str, str]]:
        told = [(event.name, read_anomaly(event)) for event in self.events]
        return [(name, one.episode, one.channel) for name, one in told if one.source is source]


@pytest.fixture
def faulty() -> Floats:
    values = healthy(1_200, seed=3)
    values[600:700, 1] = values[600, 1]
    values[900:1_000, 1] += 1.0
    return values


def test_an_episode_is_told_twice_under_one_name(tmp_path: Path, faulty: Floats) -> None:
    outside = Outside(tmp_path)
    outside.play(faulty)
    frozen = outside.anomalies(AnomalySource.FROZEN)
    assert [(name, channel) for name, _, channel in frozen] == [(OPENED, "pressure"), (CLOSED, "pressure")]
    assert frozen[0][1] == frozen[1][1]
    by_model = outside.anomalies(AnomalySource.MODEL)
    assert (OPENED, "pressure") in [(name, channel) for name, _, channel in by_model]
    assert [name for name, _, _ in by_model] == [OPENED, CLOSED] * (len(by_model) // 2)
    assert len({episode for _, episode, _ in frozen + by_model}) == (len(frozen) + len(by_model)) / 2
    assert outside.line.opened[AnomalySource.FROZEN] == 1


def test_a_models_anomaly_names_the_model_and_its_time(tmp_path: Path, faulty: Floats) -> None:
    outside = Outside(tmp_path)
    outside.play(faulty)
    opened = next(read_anomaly(event) for event in outside.events if event.detail["source"] == "model")
    assert opened.model.startswith("own@")
    assert opened.device == "pump-1"
    assert opened.onset_us <= opened.at_us
    assert 0.5 < opened.score <= opened.peak <= 1


def test_the_score_is_a_reading_of_its_own_tag_at_its_own_pace(tmp_path: Path) -> None:
    outside = Outside(tmp_path, score_period_s=1.0)
    outside.play(healthy(400))
    columns = [score.columns[0] for score in outside.scores]
    assert {int(column.tag[0]) for column in columns} == {SCORE_TAG}
    assert all(0 <= float(column.value[0]) <= 1 for column in columns)
    times = np.array([int(column.time_us[0]) for column in columns])
    assert np.diff(times).min() == 1_000_000
    assert 18 <= len(times) <= 21


def test_rows_since_a_rule_was_broken_are_not_learned_from(tmp_path: Path) -> None:
    values = healthy(200, seed=3)
    values[120:, 1] = values[120, 1]
    outside = Outside(tmp_path)
    outside.play(values[:199])
    assert outside.anomalies(AnomalySource.FROZEN)
    assert outside.model.standings()[0].rows <= 121


def test_rows_of_which_no_model_says_anything_are_counted(tmp_path: Path) -> None:
    outside = Outside(tmp_path, score_period_s=0.0)
    outside.play(healthy(400))
    assert outside.line.rows == 400
    assert outside.line.unscored == 400 - len(outside.scores) == 200
