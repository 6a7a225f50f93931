"""The health report: how well the plant is, who is offline, what waits where, how each part of the cloud is."""

from collections import Counter
from collections.abc import Sequence

from cloud.domain.decision import RequestState
from cloud.domain.health import DeviceStatus, HealthScore
from cloud.domain.job import JobState
from cloud.domain.report import Cell, Chart, Figure, Findings, Table
from cloud.errors import Unavailable
from cloud.operations.reports.facts import Facts, rounded
from cloud.records.alarms import count_live
from cloud.records.circuits import circuit_states
from cloud.records.dead_letters import count_dead_letters
from cloud.records.decisions import list_requests
from cloud.records.deliveries import count_waiting
from cloud.records.health_scores import list_points, newest_scores
from cloud.records.jobs import count_jobs

_MOST_POINTS = 2000


def system_health(facts: Facts) -> Findings:
    """Return the findings: scores and queues of this moment, the plant's course over the range."""
    scores = [one for one in newest_scores(facts.session).values() if facts.is_wanted(one.source, one.device)]
    statuses = Counter(one.status for one in scores)
    points = list_points(facts.session, since=facts.request.start, before=facts.request.end)
    points = points[:: max(1, len(points) // _MOST_POINTS)]
    measured = [one.score for one in scores if one.score is not None]
    labels = tuple(f"{one.at:%Y-%m-%d %H:%M}" for one in points)
    return Findings(
        figures=(
            Figure("system_health", facts.plant.health(facts.session, facts.now), "%"),
            Figure("devices", len(scores)),
            Figure("devices_measured", len(measured)),
            Figure("mean_health_score", rounded(sum(measured) / len(measured) if measured else None)),
            *(Figure(f"devices_{one}", statuses[one]) for one in DeviceStatus),
            *(Figure(f"alarms_{state}", count) for state, count in _alarms(facts)),
        ),
        tables=(
            _devices(facts, scores),
            _offline(facts, scores),
            Table("queues", ("queue", "waiting"), _queues(facts)),
            Table("components", ("component", "status", "details"), _components(facts)),
        ),
        charts=(
            _line("system_health", "System health", labels, [one.system_health for one in points], "%"),
            _line("efficiency", "Efficiency", labels, [one.efficiency for one in points], "%"),
            _line("energy", "Energy by interval", labels, [one.energy_kwh for one in points], "kWh"),
            Chart(
                "statuses",
                "Devices by status",
                tuple(one.value for one in DeviceStatus),
                tuple(float(statuses[one]) for one in DeviceStatus),
            ),
        ),
    )


def _alarms(facts: Facts) -> Sequence[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for state, _, count in count_live(facts.session):
        counts[state.value] += count
    return sorted(counts.items())


def _devices(facts: Facts, scores: Sequence[HealthScore]) -> Table:
    """Return every Device, the least healthy first, those that are not measured last."""
    ordered = sorted(scores, key=lambda one: (one.score is None, one.score or 0.0, one.source, one.device))
    rows = tuple(
        (
            facts.name(one.source, one.device),
            one.status.value,
            rounded(one.score),
            rounded(one.efficiency),
            one.is_stale,
            ", ".join(f"{part}={value:.2f}" for part, value in sorted(one.parts.items())),
        )
        for one in ordered
    )
    columns = ("device_id", "status", "health_score", "efficiency_score", "stale", "components")
    return Table("devices", columns, rows, "Without a score: not measured.")


def _offline(facts: Facts, scores: Sequence[HealthScore]) -> Table:
    away = [one for one in scores if one.status is DeviceStatus.OFFLINE]
    rows = tuple(
        (facts.name(one.source, one.device), None if one.measured_at is None else one.measured_at.isoformat())
        for one in sorted(away, key=lambda one: (one.source, one.device))
    )
    return Table("offline_devices", ("device_id", "last_measured_at"), rows)


def _queues(facts: Facts) -> tuple[tuple[str, int], ...]:
    session = facts.session
    _, decisions = list_requests(session, states=[RequestState.OPEN], limit=1)
    return (
        ("jobs_queued", count_jobs(session, states=[JobState.QUEUED])),
        ("jobs_running", count_jobs(session, states=[JobState.RUNNING])),
        ("webhook_deliveries", sum(count_waiting(session).values())),
        ("dead_letters", count_dead_letters(session)),
        ("decisions_open", decisions),
    )


def _components(facts: Facts) -> tuple[tuple[Cell, ...], ...]:
    circuits = circuit_states(facts.session, facts.now)
    return (
        ("database", "healthy", "answered for this report"),
        *_readings(facts),
        *((f"circuit {target}", state.value, "") for target, state in sorted(circuits.items())),
    )


def _readings(facts: Facts) -> tuple[tuple[Cell, ...], ...]:
    try:
        figures, gateways = facts.plant.store(), facts.plant.gateways()
    except Unavailable as error:
        return (("readings", "unhealthy", str(error)),)
    online = sum(one.is_online for one in gateways)
    told = f"{figures.readings} readings of {figures.series} series in {figures.bytes_used} bytes"
    status = "healthy" if online == len(gateways) else "degraded"
    return (
        ("readings", "healthy", told),
        ("gateways", status, f"{online} of {len(gateways)} online"),
    )


def _line(name: str, title: str, labels: tuple[str, ...], values: Sequence[float | None], unit: str) -> Chart:
    return Chart(name, title, labels, tuple(values), unit, is_line=True)
