"""Forecasts of stored series: made once an hour, joined with what came, measured by horizon."""

from datetime import timedelta

import numpy as np

from cloud.analysis.forecasting import LEARNED, NAIVE
from cloud.analysis.forecasts import Forecasts, Term
from cloud.analysis.foretelling import Foreteller, Plan
from cloud.domain.times import to_datetime
from cloud.learning.quantiles import fit_quantiles
from tests.cloud.analysis.conftest import Plant
from tests.cloud.analysis.rows import Floats, daily

PLAN = [Plan((1, 24), tag="flow")]


def history(days: int) -> Floats:
    return 50 + 5 * daily(24 * days) + 0.1 * np.random.default_rng(1).standard_normal(24 * days)


def test_a_forecast_is_made_once_an_hour_and_after_a_restart_no_second_time(plant: Plant) -> None:
    plant.send(history(5), every_s=3600)
    plant.send(history(5), every_s=3600, tag="other")
    first = Foreteller(plant.records, plant.clock, fit_quantiles)
    assert first.foretell_all(plant.store, PLAN) == 2
    assert first.foretell_all(plant.store, PLAN) == 0
    assert Foreteller(plant.records, plant.clock, fit_quantiles).foretell_all(plant.store, PLAN) == 0
    found = Forecasts(plant.records, plant.clock).current()
    assert [(one.horizon_minutes, one.method, one.is_calibrated) for one in found] == [
        (60, NAIVE, False),
        (1440, NAIVE, False),
    ]
    assert all(list(one.quantiles) == sorted(one.quantiles) for one in found)


def test_what_came_is_joined_and_measured_by_horizon(plant: Plant) -> None:
    plant.send(history(20), every_s=3600, ago_s=3600)
    foreteller, forecasts = Foreteller(plant.records, plant.clock, fit_quantiles), Forecasts(plant.records, plant.clock)
    foreteller.foretell_all(plant.store, PLAN)
    for hour in range(3):
        foreteller.join_actuals(plant.store)
        plant.clock.move(3600)
        plant.send(np.array([50.0 + hour]), every_s=3600)
        foreteller.foretell_all(plant.store, PLAN)
    plant.clock.move(3600)
    foreteller.join_actuals(plant.store)
    told = forecasts.told(since=None, until=None, limit=100)
    assert {one.method for one in told.forecasts} == {LEARNED}
    joined = [one for one in told.forecasts if one.actual is not None]
    assert {one.horizon_minutes for one in joined} == {60}
    assert {one.actual for one in joined} <= {50.0, 51.0, 52.0}
    accuracy = forecasts.accuracy(timedelta(days=1))
    assert (accuracy[60].count, told.accuracy.count) == (len(joined), len(joined))
    assert accuracy[60].mae is not None


def test_where_no_reading_came_the_forecast_is_given_up_after_two_days(plant: Plant) -> None:
    plant.send(history(5), every_s=3600, ago_s=3600)
    foreteller = Foreteller(plant.records, plant.clock, fit_quantiles)
    foreteller.foretell_all(plant.store, [Plan((1,))])
    plant.clock.move(72 * 3600)
    foreteller.join_actuals(plant.store)
    told = Forecasts(plant.records, plant.clock).told(since=None, until=None, limit=10)
    assert [one.actual for one in told.forecasts] == [None]
    assert told.accuracy.count == 0


def test_terms_and_times_narrow_what_is_shown(plant: Plant) -> None:
    plant.send(history(5), every_s=3600, ago_s=3600)
    Foreteller(plant.records, plant.clock, fit_quantiles).foretell_all(plant.store, PLAN)
    forecasts, now = Forecasts(plant.records, plant.clock), to_datetime(plant.clock.now_us())
    assert [one.horizon_minutes for one in forecasts.current(term=Term.LONG)] == [1440]
    assert forecasts.current(term=Term.SHORT) == []
    assert forecasts.told(since=now + timedelta(hours=2), until=None, limit=10).total == 1
    assert forecasts.told(since=None, until=now - timedelta(days=1), limit=10).forecasts == []
