"""Trailing windows say what the plain definition says, and nothing of later rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cloud.learning.features.windows import trailing_mean, trailing_slope
from cloud.learning.table import Floats

series = arrays(np.float64, st.tuples(st.integers(1, 40), st.just(2)), elements=st.floats(-1e3, 1e3, width=32))


@given(series, st.integers(1, 50))
def test_a_trailing_mean_is_the_mean_of_the_last_rows(values: Floats, span: int) -> None:
    plain = [values[max(i - span + 1, 0) : i + 1].mean(axis=0) for i in range(len(values))]
    np.testing.assert_allclose(trailing_mean(values, span), plain, atol=1e-6)


@given(series, st.integers(5, 50))
def test_a_trailing_slope_is_that_of_the_fitted_line(values: Floats, span: int) -> None:
    slopes = trailing_slope(values, span)
    for i in range(len(values)):
        window = values[max(i - span + 1, 0) : i + 1]
        expected = np.polyfit(np.arange(len(window)), window, 1)[0] if len(window) >= 5 else np.zeros(2)
        np.testing.assert_allclose(slopes[i], expected, atol=1e-5)


@given(series, st.integers(1, 10), st.integers(0, 39))
def test_no_window_looks_ahead(values: Floats, span: int, at: int) -> None:
    changed = values.copy()
    changed[at:] = 7.0
    for over in (trailing_mean, trailing_slope):
        np.testing.assert_array_equal(over(changed, span + 4)[:at], over(values, span + 4)[:at])
