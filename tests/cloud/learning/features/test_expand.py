"""Columns made of others: what they hold, whose they are, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from cloud.errors import Invalid
from cloud.learning.features.expand import expand
from cloud.learning.features.recipe import Difference, Product, Ratio, Recipe, Windows
from cloud.learning.table import Table

STRAIN = Product(name="strain", of=("wear", "torque"), limit_by="kind", limits={"soft": 10.0, "hard": 20.0})


def machines() -> Table:
    values = np.array([[0, 2.0, 5.0], [1, 4.0, 5.0], [0, 0.0, 5.0], [1, 8.0, 10.0]])
    groups = np.array([1, 1, 2, 2])
    return Table(("kind", "wear", "torque"), values, levels={"kind": ("soft", "hard")}, groups=groups)


def test_a_product_is_taken_relative_to_the_limit_of_its_category() -> None:
    expanded = expand(machines(), Recipe(made=(STRAIN,), keep=()))
    assert expanded.names == ("strain",)
    assert expanded.values[:, 0].tolist() == [1.0, 1.0, 0.0, 4.0]


def test_differences_and_ratios_are_made_and_a_ratio_to_zero_is_missing() -> None:
    made = (Difference(name="less", of=("torque", "wear")), Ratio(name="by", of=("torque", "wear")))
    values = expand(machines(), Recipe(made=made, keep=())).values
    assert values[:, 0].tolist() == [3.0, 1.0, 5.0, 2.0]
    assert values[[0, 1, 3], 1].tolist() == [2.5, 1.25, 1.25]
    assert np.isnan(values[2, 1])


def test_windows_end_where_a_machine_begins() -> None:
    recipe = Recipe(windows=Windows(columns=("wear",), spans=(2,)), keep=())
    assert expand(machines(), recipe).values[:, 0].tolist() == [2.0, 3.0, 0.0, 4.0]


def test_contributions_of_made_columns_go_to_those_they_are_made_of() -> None:
    expanded = expand(machines(), Recipe(made=(STRAIN,), keep=("wear",)))
    shared = expanded.to_columns(np.array([[1.0, 3.0]]))
    np.testing.assert_allclose(shared, [[1.0, 2.0, 1.0]])


def test_every_feature_is_somebodys_as_a_whole() -> None:
    recipe = Recipe(made=(STRAIN,), windows=Windows(spans=(2,), slopes=(5,), life_slope=True))
    expanded = expand(machines(), recipe)
    assert len(expanded.names) == len(set(expanded.names)) == expanded.values.shape[1] == 3 + 1 + 3 * 2
    np.testing.assert_allclose(expanded.sources.sum(axis=1), 1.0)


def test_a_column_that_a_recipe_needs_is_named_where_it_is_missing() -> None:
    with pytest.raises(Invalid, match="'torque'"):
        expand(machines().select(("kind", "wear")), Recipe(made=(STRAIN,)))


def test_a_category_without_a_limit_is_named() -> None:
    table = replace(machines(), levels={"kind": ("soft", "brittle")})
    with pytest.raises(Invalid, match=r"strain.*'kind'.*brittle"):
        expand(table, Recipe(made=(STRAIN,)))


def test_a_recipe_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="no column"):
        expand(machines(), Recipe(keep=()))


def test_limits_without_their_category_are_refused() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        Product(name="strain", of=("wear", "torque"), limits={"soft": 1.0})
