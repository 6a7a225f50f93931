"""The performance summary: requests, throughput, jobs and models, and how right forecasts were."""

from collections import defaultdict
from collections.abc import Sequence

from cloud.domain.forecast import Forecast
from cloud.domain.job import Job, JobState
from cloud.domain.load import MINUTE_US, Minute, Service
from cloud.domain.report import Cell, Chart, Figure, Findings, Table
from cloud.domain.times import to_datetime, to_us
from cloud.operations.reports.facts import Facts, percentile, rounded
from cloud.records.forecasts import list_forecasts
from cloud.records.jobs import list_jobs
from cloud.records.load import load_minutes

_MOST_FORECASTS = 200_000
_MOST_JOBS = 20_000
_MOST_POINTS = 720
_ROUTES = ("route", "requests", "failures", "mean_ms", "longest_ms")
_MODELS = ("/detection/predict", "/detection/explain", "/predict/{model_id}", "/ml/predict", "/ml/detect_anomaly")
"""The routes whose time is that of models."""
_SINCE_START = "Of the API process that was asked for this report, since its start."


def performance_summary(facts: Facts) -> Findings:
    """Return the findings; latencies are of the API process that was asked, since its start."""
    minutes = {service: _minutes(facts, service) for service in Service}
    jobs = _jobs(facts)
    forecasts = _forecasts(facts)
    accuracy = facts.plant.accuracy(forecasts)
    return Findings(
        figures=(
            *(figure for service, found in minutes.items() for figure in _throughput(service, found)),
            Figure("jobs", len(jobs)),
            Figure("jobs_failed", sum(job.state is JobState.FAILED for job in jobs)),
            Figure("forecasts_matured", len(forecasts)),
            *(Figure(f"forecast_{name}", rounded(value)) for name, value in accuracy.items()),
        ),
        tables=(
            Table("services", ("service", "mean_per_s", "peak_per_s", "readings", "lag_p95_s"), _services(minutes)),
            Table("requests", _ROUTES, _requests(facts), _SINCE_START),
            Table("models", _ROUTES, tuple(row for row in _requests(facts) if _is_of_models(row)), _SINCE_START),
            Table("jobs", ("kind", "ended", "failed", "median_s", "p95_s"), _by_kind(jobs)),
            Table("forecast_accuracy", _ACCURACY, _by_series(facts, forecasts)),
        ),
        charts=(
            *(_line(service, found) for service, found in minutes.items() if found),
            _errors(facts, forecasts),
        ),
    )


_ACCURACY = ("series", "horizon_minutes", "forecasts", "mae", "rmse", "mape", "wape", "r2")


def _minutes(facts: Facts, service: Service) -> Sequence[Minute]:
    since, until = to_us(facts.request.start) // MINUTE_US, -(-to_us(facts.request.end) // MINUTE_US)
    return load_minutes(facts.session, service, since=since, until=until)


def _throughput(service: Service, minutes: Sequence[Minute]) -> tuple[Figure, ...]:
    mean = sum(one.per_s for one in minutes) / len(minutes) if minutes else None
    return (Figure(f"{service}_mean_per_s", rounded(mean), "1/s"),)


def _services(minutes: dict[Service, Sequence[Minute]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (
            service.value,
            rounded(sum(one.per_s for one in found) / len(found)) if found else None,
            rounded(max((one.per_s for one in found), default=None)),
            round(sum(one.readings_per_s for one in found) * 60),
            rounded(percentile([one.lag_s for one in found], 0.95)),
        )
        for service, found in minutes.items()
    )


def _requests(facts: Facts) -> tuple[tuple[Cell, ...], ...]:
    return tuple(tuple(one.get(name) for name in _ROUTES) for one in facts.request.requests)


def _is_of_models(row: tuple[Cell, ...]) -> bool:
    return str(row[0]).endswith(_MODELS)


def _jobs(facts: Facts) -> Sequence[Job]:
    found = list_jobs(facts.session, states=[JobState.SUCCEEDED, JobState.FAILED], limit=_MOST_JOBS)
    return [one for one in found if one.ended_at and facts.request.start <= one.ended_at < facts.request.end]


def _by_kind(jobs: Sequence[Job]) -> tuple[tuple[Cell, ...], ...]:
    kinds: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        kinds[job.kind.value].append(job)
    return tuple(
        (kind, len(found), sum(one.state is JobState.FAILED for one in found), *_seconds(found))
        for kind, found in sorted(kinds.items())
    )


def _seconds(jobs: Sequence[Job]) -> tuple[float | None, float | None]:
    took = [job.elapsed_s(job.ended_at) for job in jobs if job.ended_at is not None]
    return rounded(percentile(took, 0.5)), rounded(percentile(took, 0.95))


def _forecasts(facts: Facts) -> Sequence[Forecast]:
    request = facts.request
    found, _ = list_forecasts(facts.session, since=request.start, until=request.end, limit=_MOST_FORECASTS)
    return [one for one in found if one.actual is not None]


def _by_series(facts: Facts, forecasts: Sequence[Forecast]) -> tuple[tuple[Cell, ...], ...]:
    groups: dict[tuple[str, int], list[Forecast]] = defaultdict(list)
    for one in forecasts:
        name = f"{facts.name(one.series.source, one.series.device)}/{one.series.tag}"
        groups[name, one.horizon_minutes].append(one)
    rows = []
    for (name, horizon), found in sorted(groups.items()):
        figures = facts.plant.accuracy(found)
        rows.append((name, horizon, len(found), *(rounded(figures.get(one)) for one in _ACCURACY[3:])))
    return tuple(rows)


def _line(service: Service, minutes: Sequence[Minute]) -> Chart:
    shown = minutes[:: max(1, -(-len(minutes) // _MOST_POINTS))]
    labels = tuple(f"{to_datetime(one.minute * MINUTE_US):%Y-%m-%d %H:%M}" for one in shown)
    values = tuple(one.per_s for one in shown)
    return Chart(f"{service}_load", f"Load of {service}", labels, values, "1/s", is_line=True)


def _errors(facts: Facts, forecasts: Sequence[Forecast]) -> Chart:
    groups: dict[int, list[Forecast]] = defaultdict(list)
    for one in forecasts:
        groups[one.horizon_minutes].append(one)
    found = [(f"{horizon} min", facts.plant.accuracy(some).get("wape")) for horizon, some in sorted(groups.items())]
    labels = tuple(label for label, _ in found)
    return Chart("forecast_wape", "Error of forecasts by horizon", labels, tuple(value for _, value in found), "%")
