"""Devices: every Device that ever sent a reading, its newest value, and whether it still speaks."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from cloud.domain.alarm import Severity
from cloud.domain.device_status import Presence, is_offline, status_of
from cloud.domain.health import DeviceStatus, Vitals
from cloud.errors import NotFound
from cloud.ports import Clock, Points, ReadingStore, Series, StoredDevice
from protocols.reading import Kind, Quality
from protocols.tag import DeviceInfo

_UNKNOWN = Vitals()
_LOST = int(Quality.DEVICE_LOST)
Alarmed = Callable[[], Mapping[tuple[str, str], Severity]]
"""The worst severity of the active alarms of each source and device that has some."""
Health = Callable[[], Mapping[tuple[str, str], Vitals]]
"""What is known of the health of each source and device."""


# The two are made by the thousand for every list: as Structs that takes a fifth of the time.
class LastValue(msgspec.Struct, frozen=True):
    """The newest reading of one series; time in microseconds since the epoch."""

    tag: str
    unit: str
    value: float | int | bool | str
    time_us: int
    quality: int


class SeenDevice(msgspec.Struct, frozen=True):
    """A Device of a source and its newest readings; primary: of its primary series, else of its first one.

    interval_s: how often it should speak, 0 where it reports on change or nobody knows.
    """

    source: str
    info: DeviceInfo
    status: DeviceStatus
    last_seen_us: int | None
    primary: LastValue | None
    latest: tuple[LastValue, ...]
    vitals: Vitals = _UNKNOWN
    interval_s: float = 0.0


class Devices:
    """Reads devices from the reading store; presence: asked for the gateways that are there or gone."""

    def __init__(
        self,
        store: ReadingStore,
        clock: Clock,
        presence: Callable[[], Presence],
        alarmed: Alarmed = dict,
        health: Health = dict,
    ) -> None:
        self._store = store
        self._clock = clock
        self._presence = presence
        self._alarmed = alarmed
        self._health = health

    def list(self, only: Collection[tuple[str, str]] | None = None) -> Sequence[SeenDevice]:
        """Return all, or only these (source, id), in the order in which they first came."""
        devices, series = self._store.devices(), self._store.series()
        if only is not None:
            devices = [one for one in devices if (one.source, one.info.id) in only]
            series = [one for one in series if one.key[:2] in only]
        by_device: dict[tuple[str, str], list[tuple[Series, Points]]] = {}
        for one, points in zip(series, self._store.latest(series), strict=True):
            by_device.setdefault(one.key[:2], []).append((one, points))
        look = self._look()
        return [_seen(device, by_device.get((device.source, device.info.id), ()), look) for device in devices]

    def get(self, source: str, device_id: str) -> SeenDevice:
        """Return one; raise NotFound."""
        wanted = (one for one in self._store.devices() if (one.source, one.info.id) == (source, device_id))
        device = next(wanted, None)
        if device is None:
            raise NotFound(f"no device {device_id!r} of {source or 'its own'!r}", code="DEVICE_NOT_FOUND")
        series = self._store.series(source=source, device=device_id)
        look = self._look()
        return _seen(device, list(zip(series, self._store.latest(series), strict=True)), look)

    def _look(self) -> "_Look":
        return _Look(self._clock.now_us(), self._presence(), self._alarmed(), self._health())


@dataclass(frozen=True, slots=True)
class _Look:
    now_us: int
    presence: Presence
    alarmed: Mapping[tuple[str, str], Severity]
    health: Mapping[tuple[str, str], Vitals]


def _seen(device: StoredDevice, pairs: Iterable[tuple[Series, Points]], look: _Look) -> SeenDevice:
    whose = (device.source, device.info.id)
    vitals = look.health.get(whose, _UNKNOWN)
    values: list[LastValue] = []
    primary: LastValue | None = None
    last_seen_us, period_s, is_lost = None, 0.0, False
    for series, points in pairs:
        if series.period_s > 0 and not 0 < period_s <= series.period_s:
            period_s = series.period_s
        if not len(points.time_us):
            continue
        value = _last(series, points)
        values.append(value)
        is_lost = is_lost or value.quality == _LOST
        if last_seen_us is None or value.time_us > last_seen_us:
            last_seen_us = value.time_us
        if primary is None and series.is_primary:
            primary = value
    interval_s = vitals.rated_interval_s or period_s
    is_away = is_offline(
        None if last_seen_us is None else look.now_us - last_seen_us,
        interval_s=interval_s,
        source=device.source,
        presence=look.presence,
        is_lost=is_lost,
    )
    return SeenDevice(
        source=device.source,
        info=device.info,
        status=status_of(is_away=is_away, band=vitals.band, alarm=look.alarmed.get(whose)),
        last_seen_us=last_seen_us,
        primary=primary or next(iter(values), None),
        latest=tuple(values),
        vitals=vitals,
        interval_s=interval_s,
    )


def _last(series: Series, points: Points) -> LastValue:
    found = points.value.item(0)
    value: float | int | bool | str = found
    if points.kind == Kind.TEXT:
        value = points.texts[found]
    elif points.kind == Kind.BOOL:
        value = bool(found)
    return LastValue(series.key.tag, series.unit, value, points.time_us.item(0), points.quality.item(0))
