"""NewestReadings: what is newest of the devices that somebody listens to, read anew only when something came."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from cloud.domain.device import Device
from cloud.domain.scopes import Scope
from cloud.domain.times import to_text
from cloud.live.events import DEVICE_UPDATE, LiveEvent
from cloud.operations.registry import Registry
from cloud.ports import Points, ReadingStore, Series, StoredDevice
from protocols.reading import Kind, Quality

MOST_AT_ONCE = 2_000
"""So many devices are read in one look; the rest in the next ones."""
Thing = TypeVar("Thing")
Key = TypeVar("Key")
Read = tuple[int, int, bytes, Sequence[str]]
"""What tells a newest reading from another: time, quality, the value's bits, since NaN is not itself, and texts."""
_QUALITIES = {int(one): one for one in Quality}


@dataclass(frozen=True)
class Newest:
    """The newest readings of one device; data: what is told of it, made once whoever is told."""

    device: Device
    data: Mapping[str, object]
    read: Sequence[Read]

    @cached_property
    def event(self) -> LiveEvent:
        """Return the message about this device alone."""
        shown, source = self.device.shown_id, self.device.source
        return LiveEvent(DEVICE_UPDATE, self.data, Scope.DATA_READ, key=f"device {shown}", device=shown, gateway=source)


@dataclass(frozen=True, slots=True)
class Plant:
    """The devices that there are, by the names under which clients ask for them; series by number of the device."""

    told: Sequence[StoredDevice] = ()
    all_series: Sequence[Series] = ()
    by_name: Mapping[str, Device] = field(default_factory=dict)
    by_gateway: Mapping[str, Sequence[Device]] = field(default_factory=dict)
    by_number: Mapping[int, Device] = field(default_factory=dict)
    series: Mapping[int, Sequence[Series]] = field(default_factory=dict)


class NewestReadings:
    """Looks in one thread at a time; what it found may be read in another between two looks."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.plant = Plant()
        self.of: dict[int, Newest] = {}
        """By number of the device, those that were looked for last."""
        self._wanted: Collection[int] = ()
        self._parts: Sequence[Sequence[int]] = ()
        self._marks: dict[int, int] = {}
        self._turn = 0

    def look(self, store: ReadingStore, wanted: Collection[int]) -> Sequence[int]:
        """Return which of these devices have other newest readings than at the last look; raise Unavailable.

        wanted: the same object as long as it holds the same.
        """
        if wanted is not self._wanted:
            self._want(wanted)
        self._turn = (self._turn + 1) % max(1, len(self._parts))
        mark = store.mark()  # before the readings: what is committed between the two is read again
        if self._marks.get(self._turn) == mark:
            return ()
        self._learn(store)
        changed = self._read(store, self._parts[self._turn]) if self._parts else ()
        self._marks[self._turn] = mark
        return changed

    def _want(self, wanted: Collection[int]) -> None:
        numbers = sorted(wanted)
        self._parts = [numbers[at : at + MOST_AT_ONCE] for at in range(0, len(numbers), MOST_AT_ONCE)]
        self.of = {number: self.of[number] for number in numbers if number in self.of}
        self._wanted, self._marks, self._turn = wanted, {}, 0

    def _read(self, store: ReadingStore, numbers: Sequence[int]) -> Sequence[int]:
        series = [one for number in numbers for one in self.plant.series.get(number, ())]
        points = iter(zip(series, store.latest(series), strict=True))
        changed = []
        for number in numbers:
            mine = [next(points) for _ in self.plant.series.get(number, ())]
            found = [pair for pair in mine if len(pair[1].time_us)]
            read = [_read_of(newest) for _, newest in found]
            before = self.of.get(number)
            if found and (before is None or before.read != read):
                self.of[number] = _newest(self.plant.by_number[number], found, read)
                changed.append(number)
        return changed

    def _learn(self, store: ReadingStore) -> None:
        told, all_series = store.devices(), store.series()
        if told is not self.plant.told or all_series is not self.plant.all_series:
            self.plant = _plant(told, all_series, self._registry.all(store.devices))


def _plant(told: Sequence[StoredDevice], all_series: Sequence[Series], devices: Sequence[Device]) -> Plant:
    of_device = _grouped(all_series, lambda series: series.key[:2])
    return Plant(
        told,
        all_series,
        {device.shown_id: device for device in devices},
        _grouped(devices, lambda device: device.source),
        {device.id: device for device in devices},
        {device.id: of_device.get((device.source, device.device_id), ()) for device in devices},
    )


def _grouped(things: Sequence[Thing], group: Callable[[Thing], Key]) -> Mapping[Key, Sequence[Thing]]:
    found: dict[Key, list[Thing]] = {}
    for one in things:
        found.setdefault(group(one), []).append(one)
    return found


def _read_of(points: Points) -> Read:
    return points.time_us.item(0), points.quality.item(0), points.value.tobytes(), points.texts


def _newest(device: Device, found: Sequence[tuple[Series, Points]], read: Sequence[Read]) -> Newest:
    pairs = [(series.key.tag, points, _QUALITIES[one[1]]) for (series, points), one in zip(found, read, strict=True)]
    data = {
        "device_id": device.shown_id,
        "gateway_id": device.source,
        "timestamp": to_text(max(one[0] for one in read)),
        "values": {tag: _value(points, quality) for tag, points, quality in pairs},
        "quality": {tag: quality.text for tag, _, quality in pairs},
    }
    return Newest(device, data, read)


def _value(points: Points, quality: Quality) -> float | int | bool | str | None:
    """Return the value as JSON has it: no NaN, no infinity, nothing where none was read."""
    if not quality.has_value:
        return None
    value: float | int | bool | str = points.value.item(0)
    match points.kind:
        case Kind.TEXT:
            return points.texts[int(value)]
        case Kind.BOOL:
            return bool(value)
        case _:
            return value if not isinstance(value, float) or math.isfinite(value) else None
