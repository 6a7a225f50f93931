"""Lagged features: lags of what came before, gaps filled, [0, 1], and what scikit-learn's pipelines ask for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone  # type: ignore[import-untyped]
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]

from cloud.errors import Invalid
from cloud.learning.features.lagged import SensorFeatureTransformer


def test_each_column_is_followed_by_its_values_before_scaled_to_0_and_1() -> None:
    made = SensorFeatureTransformer(2).fit_transform([[0.0], [10.0], [5.0]])
    np.testing.assert_array_equal(made, [[0, 0, 0], [1, 0, 0], [0.5, 1, 0]])


def test_gaps_take_the_value_before_and_at_the_beginning_the_first_one_after() -> None:
    made = SensorFeatureTransformer(1).fit_transform([[np.nan], [0.0], [np.nan], [4.0]])
    np.testing.assert_array_equal(made[:, 0], [0, 0, 0, 1])


def test_later_rows_are_scaled_by_what_was_learned_and_cut_only_where_asked() -> None:
    learned = SensorFeatureTransformer(1).fit([[0.0], [2.0]])
    np.testing.assert_array_equal(learned.transform([[4.0]]), [[2, 2]])
    cut = SensorFeatureTransformer(1, clip=True).fit([[0.0], [2.0]])
    np.testing.assert_array_equal(cut.transform([[4.0]]), [[1, 1]])


@given(
    arrays(np.float64, st.tuples(st.integers(2, 20), st.integers(1, 3)), elements=st.floats(-1e6, 1e6)),
    st.integers(1, 5),
)
def test_rows_learned_from_lie_in_0_to_1_and_no_row_looks_ahead(rows: np.ndarray, lags: int) -> None:
    if (np.ptp(rows, axis=0) == 0).any():
        with pytest.raises(Invalid, match="always the same"):
            SensorFeatureTransformer(lags).fit(rows)
        return
    learned = SensorFeatureTransformer(lags).fit(rows)
    made = learned.transform(rows)
    assert made.shape == (len(rows), rows.shape[1] * (1 + lags))
    assert 0 <= made.min() <= made.max() <= 1
    np.testing.assert_array_equal(learned.transform(rows[:-1]), made[:-1])


def test_it_stands_in_a_pipeline_and_is_cloned() -> None:
    rows = np.arange(12.0).reshape(6, 2)
    pipeline = make_pipeline(SensorFeatureTransformer(lags=3)).fit(rows)
    assert pipeline.transform(rows).shape == (6, 8)
    assert clone(SensorFeatureTransformer(lags=3)).get_params() == {"lags": 3, "clip": False}


@pytest.mark.parametrize(
    ("lags", "rows", "told"),
    [
        (0, [[1.0], [2.0]], "1 to 5"),
        (6, [[1.0], [2.0]], "1 to 5"),
        (True, [[1.0], [2.0]], "1 to 5"),
        (1, [1.0, 2.0], "shape"),
        (1, [], "shape"),
        (1, [["x"]], "not numbers"),
        (1, [[np.inf], [1.0]], "infinity"),
        (1, [[np.nan], [np.nan]], "column 0: every value is missing"),
        (1, [[1.0], [1.0]], "always the same"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(lags: int, rows: object, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        SensorFeatureTransformer(lags).fit(rows)  # type: ignore[arg-type] # wrong ones are the point


def test_nothing_is_transformed_before_it_was_fitted_nor_with_other_columns() -> None:
    with pytest.raises(Invalid, match="call fit first"):
        SensorFeatureTransformer().transform([[1.0]])
    with pytest.raises(Invalid, match="2 columns, 1 were learned"):
        SensorFeatureTransformer().fit([[1.0], [2.0]]).transform([[1.0, 2.0]])
    with pytest.raises(Invalid, match="lags, clip"):
        SensorFeatureTransformer().set_params(colour=1)
