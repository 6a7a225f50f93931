"""The Judge port: what the keeper of models relies on, asked of the detector and of the tests' small Judge."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.detectors.model import ModelDetector
from edge_agent.ports import Candidate, Judge
from protocols.errors import NetworkFailed
from protocols.scoring.fit import fit
from protocols.scoring.loader import load_network
from protocols.wanted import OWN, ModelStanding, Standing
from tests.support.judging import CHANNELS, PERIOD_S, Bench, healthy, rows_of
from tests.support.small_judge import SmallJudge

OFF_AFTER = 3


class Broken:
    """A Network that fails whenever it is asked."""

    inputs = outputs = 3

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Fail."""
        raise NetworkFailed(f"{len(features)} rows and no answer")


class Fed:
    """A Judge, and rows for it."""

    def __init__(self, judge: Judge, feed: Callable[[int], None]) -> None:
        self.judge = judge
        self.feed = feed

    def standing(self, standing: Standing) -> ModelStanding | None:
        """Return what stands so."""
        return next((one for one in self.judge.standings() if one.standing is standing), None)

    @property
    def serving(self) -> str:
        """Return what serves, `own` where it is the gateway's."""
        found = self.standing(Standing.SERVING)
        return OWN if found is None or found.name == OWN else f"{found.name}@{found.version}"

    def serve(self, version: int) -> None:
        """Bring a candidate all the way."""
        self.judge.challenge(candidate(version))
        self.feed(100)
        self.judge.swap()


def candidate(version: int) -> Candidate:
    fitted = fit(healthy(400, seed=version), CHANNELS, period_s=PERIOD_S)
    return Candidate("pump", version, fitted.scoring, load_network(fitted.network), len(fitted.network), rollout="r1")


@pytest.fixture(params=["the detector", "the small judge"])
def fed(request: pytest.FixtureRequest, tmp_path: Path) -> Fed:
    if request.param == "the small judge":
        small = SmallJudge("pump-1", CHANNELS, off_after=OFF_AFTER)

        def feed_small(n_rows: int) -> None:
            for row in healthy(n_rows, seed=9):
                small.feed(row[None])

        return Fed(small, feed_small)
    detector = ModelDetector(Bench(tmp_path).subject())
    begun = [0]

    def feed(n_rows: int) -> None:
        for row in rows_of(healthy(n_rows, seed=9), begin=begun[0]):
            detector.take(row, is_calm=True)
        begun[0] += n_rows

    return Fed(detector, feed)


def test_a_challenger_scores_the_same_rows_and_does_not_serve(fed: Fed) -> None:
    fed.judge.challenge(candidate(1))
    fed.feed(100)
    shadowing = fed.standing(Standing.SHADOWING)
    assert shadowing is not None
    assert (shadowing.name, shadowing.version, shadowing.rollout) == ("pump", 1, "r1")
    assert (shadowing.rows > 0, shadowing.alarms, fed.serving) == (True, 0, OWN)


def test_a_new_challenger_replaces_the_one_before(fed: Fed) -> None:
    fed.judge.challenge(candidate(1))
    fed.judge.challenge(candidate(2))
    shadowing = [one.version for one in fed.judge.standings() if one.standing is Standing.SHADOWING]
    assert shadowing == [2]


def test_a_dismissed_challenger_is_gone(fed: Fed) -> None:
    fed.judge.challenge(candidate(1))
    fed.judge.dismiss()
    fed.feed(10)
    assert (fed.standing(Standing.SHADOWING), fed.serving) == (None, OWN)


def test_after_a_swap_the_challenger_serves(fed: Fed) -> None:
    fed.serve(1)
    assert (fed.serving, fed.standing(Standing.SHADOWING)) == ("pump@1", None)


def test_it_goes_back_to_the_model_before_and_then_to_its_own(fed: Fed) -> None:
    fed.serve(1)
    fed.serve(2)
    assert fed.serving == "pump@2"
    fed.judge.roll_back("not_wanted")
    assert fed.serving == "pump@1"
    fed.feed(10)
    fed.judge.roll_back("not_wanted")
    assert fed.serving == OWN


def test_a_model_that_fails_is_taken_out_for_the_one_before(fed: Fed) -> None:
    fed.serve(1)
    fed.judge.challenge(replace(candidate(2), network=Broken()))
    fed.judge.swap()
    fed.feed(100)
    assert fed.serving == "pump@1"


def test_a_challenger_that_fails_is_taken_out_and_what_serves_stays(fed: Fed) -> None:
    fed.serve(1)
    fed.judge.challenge(replace(candidate(2), network=Broken()))
    fed.feed(100)
    assert (fed.serving, fed.standing(Standing.SHADOWING)) == ("pump@1", None)
