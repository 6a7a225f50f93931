"""An experiment's best run is the arg-max of its metric, or the least of an error."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.experiment import Experiment, Run
from cloud.errors import Invalid

AT = datetime(2026, 1, 15, tzinfo=UTC)


def run(identity: str, **metrics: float) -> Run:
    return Run(identity, "e", "pump", 1, "isolation_forest", "anomaly", "d", {}, metrics, AT, AT, "test")


def experiment(*runs: Run, metric: str = "", name: str = "Bearings", tags: tuple[str, ...] = ()) -> Experiment:
    return Experiment("e", name, "", tags, metric, AT, "test", runs)


def best(*runs: Run, metric: str = "") -> str | None:
    found = experiment(*runs, metric=metric).best()
    return None if found is None else found[0].id


def test_runs_are_compared_by_f1_under_any_of_its_names() -> None:
    assert best(run("a", f1=0.8, stability=1.0), run("b", f1_macro=0.9)) == "b"


def test_without_any_f1_stability_decides() -> None:
    assert best(run("a", stability=0.4), run("b", stability=0.6)) == "b"


def test_of_an_error_the_least_is_best() -> None:
    assert best(run("a", rmse=2.0), run("b", rmse=1.0), metric="rmse") == "b"


def test_no_run_is_best_where_none_has_the_metric() -> None:
    assert best(run("a", rmse=2.0)) is None
    assert best() is None


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=8))
def test_ranking_is_falling_and_puts_what_lacks_the_metric_last(values: list[float | None]) -> None:
    runs = [run(str(i)) if value is None else run(str(i), f1=value) for i, value in enumerate(values)]
    told = [value for _, value in experiment(*runs).ranked()]
    known = [value for value in told if value is not None]
    assert known == sorted((value for value in values if value is not None), reverse=True)
    assert told[len(known) :] == [None] * values.count(None)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (experiment(name=" "), "name"),
        (experiment(name="x" * 201), "name"),
        (experiment(metric="m" * 101), "metric"),
        (experiment(tags=("",)), "tags"),
        (experiment(tags=("t",) * 51), "tags"),
    ],
)
def test_an_experiment_that_cannot_be_names_the_field(wrong: Experiment, field: str) -> None:
    with pytest.raises(Invalid, match=f"^{field}:"):
        wrong.check()
