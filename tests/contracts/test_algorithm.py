"""What every algorithm owes, whatever it learns."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

from cloud.errors import Invalid, Unavailable
from cloud.learning.algorithm import Algorithm, Cancelled, Portable, Task, Trained, quiet, read_settings
from cloud.learning.algorithms import ALGORITHMS
from cloud.learning.table import Floats, Table
from tests.support.learning import SMALL, table_for

LEAVES_CONSTANTS_OUT = {"whitening"}
"""As on the gateway: a channel that stands still is no reason to judge none."""
HAS_TENSORFLOW = find_spec("tensorflow") is not None
NEEDS_TENSORFLOW = "convolutional_autoencoder"


def named(chosen: Callable[[Algorithm], bool]) -> pytest.MarkDecorator:
    marks = [
        pytest.mark.slow,
        pytest.mark.timeout(600),
        pytest.mark.skipif(not HAS_TENSORFLOW, reason="see `make test-tf`"),
    ]
    names = sorted(name for name, algorithm in ALGORITHMS.items() if chosen(algorithm))
    return pytest.mark.parametrize(
        "name", [pytest.param(n, marks=marks if n == NEEDS_TENSORFLOW else ()) for n in names]
    )


everyone = named(lambda _: True)
detectors = named(lambda algorithm: algorithm.task is Task.ANOMALY)
supervised = named(lambda algorithm: algorithm.task is not Task.ANOMALY)


def learn(name: str, table: Table | None = None, seed: int = 7) -> tuple[Algorithm, Trained]:
    algorithm = ALGORITHMS[name]
    settings = read_settings(algorithm.settings, SMALL.get(name, {}))
    return algorithm, algorithm.fit(table or table_for(algorithm.task), settings, quiet, seed)


@cache
def learned(name: str) -> tuple[Algorithm, Trained]:
    return learn(name)


def all_that_it_says(trained: Trained, table: Table) -> Mapping[str, Floats]:
    explanation = trained.explain(table)
    return {
        "score": trained.score(table),
        "predict": trained.predict(table),
        "outputs": trained.outputs(table),
        "contributions": explanation.contributions,
        "base": explanation.base,
    }


def assert_same(one: Mapping[str, Floats], other: Mapping[str, Floats]) -> None:
    for what, values in one.items():
        np.testing.assert_array_equal(values, other[what], err_msg=what)


def with_column(table: Table, i: int, change: Callable[[Floats], Floats]) -> Table:
    values = table.values.copy()
    values[:, i] = change(values[:, i])
    return replace(table, values=values)


@everyone
def test_the_name_is_the_one_it_is_listed_under(name: str) -> None:
    assert ALGORITHMS[name].name == name
    assert ALGORITHMS[name].summary.endswith(".")


@everyone
def test_a_model_that_was_kept_says_what_it_said_before(name: str) -> None:
    algorithm, trained = learned(name)
    judged = table_for(algorithm.task, seed=5)
    loaded = algorithm.load(dict(trained.files()))
    assert_same(all_that_it_says(trained, judged), all_that_it_says(loaded, judged))
    assert loaded.learned == trained.learned
    assert dict(loaded.files()) == dict(trained.files())


@everyone
def test_the_same_seed_gives_the_same_model(name: str) -> None:
    assert dict(learn(name)[1].files()) == dict(learned(name)[1].files())


@everyone
def test_nothing_that_is_kept_is_a_pickle(name: str) -> None:
    for data in learned(name)[1].files().values():
        assert data[:2] not in {b"\x80\x04", b"\x80\x05"}
        assert b"joblib" not in data


@everyone
@pytest.mark.parametrize("lacking", [0, 1])
def test_a_model_without_one_of_its_files_or_with_half_of_it_is_refused(name: str, lacking: int) -> None:
    algorithm, trained = learned(name)
    files = dict(trained.files())
    kept = sorted(files)[lacking]
    with pytest.raises(Invalid):
        algorithm.load({file: data for file, data in files.items() if file != kept})
    if kept.endswith(".txt"):
        return
    with pytest.raises(Invalid):
        algorithm.load({**files, kept: files[kept][: len(files[kept]) // 2]})


@everyone
def test_another_algorithms_model_is_refused(name: str) -> None:
    other = next(one for one in sorted(ALGORITHMS) if one != name)
    with pytest.raises(Invalid, match=name):
        ALGORITHMS[other].load(dict(learned(name)[1].files()))


@everyone
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_row_without_a_number_is_refused_with_column_and_row(name: str, wrong: float) -> None:
    table = table_for(ALGORITHMS[name].task)
    values = table.values.copy()
    values[17, 2] = wrong
    with pytest.raises(Invalid, match=rf"'{table.columns[2]}'.*row 17"):
        learn(name, replace(table, values=values))


@everyone
def test_a_constant_is_refused_or_left_out_by_name(name: str) -> None:
    table = with_column(table_for(ALGORITHMS[name].task), 1, lambda column: column * 0 + 3)
    if name in LEAVES_CONSTANTS_OUT:
        assert learn(name, table)[1].learned.columns == (table.columns[0], table.columns[2])
        return
    with pytest.raises(Invalid, match=repr(table.columns[1])):
        learn(name, table)


@everyone
def test_nothing_but_constants_is_refused(name: str) -> None:
    table = table_for(ALGORITHMS[name].task)
    with pytest.raises(Invalid, match=table.columns[0]):
        learn(name, replace(table, values=np.ones_like(table.values)))


@everyone
def test_too_few_rows_are_refused(name: str) -> None:
    with pytest.raises(Invalid, match=r"10 are too few|10 rows"):
        learn(name, table_for(ALGORITHMS[name].task).take(slice(0, 10)))


@everyone
def test_no_columns_are_refused(name: str) -> None:
    with pytest.raises(Invalid, match="columns"):
        learn(name, table_for(ALGORITHMS[name].task).select(()))


@supervised
def test_a_target_that_never_changes_is_refused_by_name(name: str) -> None:
    table = table_for(ALGORITHMS[name].task)
    with pytest.raises(Invalid, match="'outcome'"):
        learn(name, replace(table, target=np.zeros(len(table))))


@supervised
def test_a_missing_target_is_refused_by_name(name: str) -> None:
    with pytest.raises(Invalid, match="outcome"):
        learn(name, replace(table_for(ALGORITHMS[name].task), target=None))


@supervised
def test_a_target_with_a_hole_is_refused_with_its_row(name: str) -> None:
    table = table_for(ALGORITHMS[name].task)
    target = table.labels().copy()
    target[9] = np.nan
    with pytest.raises(Invalid, match=r"'outcome'.*row 9"):
        learn(name, replace(table, target=target))


@everyone
def test_columns_may_stand_in_another_order_beside_others(name: str) -> None:
    algorithm, trained = learned(name)
    judged = table_for(algorithm.task, seed=5)
    columns = ("other", *reversed(judged.columns))
    values = np.column_stack([np.zeros(len(judged)), judged.values[:, ::-1]])
    turned = replace(judged, columns=columns, values=values)
    np.testing.assert_array_equal(trained.score(turned), trained.score(judged))
    np.testing.assert_array_equal(
        trained.explain(turned).contributions[:, 1:][:, ::-1], trained.explain(judged).contributions
    )


@everyone
def test_a_column_that_is_missing_is_named(name: str) -> None:
    algorithm, trained = learned(name)
    judged = table_for(algorithm.task, seed=5)
    with pytest.raises(Invalid, match=repr(judged.columns[0])):
        trained.score(judged.select(judged.columns[1:]))


@everyone
def test_it_learned_what_is_there_to_learn(name: str) -> None:
    algorithm, trained = learned(name)
    judged = table_for(algorithm.task, seed=5)
    truth, score = judged.labels(), trained.score(judged)
    known = np.isfinite(score)
    assert np.corrcoef(truth[known], score[known])[0, 1] > 0.5


@everyone
def test_the_first_column_has_most_to_do_with_it_and_the_explanation_says_so(name: str) -> None:
    algorithm, trained = learned(name)
    judged = table_for(algorithm.task, seed=5)
    parts = np.abs(trained.explain(judged).contributions)
    chosen = (judged.labels() > 0) & np.isfinite(parts).all(axis=1)
    assert parts[chosen].mean(axis=0).argmax() == 0


@everyone
def test_contributions_add_up_where_they_are_said_to_be_exact(name: str) -> None:
    algorithm, trained = learned(name)
    judged = table_for(algorithm.task, seed=5)
    explanation = trained.explain(judged)
    assert explanation.contributions.shape == judged.values.shape
    if not explanation.is_exact:
        assert explanation.method_used == "occlusion"
        return
    total = explanation.base + explanation.contributions.sum(axis=1)
    np.testing.assert_allclose(total, SPACES[explanation.space](trained, judged), rtol=1e-6, atol=1e-9)


def raw_of(trained: Trained, table: Table) -> Floats:
    outputs = trained.outputs(table)
    match len(trained.learned.classes):
        case 0:
            return trained.score(table)
        case 2:
            return np.asarray(np.log(outputs[:, 1] / outputs[:, 0]))
        case _:
            raise NotImplementedError


SPACES: Mapping[str, Callable[[Trained, Table], Floats]] = {
    "raw": raw_of,
    "score": lambda trained, table: trained.outputs(table)[:, 0],
}


@everyone
def test_a_fit_stops_where_somebody_asks_for_it(name: str) -> None:
    told: list[float] = []

    def stop(share: float, step: str) -> None:
        assert step
        told.append(share)
        raise Cancelled("stop")

    algorithm = ALGORITHMS[name]
    with pytest.raises(Cancelled):
        algorithm.fit(table_for(algorithm.task), read_settings(algorithm.settings, {}), stop, 1)
    assert len(told) == 1


@everyone
def test_progress_never_goes_back_and_ends_at_one(name: str) -> None:
    told: list[float] = []
    algorithm = ALGORITHMS[name]
    settings = read_settings(algorithm.settings, SMALL.get(name, {}))
    algorithm.fit(table_for(algorithm.task), settings, lambda share, _: told.append(share), 1)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


@everyone
def test_settings_out_of_bounds_are_refused_by_name(name: str) -> None:
    with pytest.raises(Invalid, match="no_such_setting"):
        read_settings(ALGORITHMS[name].settings, {"no_such_setting": 1})


@detectors
def test_no_score_depends_on_a_later_row(name: str) -> None:
    algorithm, trained = learned(name)
    judged = table_for(algorithm.task, seed=5)
    changed = judged.values.copy()
    changed[300:] = 9 - 3 * changed[300:][::-1]
    other = replace(judged, values=changed)
    for one, two in zip(
        all_that_it_says(trained, judged).values(), all_that_it_says(trained, other).values(), strict=True
    ):
        np.testing.assert_array_equal(one[:300], two[:300])
    assert (trained.score(other)[300:] != trained.score(judged)[300:]).any()


@detectors
def test_the_threshold_is_at_a_half(name: str) -> None:
    algorithm, trained = learned(name)
    judged = table_for(algorithm.task, seed=11)
    score = trained.outputs(judged)[:, 0]
    known = np.isfinite(score)
    assert 0 <= score[known].min() < 0.5 < score[known].max() <= 1
    np.testing.assert_array_equal(trained.predict(judged)[known], score[known] > 0.5)


@detectors
def test_about_one_normal_row_in_a_hundred_is_over_the_threshold(name: str) -> None:
    algorithm = ALGORITHMS[name]
    trained = learn(name, table_for(algorithm.task, n=3_000, faults=False))[1]
    shares = [trained.predict(table_for(algorithm.task, seed=seed, n=3_000, faults=False)).mean() for seed in (11, 12)]
    assert 0.001 < np.mean(shares) < 0.025


@detectors
def test_rows_labelled_faulty_are_not_learned_from(name: str) -> None:
    table = table_for(Task.ANOMALY)
    assert table.labels().any()
    alone = table.take(table.labels() == 0)
    assert dict(learn(name, table)[1].files()) == dict(learn(name, alone)[1].files())


def test_a_model_for_gateways_says_what_its_package_will_hold() -> None:
    for name in ("whitening", "autoencoder"):
        trained = learned(name)[1]
        assert isinstance(trained, Portable)
        assert trained.fitted().scoring.channels == trained.learned.columns
        assert trained.fitted().network == trained.files()["network.tflite"]
    assert not isinstance(learn("isolation_forest")[1], Portable)


@pytest.mark.skipif(HAS_TENSORFLOW, reason="TensorFlow is installed")
def test_without_tensorflow_the_convolutional_autoencoder_says_what_to_install() -> None:
    with pytest.raises(Unavailable, match=r"lineside\[train-tf\]"):
        learn(NEEDS_TENSORFLOW)
