"""How the whole plant does: its Devices' figures, weighted by how much depends on each; pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from cloud.domain.device_facts import DeviceFacts
from cloud.domain.health import PLANT_INTERVAL, DeviceStatus, HealthScore
from cloud.records.health_scores import PlantPoint

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Scored = Sequence[tuple[DeviceFacts, HealthScore]]
Planned = Collection[tuple[str, str]]
"""Source and device of those that are away because somebody planned it."""


def system_health(scored: Scored, planned: Planned) -> int | None:
    """Return the mean health in percent; one that is offline unplanned counts 0; None where nothing is measured.

    A Device that is not measured has no part in it, nor has one that is away as planned.
    """
    return _percent(_healths(scored, planned))


def system_efficiency(scored: Scored) -> int | None:
    """Return the mean efficiency in percent, None where nothing is measured."""
    pairs = ((facts.criticality, score.efficiency) for facts, score in scored)
    return _percent((weight, value) for weight, value in pairs if value is not None)


def plant_point(
    scored: Scored, *, planned: Planned, before: PlantPoint | None, used_kwh: float | None, now: datetime
) -> PlantPoint:
    """Return the point of the interval that it is now; before: the newest point so far; used_kwh: since then."""
    at = now - (now - _EPOCH) % PLANT_INTERVAL
    earlier = before.energy_kwh if before is not None and before.at == at else None
    used = used_kwh if earlier is None else earlier + (used_kwh or 0.0)
    return PlantPoint(at, system_health(scored, planned), system_efficiency(scored), used)


def _healths(scored: Scored, planned: Planned) -> Iterable[tuple[float, float]]:
    for facts, score in scored:
        is_away = score.status is DeviceStatus.OFFLINE
        if is_away and (facts.source, facts.device) not in planned:
            yield facts.criticality, 0.0
        elif not is_away and score.score is not None:
            yield facts.criticality, score.score


def _percent(weighted: Iterable[tuple[float, float]]) -> int | None:
    pairs = list(weighted)
    total = sum(weight for weight, _ in pairs)
    return round(100 * sum(weight * value for weight, value in pairs) / total) if total > 0 else None
