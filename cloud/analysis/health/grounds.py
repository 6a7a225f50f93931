"""What a round of judging begins with: everything that the records and the store's lists know, read once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from cloud.analysis.drift_checks import PERSISTENT
from cloud.analysis.health.planned import planned_away
from cloud.analysis.health.sight import Case
from cloud.domain.alarm import Severity
from cloud.domain.device import Device
from cloud.domain.device_facts import DeviceFacts
from cloud.domain.device_status import Presence
from cloud.domain.health import PLANT_INTERVAL, HealthScore
from cloud.ports import Points, ReadingStore, Series
from cloud.records.alarms import devices_in_alarm
from cloud.records.database import Records
from cloud.records.device_facts import all_facts
from cloud.records.devices import list_devices
from cloud.records.drift import drift_standings
from cloud.records.health_scores import PlantPoint, list_points, newest_scores, read_memories
from cloud.records.own_shares import own_alarm_shares
from cloud.records.settings import number_of, plant_zone
from protocols.reading import Quality

Whose = tuple[str, str]
_DRIFT_COUNTS = timedelta(days=2)
"""Older checks say nothing of now."""
_WORSE = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class Given:
    """All Devices and what is known of them, by source and device.

    drifts: how many Tags drift lastingly, of how many checked; day_began: the plant's day; point: the newest.
    """

    cases: Sequence[Case]
    scores: Mapping[Whose, HealthScore]
    memories: Mapping[Whose, dict[str, Any]]
    alarmed: Mapping[Whose, Severity]
    own_shares: Mapping[Whose, float]
    drifts: Mapping[Whose, tuple[int, int]]
    planned: Collection[Whose]
    presence: Presence
    point: PlantPoint | None
    tariff: float
    day_began: datetime


def read_given(records: Records, store: ReadingStore, presence: Presence, *, now: datetime) -> Given:
    """Return what is known at this moment; raise Unavailable."""
    with records.reading() as session:
        devices, facts = list_devices(session), all_facts(session)
        began = now.astimezone(plant_zone(session)).replace(hour=0, minute=0, second=0, microsecond=0)
        cases = _cases(store, devices, facts)
        return Given(
            cases=cases,
            scores=newest_scores(session),
            memories=read_memories(session),
            alarmed=_worst(session),
            own_shares=own_alarm_shares(session),
            drifts=_drifts(session, facts, now),
            planned=planned_away(session, now),
            presence=presence,
            point=next(iter(list_points(session, since=now - PLANT_INTERVAL)[-1:]), None),
            tariff=number_of(session, "energy.tariff"),
            day_began=began,
        )


def _drifts(session: Session, facts: Mapping[Whose, DeviceFacts], now: datetime) -> Mapping[Whose, tuple[int, int]]:
    found: dict[Whose, tuple[int, int]] = {}
    for one in drift_standings(session, since=now - _DRIFT_COUNTS):
        whose = (one.series.source, one.series.device)
        reset = facts[whose].baseline_reset_at if whose in facts else None
        if reset is None or one.at >= reset:
            lasting, checked = found.get(whose, (0, 0))
            found[whose] = (lasting + (one.in_a_row >= PERSISTENT), checked + 1)
    return found


def _worst(session: Session) -> Mapping[Whose, Severity]:
    found: dict[Whose, Severity] = {}
    for source, device, severity in devices_in_alarm(session):
        known = found.get((source, device), Severity.INFO)
        found[source, device] = max(known, severity, key=_WORSE.index)
    return found


def _cases(store: ReadingStore, devices: Sequence[Device], facts: Mapping[Whose, DeviceFacts]) -> Sequence[Case]:
    series = store.series()
    newest = dict(zip((one.id for one in series), store.latest(series), strict=True))
    by_device: dict[Whose, list[Series]] = {}
    for one in series:
        by_device.setdefault((one.key.source, one.key.device), []).append(one)
    return [_case(one, by_device.get((one.source, one.device_id), []), newest, facts) for one in devices]


def _case(
    device: Device, series: Sequence[Series], newest: Mapping[int, Points], facts: Mapping[Whose, DeviceFacts]
) -> Case:
    whose = (device.source, device.device_id)
    seen = [newest[one.id] for one in series if len(newest[one.id].time_us)]
    return Case(
        facts=facts.get(whose, DeviceFacts(*whose)),
        shown_id=device.shown_id,
        series=series,
        newest_us=max((int(points.time_us[0]) for points in seen), default=None),
        is_lost=any(points.quality[0] == Quality.DEVICE_LOST for points in seen),
    )
