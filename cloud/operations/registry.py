"""Registry: every Device that ever sent something, under the id by which people know it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Lock

from cloud.domain.device import Device
from cloud.errors import Conflict, NotFound
from cloud.ports import StoredDevice
from cloud.records.database import Records
from cloud.records.devices import list_devices, register_devices

_MOST_NAMED = 200
"""More devices than this are not asked for by name: reading all is quicker."""
Told = Callable[[], Sequence[StoredDevice]]


class Registry:
    """Numbers and names come from the records, the Devices themselves from what the store was told; any thread."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = Lock()
        self._known: Mapping[str, Device] = {}
        self._names: Mapping[tuple[str, str], str] = {}
        self._told: Mapping[tuple[str, str], StoredDevice] = {}
        self._seen: Sequence[StoredDevice] | None = None

    def all(self, told: Told) -> list[Device]:
        """Return every Device in order of its number; raise Unavailable."""
        return list(self._current(told).values())

    def names(self, told: Told) -> Mapping[tuple[str, str], str]:
        """Return how people call each (source, device); raise Unavailable."""
        self._current(told)
        return self._names

    def find(self, shown_id: str, told: Told) -> Device:
        """Return the Device with this id, or with this number; raise NotFound, Unavailable."""
        found = self._known.get(shown_id)
        if found is None:
            devices = self.all(told)
            by_number = (one for one in devices if str(one.id) == shown_id)
            found = next((one for one in devices if one.shown_id == shown_id), next(by_number, None))
        if found is None:
            raise NotFound(f"there is no device {shown_id!r}", code="DEVICE_NOT_FOUND", details={"device_id": shown_id})
        return found

    def _current(self, told: Told) -> Mapping[str, Device]:
        if told() is self._seen:
            return self._known
        with self._lock:
            current = told()  # anew: a list from before we waited must not bring back what was told before
            if current is not self._seen:
                self._learn(current)
            self._seen = current
            return self._known

    def _learn(self, current: Sequence[StoredDevice]) -> None:
        """Take over what was not told before; the records are asked about this alone."""
        facts = {(one.source, one.info.id): one for one in current}
        news = {whose: one for whose, one in facts.items() if self._told.get(whose) != one}
        if not news and self._seen is not None:
            return
        kept = self._kept(news)
        other = [one for whose, one in news.items() if whose not in kept or _differs(kept[whose], one)]
        if other:
            self._register(other)
            kept |= self._kept({(one.source, one.info.id) for one in other})
        known = {whose: self._known[shown] for whose, shown in self._names.items()} | kept
        by_number = sorted(known.values(), key=lambda one: one.id)
        self._known = {device.shown_id: device for device in by_number}
        self._names = {(device.source, device.device_id): device.shown_id for device in by_number}
        self._told = facts

    def _kept(self, whose: Collection[tuple[str, str]]) -> dict[tuple[str, str], Device]:
        with self._records.reading() as session:
            found = list_devices(session, None if self._seen is None or len(whose) > _MOST_NAMED else whose)
        return {(one.source, one.device_id): one for one in found}

    def _register(self, news: Sequence[StoredDevice]) -> None:
        try:
            self._write(news)
        except Conflict:
            # On an engine without a lock at the beginning another process can be first; now its rows are visible.
            self._write(news)

    def _write(self, news: Sequence[StoredDevice]) -> None:
        with self._records.writing() as session:
            register_devices(session, news)


def _differs(device: Device, told: StoredDevice) -> bool:
    return (device.type, device.name, device.location) != (told.info.type, told.info.name, told.info.location)
