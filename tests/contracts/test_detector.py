"""The Detector port: what all that judges rows owes. A new one is added to FAULTS with a fault that it finds."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_agent.detectors import DETECTORS
from edge_agent.ports import Detector, Row
from protocols.anomaly import AnomalySource
from tests.support.judging import PERIOD_S, Bench, Floats, healthy, play, rows_of

LEARNED, FAULTY, AFTER = 1_000, 150, 400
"""Rows before the fault, with it, and after it."""
CHANNEL = 1
SETTINGS: Mapping[str, Any] = {
    "low": np.array([-np.inf, 0.0, -np.inf]),
    "high": np.array([np.inf, 8.0, np.inf]),
    "rate": np.array([0.0, 30.0, 0.0]),
}


def stuck(values: Floats) -> Floats:
    values[LEARNED : LEARNED + FAULTY, CHANNEL] = values[LEARNED, CHANNEL]
    return values


def shifted(by: float) -> Callable[[Floats], Floats]:
    def shift(values: Floats) -> Floats:
        values[LEARNED : LEARNED + FAULTY, CHANNEL] += by
        return values

    return shift


def torn(values: Floats) -> Floats:
    values[LEARNED : LEARNED + FAULTY : 5, CHANNEL] += 4.0
    return values


FAULTS: Mapping[AnomalySource, Callable[[Floats], Floats]] = {
    AnomalySource.FROZEN: stuck,
    AnomalySource.RANGE: shifted(7.0),
    AnomalySource.RATE: torn,
    AnomalySource.MODEL: shifted(0.5),
}


@pytest.fixture(params=[str(source) for source in DETECTORS])
def source(request: pytest.FixtureRequest) -> AnomalySource:
    return AnomalySource(request.param)


@pytest.fixture
def detector(source: AnomalySource, tmp_path: Path) -> Detector:
    return DETECTORS[source](Bench(tmp_path).subject(**SETTINGS))


def faulty_rows(source: AnomalySource) -> list[Row]:
    return rows_of(FAULTS[source](healthy(LEARNED + FAULTY + AFTER)))


def test_healthy_rows_open_nothing(detector: Detector) -> None:
    assert play(detector, rows_of(healthy(3_000, seed=7))) == []
    assert detector.is_calm


def test_a_fault_opens_once_within_eight_seconds_and_closes_once(source: AnomalySource, detector: Detector) -> None:
    told = play(detector, faulty_rows(source))
    assert [turn.is_opening for _, turn in told] == [True, False]
    seconds_after = told[0][0] / 1e6 - LEARNED * PERIOD_S
    assert 0 <= seconds_after <= 8
    assert told[1][0] / 1e6 > (LEARNED + FAULTY) * PERIOD_S


def test_it_names_the_channel_and_when_it_began(source: AnomalySource, detector: Detector) -> None:
    opened = play(detector, faulty_rows(source))[0][1]
    assert opened.shares[0][0] == "pressure"
    assert sum(share for _, share in opened.shares) == pytest.approx(1, abs=0.01)
    assert abs(opened.onset_us / 1e6 - LEARNED * PERIOD_S) <= 2
    assert opened.score > 0.5


def test_it_is_not_calm_while_something_is_open(source: AnomalySource, detector: Detector) -> None:
    rows = faulty_rows(source)
    told = play(detector, rows[: LEARNED + 100])
    assert len(told) == 1
    assert not detector.is_calm
    play(detector, rows[LEARNED + 100 :])
    assert detector.is_calm


def test_rows_without_any_value_neither_open_nor_fail(detector: Detector) -> None:
    play(detector, rows_of(healthy(LEARNED)))
    assert play(detector, rows_of(np.full((300, 3), np.nan), begin=LEARNED)) == []


def test_a_gap_is_no_fault(detector: Detector) -> None:
    play(detector, rows_of(healthy(LEARNED)))
    first, *rest = rows_of(healthy(200, seed=3), begin=50 * LEARNED)
    after = Row(first.at_us, first.values, first.is_good, is_after_gap=True)
    assert play(detector, [after, *rest]) == []


def test_every_detector_has_a_fault_to_find() -> None:
    assert FAULTS.keys() == DETECTORS.keys() == set(AnomalySource)
