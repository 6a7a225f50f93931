"""One row alone, in plain numbers: what the arrays say of many."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from protocols.scoring.fit import FitOptions, fit
from protocols.scoring.loader import load_network
from protocols.scoring.one_row import RowCalibrator
from protocols.scoring.scorer import Scored, Scorer
from protocols.scoring.scores import calibrated
from tests.support.machines import remembering

CHANNELS = tuple("abcd")
ROWS = remembering(3, 1_200, len(CHANNELS))


@dataclass(frozen=True, slots=True)
class Scale:
    threshold: float
    body: tuple[float, ...]
    tail: float


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    body = draw(st.lists(st.floats(-50, 50), max_size=33, unique=True).filter(lambda found: len(found) != 1))
    threshold = max(body, default=draw(st.floats(-50, 50)))
    return Scale(threshold, tuple(sorted(body)), draw(st.floats(0.01, 10)))


@given(scales(), st.floats(-100, 200) | st.just(np.nan))
def test_a_score_of_one_is_the_score_among_many(scale: Scale, raw: float) -> None:
    alone = RowCalibrator(scale).score(raw)
    np.testing.assert_allclose(alone, calibrated(np.array([raw]), scale)[0], rtol=1e-9, atol=1e-12)


@given(scales())
def test_every_point_of_the_body_has_its_share(scale: Scale) -> None:
    alone = RowCalibrator(scale)
    among = calibrated(np.array(scale.body), scale)
    np.testing.assert_allclose([alone.score(raw) for raw in scale.body], among, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("smooth", [1, 3])
@pytest.mark.parametrize("spans", [(1,), (15,), (5, 15, 60)])
def test_rows_one_by_one_are_judged_as_all_at_once(spans: tuple[int, ...], smooth: int) -> None:
    fitted = fit(ROWS[:700], CHANNELS, period_s=1.0, options=FitOptions(spans=spans, smooth=smooth))
    rows: NDArray[np.float64] = ROWS[700:].copy()
    rows[300:320, 1] += 5.0
    rows[400, 2] = 1e7
    at_once = Scorer(fitted.scoring, load_network(fitted.network)).take(rows)
    scorer = Scorer(fitted.scoring, load_network(fitted.network))
    alone = [scorer.take(rows[at : at + 1]) for at in range(len(rows))]
    assert at_once.is_over.any()
    for name in Scored.__slots__:
        one_by_one = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_allclose(one_by_one, getattr(at_once, name), rtol=1e-6, atol=1e-9, err_msg=name)
