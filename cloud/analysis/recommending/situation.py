"""What the rules of recommending look at: everything stored that speaks for doing something, read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cloud.analysis.recommending.shapes import HOUR_US, HOURS, Shape, shape_of
from cloud.domain.alarm import Alarm
from cloud.domain.device import Device
from cloud.domain.device_facts import DeviceFacts
from cloud.domain.health import HealthScore
from cloud.domain.load import Service
from cloud.domain.scaling import TARGET_UTILISATION
from cloud.domain.times import to_us
from cloud.ports import ReadingStore, Series
from cloud.records.alarms import AlarmFilter, list_alarms
from cloud.records.database import Records
from cloud.records.device_facts import all_facts
from cloud.records.devices import list_devices
from cloud.records.drift import DriftStanding, drift_standings
from cloud.records.health_scores import newest_scores
from cloud.records.load import capacity_of, load_minutes
from protocols.reading import Kind

WEEK = timedelta(days=7)
_DRIFT_COUNTS = timedelta(days=2)
_MOST_ALARMS = 5000
_SCORE_TAG = "anomaly_score"
_DAY_MINUTES = 24 * 60
_NUMERIC = (Kind.FLOAT, Kind.INT, Kind.UINT)
Whose = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pool:
    """A service over the last day: its busiest minute, what one instance can do, and how many there were."""

    service: Service
    peak_per_s: float
    capacity_per_s: float
    instances: int
    minutes: int

    @property
    def needed(self) -> int:
        """Return how many instances the busiest minute would have needed."""
        return max(1, -int(-self.peak_per_s // (TARGET_UTILISATION * self.capacity_per_s)))


@dataclass(frozen=True, slots=True)
class Situation:
    """Evidence by source and device; alarms: raised in the last week; shapes: of numeric Tags."""

    now: datetime
    names: Mapping[Whose, str]
    facts: Mapping[Whose, DeviceFacts]
    scores: Mapping[Whose, HealthScore]
    drifts: Sequence[DriftStanding]
    alarms: Sequence[Alarm]
    shapes: Mapping[int, tuple[Series, Shape]]
    pools: Sequence[Pool]

    def name(self, whose: Whose) -> str:
        """Return how people call a Device, or its Gateway."""
        return self.names.get(whose, whose[1] or whose[0])

    def impact(self, whose: Whose) -> float:
        """Return how much depends on a Device; on a Gateway as much as on the most critical of its Devices."""
        if whose[1]:
            return self.facts.get(whose, DeviceFacts(*whose)).criticality
        of_gateway = [one.criticality for (source, _), one in self.facts.items() if source == whose[0]]
        return max(of_gateway, default=DeviceFacts("", "").criticality)


def read_situation(records: Records, store: ReadingStore, *, now: datetime) -> Situation:
    """Return what is stored at this moment; raise Unavailable."""
    with records.reading() as session:
        devices, facts = list_devices(session), all_facts(session)
        drifts = drift_standings(session, since=now - _DRIFT_COUNTS)
        alarms, _ = list_alarms(session, AlarmFilter(from_us=to_us(now - WEEK)), limit=_MOST_ALARMS)
        scores, pools = newest_scores(session), _pools(session, now)
    return Situation(now, _names(devices), facts, scores, drifts, alarms, _shapes(store, now), pools)


def _names(devices: Sequence[Device]) -> Mapping[Whose, str]:
    return {(one.source, one.device_id): one.shown_id for one in devices}


def _shapes(store: ReadingStore, now: datetime) -> Mapping[int, tuple[Series, Shape]]:
    series = [one for one in store.series() if one.kind in _NUMERIC and one.key.tag != _SCORE_TAG]
    end_us = to_us(now) // HOUR_US * HOUR_US
    rollups = store.hourly(series, start_us=max(0, end_us - HOURS * HOUR_US), end_us=end_us)
    shapes = ((one, shape_of(rollup, end_us)) for one, rollup in zip(series, rollups, strict=True))
    return {one.id: (one, shape) for one, shape in shapes if shape is not None}


def _pools(session: Session, now: datetime) -> Sequence[Pool]:
    minute = to_us(now) // 60_000_000
    found = []
    for service in Service:
        capacity = capacity_of(session, service)
        minutes = load_minutes(session, service, since=minute - _DAY_MINUTES, until=minute)
        if capacity and minutes:
            peak, newest = max(one.per_s for one in minutes), minutes[-1].instances
            found.append(Pool(service, peak, capacity, newest, len(minutes)))
    return found
