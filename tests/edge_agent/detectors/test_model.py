"""Whatever a model does, rows are taken and rules go on; who fails is taken out, and what was learned is kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.detectors.loader import load_network
from edge_agent.detectors.model import ModelDetector
from edge_agent.ports import Candidate
from protocols.errors import NetworkFailed
from protocols.scoring.fit import fit
from protocols.scoring.network import Network
from protocols.wanted import OWN, Standing
from tests.support.judging import CHANNELS, PERIOD_S, Bench, HandClock, do_work, healthy, play, rows_of

LEARN = 200


class Naughty:
    """A network that does something else first."""

    def __init__(self, inside: Network, misbehave: Callable[[], None]) -> None:
        self._inside, self._misbehave = inside, misbehave
        self.inputs, self.outputs = inside.inputs, inside.outputs

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        self._misbehave()
        return self._inside.run(features)


class Silent:
    """A network that says nothing but NaN."""

    def __init__(self, inside: Network) -> None:
        self.inputs, self.outputs = inside.inputs, inside.outputs

    def run(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.full((len(features), self.outputs), np.nan, np.float32)


def throwing(error: Exception) -> Callable[[], None]:
    def misbehave() -> None:
        raise error

    return misbehave


def slow(clock: HandClock) -> Callable[[], None]:
    def misbehave() -> None:
        clock.now_s += 0.2

    return misbehave


def candidate(
    version: int = 1, *, misbehave: Callable[[], None] = lambda: None, is_fleet: bool = False, factor: float = 1.0
) -> Candidate:
    """Return a model of rows that lie `factor` times as high as the healthy ones."""
    fitted = fit(healthy(600, seed=9) * factor, CHANNELS, period_s=PERIOD_S)
    network = Naughty(load_network(fitted.network), misbehave)
    return Candidate("fleet", version, fitted.scoring, network, len(fitted.network), is_fleet=is_fleet, rollout="r-1")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def detector(bench: Bench) -> ModelDetector:
    """Return one that judges by its own model."""
    made = ModelDetector(bench.subject())
    play(made, rows_of(healthy(LEARN + 40)))
    assert serving(made) == (OWN, 1)
    return made


def serving(detector: ModelDetector) -> tuple[str, int]:
    first = detector.standings()[0]
    assert first.standing is Standing.SERVING
    return first.name, first.version


def go_on(detector: ModelDetector, n: int, *, begin: int = LEARN + 40) -> list[float]:
    """Play so many more healthy rows; return their scores."""
    scores = []
    for row in rows_of(healthy(begin + n)[begin:], begin=begin):
        play(detector, [row])
        scores.append(detector.score)
    return scores


def test_it_learns_from_the_first_rows_and_says_so(bench: Bench) -> None:
    detector = ModelDetector(bench.subject())
    play(detector, rows_of(healthy(LEARN - 1)))
    standing = detector.standings()[0]
    assert (standing.standing, standing.rows) == (Standing.LEARNING, LEARN - 1)
    play(detector, rows_of(healthy(LEARN + 60)[LEARN - 1 :], begin=LEARN - 1))
    assert serving(detector) == (OWN, 1)
    assert 0 <= detector.score <= 1


def test_it_judges_at_once_after_learning_because_its_windows_are_full_already(detector: ModelDetector) -> None:
    assert not np.isnan(go_on(detector, 1)).any()


def test_it_learns_again_when_there_are_more_rows(bench: Bench) -> None:
    detector = ModelDetector(bench.subject())
    play(detector, rows_of(healthy(round(2.5 * LEARN) + 1)))
    assert serving(detector) == (OWN, 2)


@pytest.mark.usefixtures("detector")
def test_a_restart_needs_no_learning(bench: Bench) -> None:
    again = ModelDetector(bench.subject())
    play(again, rows_of(healthy(1)))
    assert serving(again) == (OWN, 1)
    assert again.standings()[0].bytes > 0


@pytest.mark.usefixtures("detector")
def test_other_channels_are_learned_anew(bench: Bench) -> None:
    subject = bench.subject()
    fewer = ModelDetector(
        type(subject)(**{name: getattr(subject, name) for name in subject.__slots__} | {"channels": CHANNELS[:2]})
    )
    play(fewer, rows_of(healthy(3)[:, :2]))
    assert fewer.standings()[0].standing is Standing.LEARNING


@pytest.mark.usefixtures("detector")
def test_a_damaged_file_is_learned_anew(bench: Bench) -> None:
    (file,) = bench.folder.glob("own/*.lsp")
    file.write_bytes(file.read_bytes()[:-5])
    again = ModelDetector(bench.subject())
    play(again, rows_of(healthy(3)))
    assert again.standings()[0].standing is Standing.LEARNING


def test_rows_that_are_not_normal_are_not_learned_from(bench: Bench) -> None:
    detector = ModelDetector(bench.subject())
    for row in rows_of(healthy(LEARN + 100)):
        detector.take(row, is_calm=False)
        do_work(detector)
    assert detector.standings()[0].rows == 0


def test_a_challenger_scores_the_same_rows_and_opens_nothing(detector: ModelDetector) -> None:
    detector.challenge(candidate(factor=3.0))  # to it every row is far off
    told = play(detector, rows_of(healthy(LEARN + 240)[LEARN + 40 :], begin=LEARN + 40))
    assert told == []
    first, shadow = detector.standings()
    assert first.name == OWN
    assert (shadow.name, shadow.standing, shadow.rollout) == ("fleet", Standing.SHADOWING, "r-1")
    assert shadow.rows == 200
    assert shadow.over == 1.0
    assert shadow.agreement is not None
    assert shadow.agreement < 0.1


def test_after_a_swap_it_serves_and_back_again(detector: ModelDetector) -> None:
    detector.challenge(candidate())
    detector.swap()
    assert serving(detector) == ("fleet", 1)
    assert not np.isnan(go_on(detector, 5)).any()
    detector.roll_back("asked")
    assert serving(detector) == (OWN, 1)
    assert detector.standings()[0].reason == "fleet@1: asked"
    assert not np.isnan(go_on(detector, 5, begin=LEARN + 45)).any()


def test_a_second_model_goes_back_to_the_first_and_then_to_its_own(detector: ModelDetector) -> None:
    for version in (1, 2):
        detector.challenge(candidate(version))
        detector.swap()
    detector.roll_back("bad")
    assert serving(detector) == ("fleet", 1)
    detector.roll_back("worse")
    assert serving(detector) == (OWN, 1)
    detector.roll_back("nothing left to go back to")
    assert serving(detector) == (OWN, 1)


def test_a_dismissed_challenger_is_gone(detector: ModelDetector) -> None:
    detector.challenge(candidate())
    detector.dismiss()
    detector.swap()
    assert serving(detector) == (OWN, 1)


@pytest.mark.parametrize(
    "error", [NetworkFailed("broken"), RuntimeError("tensor 3 is unresolved"), ZeroDivisionError(), MemoryError()]
)
def test_a_model_that_throws_is_taken_out_and_said_once(
    bench: Bench, detector: ModelDetector, error: Exception
) -> None:
    detector.challenge(candidate(misbehave=throwing(error)))
    detector.swap()
    scores = go_on(detector, 20)
    assert np.isnan(scores[:3]).all()
    assert not np.isnan(scores[4:]).any()
    assert serving(detector) == (OWN, 1)
    ((name, detail),) = bench.events
    assert name == "model_off"
    assert detail["model"] == "fleet@1"
    assert detail["now"] == "own@1"


def test_a_model_that_is_late_is_taken_out(bench: Bench, detector: ModelDetector) -> None:
    detector.challenge(candidate(misbehave=slow(bench.clock)))
    detector.swap()
    go_on(detector, 5)
    assert serving(detector) == (OWN, 1)
    assert "200 ms, 50 are allowed" in bench.events[0][1]["reason"]


def test_a_model_that_says_no_number_is_taken_out(bench: Bench, detector: ModelDetector) -> None:
    made = candidate()
    nan = Silent(made.network)
    detector.challenge(Candidate("fleet", 1, made.scoring, nan, 1))
    detector.swap()
    go_on(detector, 40)
    assert serving(detector) == (OWN, 1)
    assert bench.events[0][1]["reason"] == "the model's output is not a number"


def test_a_challenger_that_throws_is_out_and_what_serves_stays(bench: Bench, detector: ModelDetector) -> None:
    detector.challenge(candidate(misbehave=throwing(RuntimeError("no"))))
    go_on(detector, 5)
    assert len(detector.standings()) == 1
    assert serving(detector) == (OWN, 1)
    assert bench.events == []


def test_without_any_model_left_it_is_off_until_another_comes(bench: Bench) -> None:
    broken = [False]

    def misbehave() -> None:
        if broken[0]:
            raise RuntimeError("no more")

    detector = ModelDetector(bench.subject(load=lambda data: Naughty(load_network(data), misbehave)))
    play(detector, rows_of(healthy(LEARN + 40)))
    broken[0] = True
    assert np.isnan(go_on(detector, 10)).all()
    assert detector.standings()[0].standing is Standing.OFF
    assert [detail["now"] for _, detail in bench.events] == ["off"]
    detector.challenge(candidate())
    detector.swap()
    assert not np.isnan(go_on(detector, 40, begin=LEARN + 50)[-1])


def test_what_was_open_closes_when_no_model_is_left(bench: Bench) -> None:
    broken = [False]

    def misbehave() -> None:
        if broken[0]:
            raise RuntimeError("no more")

    detector = ModelDetector(bench.subject(load=lambda data: Naughty(load_network(data), misbehave)))
    values = healthy(LEARN + 300)
    values[LEARN + 40 :, 1] += 2.0
    opened = play(detector, rows_of(values))
    broken[0] = True
    closed = play(detector, rows_of(values[-20:], begin=LEARN + 300))
    assert [turn.is_opening for _, turn in opened + closed] == [True, False]


def test_a_channel_that_is_missing_for_long_is_done_without(detector: ModelDetector) -> None:
    values = healthy(LEARN + 400)[LEARN + 40 :]
    values[20:200, 2] = np.nan
    scores = []
    for row in rows_of(values, begin=LEARN + 40):
        play(detector, [row])
        scores.append(detector.score)
    assert not np.isnan(scores[:20]).any()
    assert np.isnan(scores[20:24]).all()
    assert not np.isnan(scores[60:200]).any()
    assert not np.isnan(scores[260:]).any()


def test_a_fault_is_found_and_named_while_another_channel_is_missing(detector: ModelDetector) -> None:
    values = healthy(LEARN + 400)[LEARN + 40 :]
    values[:, 2] = np.nan
    values[100:, 1] += 1.0
    told = play(detector, rows_of(values, begin=LEARN + 40))
    assert [turn.is_opening for _, turn in told] == [True]
    assert told[0][1].shares[0][0] == "pressure"


def test_a_fleets_model_learns_the_scale_of_this_device(detector: ModelDetector, bench: Bench) -> None:
    detector.challenge(candidate(is_fleet=True, factor=3.0))
    go_on(detector, 200)
    shadow = detector.standings()[1]
    assert shadow.over is not None
    assert shadow.over < 0.2

    again = ModelDetector(bench.subject())
    play(again, rows_of(healthy(1)))
    again.challenge(candidate(is_fleet=True, factor=3.0))
    again.swap()
    scores = go_on(again, 100, begin=1)
    assert np.nanmedian(scores) < 0.5


def test_a_fleets_model_without_a_scale_yet_leaves_the_judging_to_the_own_one(bench: Bench) -> None:
    ModelDetector(bench.subject())
    detector = ModelDetector(bench.subject())
    play(detector, rows_of(healthy(LEARN + 40)))
    restarted = ModelDetector(bench.subject())
    play(restarted, rows_of(healthy(1)))
    restarted.challenge(candidate(is_fleet=True, factor=3.0))
    restarted.swap()
    scores = go_on(restarted, 60, begin=1)
    assert serving(restarted) == ("fleet", 1)
    assert np.isfinite(scores[-1])
    assert scores[-1] < 0.9


def test_a_gap_empties_the_windows(detector: ModelDetector) -> None:
    first, *rest = rows_of(healthy(60, seed=4), begin=5_000)
    after = type(first)(first.at_us, first.values, first.is_good, is_after_gap=True)
    scores = []
    for row in (after, *rest):
        play(detector, [row])
        scores.append(detector.score)
    assert np.isnan(scores[0])
    assert np.isfinite(scores[-1])
