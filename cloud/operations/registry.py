"""Registry: every Device that ever sent something, under the id by which people know it."""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from cloud.domain.device import Device
from cloud.errors import Conflict, NotFound
from cloud.ports import StoredDevice
from cloud.records.database import Records
from cloud.records.devices import list_devices, register_devices

_MOST_ALIKE = 64
Told = Callable[[], Sequence[StoredDevice]]


class Registry:
    """Numbers and names come from the records, the Devices themselves from what the store was told; any thread."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = Lock()
        self._known: Mapping[str, Device] = {}
        self._names: Mapping[tuple[str, str], str] = {}
        self._seen: Sequence[StoredDevice] = ()
        self._alike: list[Sequence[StoredDevice]] = []

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
        current = told()
        with self._lock:
            if not self._is_seen(current):
                devices = self._load(current)
                self._known = {device.shown_id: device for device in devices}
                self._names = {(device.source, device.device_id): device.shown_id for device in devices}
                self._seen, self._alike = current, [current]
            return self._known

    def _is_seen(self, current: Sequence[StoredDevice]) -> bool:
        """Return whether these are known; each reading thread has a list of its own, which is compared once."""
        if any(current is one for one in self._alike):
            return bool(self._known)
        if not self._known or current != self._seen:
            return False
        self._alike = [*self._alike[-_MOST_ALIKE:], current]
        return True

    def _load(self, told: Sequence[StoredDevice]) -> list[Device]:
        kept = self._kept()
        facts = {(one.source, one.device_id): (one.type, one.name, one.location) for one in kept}
        news = [
            one
            for one in told
            if facts.get((one.source, one.info.id)) != (one.info.type, one.info.name, one.info.location)
        ]
        if not news:
            return kept
        try:
            self._register(news)
        except Conflict:
            # On an engine without a lock at the beginning another process can be first; now its rows are visible.
            self._register(news)
        return self._kept()

    def _kept(self) -> list[Device]:
        with self._records.reading() as session:
            return list_devices(session)

    def _register(self, news: Sequence[StoredDevice]) -> None:
        with self._records.writing() as session:
            register_devices(session, news)
