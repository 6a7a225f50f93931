"""HealthScore: how well a Device is, 0..1, and what that is made of; the words for how it stands; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

CRITICAL_BELOW = 0.4
WARNING_BELOW = 0.7
HYSTERESIS = 0.05
"""A band is left upwards only this far above its bound."""


PLANT_INTERVAL = timedelta(minutes=15)
"""How long one point of the plant's performance is."""


class Part(StrEnum):
    """What a health score is made of."""

    LIMITS = "limit_margin"
    ANOMALIES = "anomaly_burden"
    TREND = "trend"
    DRIFT = "drift"
    QUALITY = "data_quality"


class Band(StrEnum):
    """What a score alone says of a Device."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"


class DeviceStatus(StrEnum):
    """How a Device is: by its silence, its health score and its active alarms."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class HealthScore:
    """One Device's newest score; score: None where nothing of limits, anomalies or trend is known: not measured.

    parts: those that counted, 0..1; facts: what they were computed from; measured_at: of the newest reading that had a
    part in it; is_stale: nothing came since, so that the last score stands; status: as it was told last.
    """

    source: str
    device: str
    computed_at: datetime
    score: float | None = None
    parts: Mapping[Part, float] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    measured_at: datetime | None = None
    is_stale: bool = False
    band: Band = Band.NORMAL
    status: DeviceStatus = DeviceStatus.OFFLINE
    efficiency: float | None = None
    energy_kwh: float | None = None
    energy_cost: float | None = None
    told_score: float | None = None


@dataclass(frozen=True, slots=True)
class Vitals:
    """What lists show of a Device's health; rated_interval_s: how often it should speak, None where nobody said.

    energy_kwh, energy_cost: since the plant's day began, None where not measured.
    """

    score: float | None = None
    efficiency: float | None = None
    band: Band = Band.NORMAL
    is_stale: bool = False
    rated_interval_s: float | None = None
    energy_kwh: float | None = None
    energy_cost: float | None = None


def band_of(score: float | None, before: Band) -> Band:
    """Return the band of a score after the one before: down at once, up only beyond the hysteresis."""
    if score is None:
        return Band.NORMAL
    if score < CRITICAL_BELOW + (HYSTERESIS if before is Band.CRITICAL else 0.0):
        return Band.CRITICAL
    is_held = before in (Band.CRITICAL, Band.WARNING)
    return Band.WARNING if score < WARNING_BELOW + (HYSTERESIS if is_held else 0.0) else Band.NORMAL
