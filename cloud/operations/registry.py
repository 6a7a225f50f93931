"""Registry: every Device that ever sent something, under the id by which people know it."""

from collections.abc import Callable, Sequence
from threading import Lock

from cloud.domain.device import Device
from cloud.errors import Conflict, NotFound
from cloud.ports import StoredDevice
from cloud.records.database import Records
from cloud.records.devices import list_devices, register_devices

Told = Callable[[], Sequence[StoredDevice]]


class Registry:
    """Numbers and names come from the records, the Devices themselves from what the store was told; any thread."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = Lock()
        self._known: dict[str, Device] = {}
        self._seen: tuple[StoredDevice, ...] = ()

    def all(self, told: Told) -> list[Device]:
        """Return every Device in order of its number; raise Unavailable."""
        current = tuple(told())
        with self._lock:
            if current != self._seen or not self._known:
                self._known = {device.shown_id: device for device in self._load(current)}
                self._seen = current
            return sorted(self._known.values(), key=lambda device: device.id)

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

    def _load(self, told: Sequence[StoredDevice]) -> list[Device]:
        with self._records.reading() as session:
            kept = list_devices(session)
        facts = {(one.source, one.device_id): (one.type, one.name, one.location) for one in kept}
        news = [
            one
            for one in told
            if facts.get((one.source, one.info.id)) != (one.info.type, one.info.name, one.info.location)
        ]
        if not news:
            return kept
        try:
            return self._register(told)
        except Conflict:
            # On an engine without a lock at the beginning another process can be first; now its rows are visible.
            return self._register(told)

    def _register(self, told: Sequence[StoredDevice]) -> list[Device]:
        with self._records.writing() as session:
            return register_devices(session, told)
