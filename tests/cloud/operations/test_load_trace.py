"""A fixed day with an outage and a flush: with forecasts less waits than without, and next to nothing does."""

from typing import NoReturn

import numpy as np
import pytest

from tests.support.load_trace import (
    DAY_MIN,
    FLUSH,
    OUT_SHARE,
    OUTAGE,
    Floats,
    Foretelling,
    day_of_trouble,
    normal_load,
    play,
    reactive,
)


def never_learned(rows: Floats, target: Floats) -> NoReturn:
    raise AssertionError(f"three days are too few to learn from {len(rows)} rows and {len(target)} targets")


def test_forecasts_keep_the_lag_low_and_beat_the_plain_rule() -> None:
    days = normal_load(4)
    load = day_of_trouble(days[-DAY_MIN:])
    with_forecasts = play(load, Foretelling(days[:-DAY_MIN], never_learned))
    plain = play(load, reactive)
    assert with_forecasts.p95_s < 5
    assert with_forecasts.worst_s < plain.worst_s / 2
    assert with_forecasts.instance_hours < 1.1 * plain.instance_hours
    assert with_forecasts.left == plain.left == 0


def test_the_trace_loses_nothing_and_flushes_what_was_kept() -> None:
    normal = normal_load(1)
    load = day_of_trouble(normal)
    assert load.sum() == pytest.approx(60 * normal.sum())
    begin, end = OUTAGE
    assert load[begin] == pytest.approx((1 - OUT_SHARE) * normal[begin // 60])
    assert load[end] == pytest.approx(FLUSH * normal[end // 60])
    assert np.isfinite(load).all()
