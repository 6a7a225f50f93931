"""Thresholds move by what a gateway sees after it learned; a restart keeps them, faults and wear do not move them."""

from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_agent.detectors.model import ModelDetector
from edge_agent.detectors.recalibrator import HELD, Outside
from edge_agent.detectors.subject import ModelRules
from protocols.scoring.fit import fit
from protocols.scoring.recalibration import MOST, MOST_BLOCKS
from protocols.wanted import ModelStanding
from tests.edge_agent.detectors.test_model import candidate
from tests.support.judging import CHANNELS, PERIOD_S, Bench, do_work, healthy, play, rows_of

LEARN = 200
FIRST_BLOCK = 2 * 1_200 + HELD
"""Rows until the third fit, of 1,200, has a whole block behind it."""
LEARNED = 1_300
NOISE = 0.058
"""The deviation of the noise of the pressure."""


@dataclass(frozen=True)
class Before:
    """What an agent left behind whose own model was recalibrated once."""

    folder: Path
    standing: ModelStanding
    events: list[tuple[str, dict[str, Any]]]
    later: list[float]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Before:
    """Return what is left of one, and how it went on scoring."""
    folder = tmp_path_factory.mktemp("before")
    bench = Bench(folder / "run")
    detector = ModelDetector(bench.subject())
    play(detector, rows_of(healthy(FIRST_BLOCK)))
    copytree(folder / "run", folder / "left")
    return Before(folder / "left", standing(detector), list(bench.events), go_on(detector))


@pytest.fixture
def bench(tmp_path: Path, before: Before) -> Bench:
    """Return where it left it."""
    copytree(before.folder, tmp_path / "own-models")
    return Bench(tmp_path / "own-models")


def standing(detector: ModelDetector) -> ModelStanding:
    return detector.standings()[0]


def go_on(detector: ModelDetector) -> list[float]:
    """Return the next scores, once windows are full."""
    scores = []
    for row in rows_of(healthy(FIRST_BLOCK + 200)[FIRST_BLOCK:], begin=FIRST_BLOCK):
        play(detector, [row])
        scores.append(detector.score)
    return scores[160:]


def test_after_a_block_it_is_recalibrated_and_says_so(before: Before) -> None:
    told = before.standing
    assert (told.version, told.calibrated) == (3, 1_200)
    assert told.times is not None
    assert 1 / 1.1 <= told.times <= 1.1
    assert before.events == [("model_recalibrated", {"model": "own@3", "rows": 1_200, "times": told.times})]


def test_a_restart_keeps_it_and_scores_the_same(bench: Bench, before: Before) -> None:
    again = ModelDetector(bench.subject())
    play(again, rows_of(healthy(1)))
    assert (standing(again).calibrated, standing(again).times) == (1_200, before.standing.times)
    assert np.abs(np.subtract(go_on(again), before.later)).mean() < 0.03  # the center begins anew


@pytest.mark.parametrize("content", [b"{", b'{"name":"own","version":3,"threshold":0,"at_us":1,"blocks":[[1]]}'])
def test_a_damaged_file_is_left_aside(bench: Bench, content: bytes) -> None:
    (bench.folder / "own" / "pump-1.recalibration.json").write_bytes(content)
    again = ModelDetector(bench.subject())
    play(again, rows_of(healthy(1)))
    assert (standing(again).version, standing(again).calibrated) == (3, 0)


def test_another_fit_begins_anew(bench: Bench) -> None:
    kept = bench.subject().tools.own.load_recalibration("pump-1", is_fleet=False)
    assert kept is not None
    fitted = fit(healthy(600, seed=5), CHANNELS, period_s=PERIOD_S).scoring
    assert not kept.is_of("own", 3, fitted)
    assert not kept.is_of("own", 4, msgspec.structs.replace(fitted, threshold=kept.threshold))
    assert kept.is_of("own", 3, msgspec.structs.replace(fitted, threshold=kept.threshold))


def test_rows_while_a_rule_is_broken_do_not_count(bench: Bench) -> None:
    detector = ModelDetector(bench.subject())
    for row in rows_of(healthy(1_600, seed=2)):
        detector.take(row, is_calm=False)
        do_work(detector)
    assert standing(detector).calibrated == 1_200
    assert bench.events == []


def test_restarts_do_not_let_it_move_further(bench: Bench) -> None:
    again = ModelDetector(bench.subject())
    play(again, rows_of(healthy(1_600, seed=2)))
    told = standing(again)
    assert told.calibrated == 2_400
    assert told.times is not None
    assert 1 / 1.2 <= told.times <= 1.2


def test_rows_that_turn_out_to_belong_to_an_episode_do_not_count() -> None:
    outside = Outside(fit(healthy(600), CHANNELS, period_s=PERIOD_S).scoring)
    for number in range(1_000):
        outside.take(number, -1.0)
    for number in range(1_000, 1_128):
        outside.take(number, 50.0)
    outside.drop_since(1_000)
    for number in range(1_128, 1_600):
        outside.take(number, -1.0)
    assert outside.is_due
    (curve,) = outside.close()
    assert curve[-1] == pytest.approx(-1.0, abs=0.03)


def test_after_the_last_block_nothing_is_counted_any_more() -> None:
    outside = Outside(fit(healthy(600), CHANNELS, period_s=PERIOD_S).scoring)
    outside.blocks = ((0.0,),) * MOST_BLOCKS
    for number in range(2_000):
        outside.take(number, 0.0)
    assert not outside.is_due


def test_a_fleets_model_is_recalibrated_to_this_device(bench: Bench) -> None:
    detector = ModelDetector(bench.subject())
    detector.challenge(candidate(is_fleet=True, factor=3.0))
    play(detector, rows_of(healthy(1_600, seed=3)))
    shadow = detector.standings()[1]
    assert shadow.name == "fleet"
    assert shadow.calibrated > 0
    assert bench.subject().tools.own.load_recalibration("pump-1", is_fleet=True) is not None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_wear_through_many_blocks_is_found_however_slow_it_is(tmp_path: Path, seed: int) -> None:
    sizes = []
    for n_blocks in (1, 12):  # worn out in one block, and in twelve
        bench = Bench(tmp_path / str(n_blocks))
        n_worn = n_blocks * 1_200
        worn = np.linspace(0, 5, n_worn)
        values = healthy(LEARNED + n_worn, seed=seed)
        values[LEARNED:, 1] += NOISE * worn
        detector = ModelDetector(bench.subject(rules=ModelRules(learn_rows=80)))
        at = next(at for at, row in enumerate(rows_of(values)) if any(t.is_opening for _, t in play(detector, [row])))
        assert at > LEARNED
        sizes.append(worn[at - LEARNED])
        told = standing(detector)
    assert told.calibrated > 0
    assert sizes[1] <= np.exp(MOST / 2) * sizes[0] + 0.2
