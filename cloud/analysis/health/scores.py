"""HealthScores: what was found of Devices and of the whole plant, for whoever asks; any thread."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cloud.analysis.health.planned import planned_away
from cloud.analysis.health.plant import Member, system_efficiency, system_health
from cloud.domain.device_facts import USUAL_CRITICALITY
from cloud.domain.health import DeviceStatus, HealthScore, Vitals
from cloud.domain.times import to_datetime
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.devices import read_criticalities
from cloud.records.health_scores import (
    PlantPoint,
    Whose,
    list_points,
    newest_scores,
    read_vitals,
)

PERFORMANCE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class PlantFigures:
    """Health and efficiency in percent, None where not measured; energy of the plant's day and what it cost.

    energy_source: `measured`, `none` where no Device has such a channel; points: of the last 24 hours.
    """

    health: int | None
    efficiency: int | None
    energy_kwh: float
    energy_cost: float
    energy_source: str
    points: Sequence[PlantPoint]


class HealthScores:
    """Reads what the rounds of judging keep."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def vitals(self) -> Mapping[Whose, Vitals]:
        """Return what lists show, by source and device; raise Unavailable."""
        with self._records.reading() as session:
            return read_vitals(session)

    def newest(self, wanted: Collection[Whose] | None = None) -> Mapping[Whose, HealthScore]:
        """Return the newest scores of all Devices, or of these; raise Unavailable."""
        with self._records.reading() as session:
            return newest_scores(session, wanted)

    def plant(self, statuses: Mapping[Whose, DeviceStatus], vitals: Mapping[Whose, Vitals]) -> PlantFigures:
        """Return the plant's figures; statuses: of every Device as it is at this moment. Raise Unavailable."""
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            members = _members(statuses, vitals, read_criticalities(session))
            planned = planned_away(session, now)
            points = list_points(session, since=now - PERFORMANCE)
        counted = [vitals[whose] for whose in statuses if whose in vitals]
        kwh = [one.energy_kwh for one in counted if one.energy_kwh is not None]
        return PlantFigures(
            health=system_health(members, planned),
            efficiency=system_efficiency(members),
            energy_kwh=sum(kwh),
            energy_cost=sum(one.energy_cost or 0.0 for one in counted),
            energy_source="measured" if kwh else "none",
            points=points,
        )


def _members(
    statuses: Mapping[Whose, DeviceStatus], vitals: Mapping[Whose, Vitals], criticalities: Mapping[Whose, float]
) -> Sequence[Member]:
    unknown = Vitals()
    shown = ((whose, status, vitals.get(whose, unknown)) for whose, status in statuses.items())
    return [
        Member(*whose, criticalities.get(whose, USUAL_CRITICALITY), status, found.score, found.efficiency)
        for whose, status, found in shown
    ]
