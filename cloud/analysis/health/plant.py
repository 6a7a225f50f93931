"""How the whole plant does: its Devices' figures, weighted by how much depends on each; pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from cloud.domain.device_facts import DeviceFacts
from cloud.domain.health import PLANT_INTERVAL, DeviceStatus, HealthScore
from cloud.records.health_scores import PlantPoint

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Member(NamedTuple):
    """One Device's part in the plant's figures; score, efficiency: 0..1, None where not measured."""

    source: str
    device: str
    criticality: float
    status: DeviceStatus
    score: float | None
    efficiency: float | None


Members = Sequence[Member]
Planned = Collection[tuple[str, str]]
"""Source and device of those that are away because somebody planned it."""


def member(facts: DeviceFacts, score: HealthScore) -> Member:
    """Return the part of a Device of which these are known."""
    return Member(facts.source, facts.device, facts.criticality, score.status, score.score, score.efficiency)


def system_health(members: Members, planned: Planned) -> int | None:
    """Return the mean health in percent; one that is offline unplanned counts 0; None where nothing is measured.

    A Device that is not measured has no part in it, nor has one that is away as planned.
    """
    return _percent(_healths(members, planned))


def system_efficiency(members: Members) -> int | None:
    """Return the mean efficiency in percent, None where nothing is measured."""
    return _percent((one.criticality, one.efficiency) for one in members if one.efficiency is not None)


def plant_point(
    members: Members, *, planned: Planned, before: PlantPoint | None, used_kwh: float | None, now: datetime
) -> PlantPoint:
    """Return the point of the interval that it is now; before: the newest point so far; used_kwh: since then."""
    at = now - (now - _EPOCH) % PLANT_INTERVAL
    earlier = before.energy_kwh if before is not None and before.at == at else None
    used = used_kwh if earlier is None else earlier + (used_kwh or 0.0)
    return PlantPoint(at, system_health(members, planned), system_efficiency(members), used)


def _healths(members: Members, planned: Planned) -> Iterable[tuple[float, float]]:
    for one in members:
        is_away = one.status is DeviceStatus.OFFLINE
        if is_away and (one.source, one.device) not in planned:
            yield one.criticality, 0.0
        elif not is_away and one.score is not None:
            yield one.criticality, one.score


def _percent(weighted: Iterable[tuple[float, float]]) -> int | None:
    pairs = list(weighted)
    total = sum(weight for weight, _ in pairs)
    return round(100 * sum(weight * value for weight, value in pairs) / total) if total > 0 else None
