"""Devices: every Device that ever sent a reading, its newest value, and whether it still speaks."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from cloud.domain.alarm import Severity
from cloud.domain.device_status import is_offline, status_of
from cloud.domain.health import DeviceStatus, Vitals
from cloud.errors import NotFound
from cloud.ports import Clock, Points, ReadingStore, Series, StoredDevice
from protocols.reading import Kind, Quality
from protocols.tag import DeviceInfo

_UNKNOWN = Vitals()
Alarmed = Callable[[], Mapping[tuple[str, str], Severity]]
"""The worst severity of the active alarms of each source and device that has some."""
Health = Callable[[], Mapping[tuple[str, str], Vitals]]
"""What is known of the health of each source and device."""


@dataclass(frozen=True, slots=True)
class LastValue:
    """The newest reading of one series; time in microseconds since the epoch."""

    tag: str
    unit: str
    value: float | int | bool | str
    time_us: int
    quality: int


@dataclass(frozen=True, slots=True)
class SeenDevice:
    """A Device of a source and its newest readings; primary: of its primary series, else of its first one."""

    source: str
    info: DeviceInfo
    status: DeviceStatus
    last_seen_us: int | None
    primary: LastValue | None
    latest: tuple[LastValue, ...]
    vitals: Vitals = _UNKNOWN


class Devices:
    """Reads devices from the reading store; online: asked for the names of the gateways that are there."""

    def __init__(
        self,
        store: ReadingStore,
        clock: Clock,
        online: Callable[[], Collection[str]],
        alarmed: Alarmed = dict,
        health: Health = dict,
    ) -> None:
        self._store = store
        self._clock = clock
        self._online = online
        self._alarmed = alarmed
        self._health = health

    def list(self, only: Collection[tuple[str, str]] | None = None) -> Sequence[SeenDevice]:
        """Return all, or only these (source, id), in the order in which they first came."""
        devices, series = self._store.devices(), self._store.series()
        if only is not None:
            devices = [one for one in devices if (one.source, one.info.id) in only]
            series = [one for one in series if one.key[:2] in only]
        newest = dict(zip((one.id for one in series), self._store.latest(series), strict=True))
        by_device: dict[tuple[str, str], list[Series]] = {}
        for one in series:
            by_device.setdefault((one.key.source, one.key.device), []).append(one)
        look = self._look()
        return [
            _seen(device, [(one, newest[one.id]) for one in by_device.get((device.source, device.info.id), ())], look)
            for device in devices
        ]

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
        return _Look(self._clock.now_us(), self._online(), self._alarmed(), self._health())


@dataclass(frozen=True, slots=True)
class _Look:
    now_us: int
    online: Collection[str]
    alarmed: Mapping[tuple[str, str], Severity]
    health: Mapping[tuple[str, str], Vitals]


def _seen(device: StoredDevice, pairs: Sequence[tuple[Series, Points]], look: _Look) -> SeenDevice:
    filled = [(series, points) for series, points in pairs if len(points.time_us)]
    values = tuple(_last(series, points) for series, points in filled)
    primary = next((value for value, (series, _) in zip(values, filled, strict=True) if series.is_primary), None)
    last_seen_us = max((value.time_us for value in values), default=None)
    whose = (device.source, device.info.id)
    vitals = look.health.get(whose, _UNKNOWN)
    period_s = min((series.period_s for series, _ in pairs if series.period_s > 0), default=0.0)
    is_away = is_offline(
        None if last_seen_us is None else look.now_us - last_seen_us,
        interval_s=vitals.rated_interval_s or period_s,
        is_vouched_for=device.source in look.online,
        is_lost=any(value.quality == Quality.DEVICE_LOST for value in values),
    )
    return SeenDevice(
        source=device.source,
        info=device.info,
        status=status_of(is_away=is_away, band=vitals.band, alarm=look.alarmed.get(whose)),
        last_seen_us=last_seen_us,
        primary=primary or next(iter(values), None),
        latest=values,
        vitals=vitals,
    )


def _last(series: Series, points: Points) -> LastValue:
    found = points.value[0].item()
    value: float | int | bool | str = found
    match points.kind:
        case Kind.TEXT:
            value = points.texts[found]
        case Kind.BOOL:
            value = bool(found)
        case Kind.FLOAT | Kind.INT | Kind.UINT:
            pass
    return LastValue(series.key.tag, series.unit, value, int(points.time_us[0]), int(points.quality[0]))
