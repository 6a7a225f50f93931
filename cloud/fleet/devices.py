"""Devices: every Device that ever sent a reading, its newest value, and whether it still speaks."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cloud.domain.alarm import Severity
from cloud.errors import NotFound
from cloud.ports import Clock, Points, ReadingStore, Series, StoredDevice
from protocols.reading import Kind, Quality
from protocols.tag import DeviceInfo

_SILENT_PERIODS = 3
_LEAST_SILENCE_US = 60 * 1_000_000


Alarmed = Callable[[], Mapping[tuple[str, str], Severity]]
"""The worst severity of the active alarms of each source and device that has some."""


class DeviceStatus(StrEnum):
    """How a Device is, by what came of it last and by its active alarms."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"
    OFFLINE = "offline"


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


class Devices:
    """Reads devices from the reading store; online: asked for the names of the gateways that are there."""

    def __init__(
        self, store: ReadingStore, clock: Clock, online: Callable[[], Collection[str]], alarmed: Alarmed = dict
    ) -> None:
        self._store = store
        self._clock = clock
        self._online = online
        self._alarmed = alarmed

    def list(self) -> Sequence[SeenDevice]:
        """Return all, in the order in which they first came."""
        devices, series = self._store.devices(), self._store.series()
        newest = dict(zip((one.id for one in series), self._store.latest(series), strict=True))
        by_device: dict[tuple[str, str], list[Series]] = {}
        for one in series:
            by_device.setdefault((one.key.source, one.key.device), []).append(one)
        look = _Look(self._clock.now_us(), self._online(), self._alarmed())
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
        look = _Look(self._clock.now_us(), self._online(), self._alarmed())
        return _seen(device, list(zip(series, self._store.latest(series), strict=True)), look)


@dataclass(frozen=True, slots=True)
class _Look:
    now_us: int
    online: Collection[str]
    alarmed: Mapping[tuple[str, str], Severity]


def _seen(device: StoredDevice, pairs: Sequence[tuple[Series, Points]], look: _Look) -> SeenDevice:
    filled = [(series, points) for series, points in pairs if len(points.time_us)]
    values = tuple(_last(series, points) for series, points in filled)
    primary = next((value for value, (series, _) in zip(values, filled, strict=True) if series.is_primary), None)
    last_seen_us = max((value.time_us for value in values), default=None)
    period_s = min((series.period_s for series, _ in pairs if series.period_s > 0), default=0.0)
    return SeenDevice(
        source=device.source,
        info=device.info,
        status=judge(
            values,
            None if last_seen_us is None else look.now_us - last_seen_us,
            period_s=period_s,
            is_vouched_for=device.source in look.online,
            alarm=look.alarmed.get((device.source, device.info.id)),
        ),
        last_seen_us=last_seen_us,
        primary=primary or next(iter(values), None),
        latest=values,
    )


def judge(
    values: Collection[LastValue],
    silence_us: int | None,
    *,
    period_s: float,
    is_vouched_for: bool,
    alarm: Severity | None = None,
) -> DeviceStatus:
    """Return how a device is: silent for three periods and a minute is offline; an active alarm says how bad it is.

    A doubtful value is a warning.

    A device that reports on change (period 0) may be silent for as long as its gateway is there and has not lost it.
    """
    if silence_us is None:
        return DeviceStatus.OFFLINE
    is_lost = any(value.quality == Quality.DEVICE_LOST for value in values)
    may_be_silent = is_vouched_for and not period_s and not is_lost
    if not may_be_silent and silence_us > max(_SILENT_PERIODS * round(period_s * 1e6), _LEAST_SILENCE_US):
        return DeviceStatus.OFFLINE
    if alarm is Severity.CRITICAL:
        return DeviceStatus.CRITICAL
    doubtful = any(value.quality != Quality.GOOD for value in values)
    return DeviceStatus.WARNING if doubtful or alarm is Severity.WARNING else DeviceStatus.NORMAL


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
