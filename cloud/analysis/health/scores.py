"""HealthScores: what was found of Devices and of the whole plant, for whoever asks; any thread."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from cloud.analysis.health.planned import planned_away
from cloud.analysis.health.plant import system_efficiency, system_health
from cloud.domain.device_facts import DeviceFacts
from cloud.domain.health import DeviceStatus, HealthScore, Vitals
from cloud.domain.times import EPOCH, to_datetime
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.device_facts import all_facts
from cloud.records.devices import list_devices
from cloud.records.health_scores import PlantPoint, Whose, list_points, newest_scores, read_figures, read_vitals

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

    def plant(self, statuses: Mapping[Whose, DeviceStatus]) -> PlantFigures:
        """Return the plant's figures; statuses: of every Device as it is at this moment. Raise Unavailable."""
        now = to_datetime(self._clock.now_us())
        with self._records.reading() as session:
            scored = _scored(session, statuses)
            planned = planned_away(session, list_devices(session), now)
            points = list_points(session, since=now - PERFORMANCE)
        kwh = [score.energy_kwh for _, score in scored if score.energy_kwh is not None]
        return PlantFigures(
            health=system_health(scored, planned),
            efficiency=system_efficiency(scored),
            energy_kwh=sum(kwh),
            energy_cost=sum(score.energy_cost or 0.0 for _, score in scored),
            energy_source="measured" if kwh else "none",
            points=points,
        )


def _scored(session: Session, statuses: Mapping[Whose, DeviceStatus]) -> Sequence[tuple[DeviceFacts, HealthScore]]:
    facts, scores = all_facts(session), read_figures(session)
    return [
        (facts.get(whose, DeviceFacts(*whose)), replace(scores.get(whose, _unknown(whose)), status=status))
        for whose, status in statuses.items()
    ]


def _unknown(whose: Whose) -> HealthScore:
    return HealthScore(*whose, EPOCH)
