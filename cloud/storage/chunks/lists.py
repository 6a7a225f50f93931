"""Lists: every device and series of the store, which almost every request asks for, brought up to date by what changed.

The file has a number that rises with each tag table that is made, and each row has the number at which it came or
changed. So a look costs one small read, and a change the rows that it touched. Readers of one process share one object
whatever their connections: who sees an older state of the file may get a newer list, never the other way round.
"""

from collections.abc import Sequence
from threading import Lock

from cloud.ports import Series, SeriesKey, StoredDevice
from cloud.storage.chunks.database import Database
from protocols.reading import Kind
from protocols.tag import DeviceInfo

_CHANGES = "select value from chunk_count where name = 'catalogue'"
_DEVICES = (
    "select d.id, c.name, d.device, d.type, d.name, d.location from chunk_device d "
    "join chunk_source c on c.id = d.source where d.changed > ? order by d.id"
)
_SERIES = (
    "select s.id, c.name, s.device, s.tag, s.kind, s.unit, s.period_s, s.is_primary "
    "from chunk_series s join chunk_source c on c.id = s.source where s.changed > ? order by s.id"
)
_NOTHING = -1
"""Below the number of every row, also of those from before rows had numbers."""


class Lists:
    """What was read, as long as nothing changed the same tuples; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Drop everything, because what it was read from was rolled back."""
        with self._lock:
            self._changes = _NOTHING
            self._by_number: dict[int, StoredDevice] = {}
            self._devices: Sequence[StoredDevice] = ()
            self._by_id: dict[int, Series] = {}
            self._series: Sequence[Series] = ()
            self._of_device: dict[tuple[str, str], dict[int, Series]] = {}

    def devices(self, database: Database) -> Sequence[StoredDevice]:
        """Return every device in order of arrival; raise Unavailable."""
        self._bring_up_to_date(database)
        return self._devices

    def series(self, database: Database, *, source: str | None, device: str | None) -> Sequence[Series]:
        """Return the series of a source, of a device, or all, in order of arrival; raise Unavailable."""
        self._bring_up_to_date(database)
        if source is None and device is None:
            return self._series
        if source is not None and device is not None:
            return tuple(self._of_device.get((source, device), {}).copy().values())
        chosen = [kept.copy() for key, kept in self._of_device.copy().items() if source == key[0] or device == key[1]]
        return tuple(sorted((one for kept in chosen for one in kept.values()), key=lambda one: one.id))

    def _bring_up_to_date(self, database: Database) -> None:
        changes = next(database.execute(_CHANGES), (0,))[0]
        if changes <= self._changes:
            return
        with self._lock:
            if changes > self._changes:
                # What is committed meanwhile may be among the rows; the next look reads it once more.
                self._take_devices(database)
                self._take_series(database)
                self._changes = changes

    def _take_devices(self, database: Database) -> None:
        found = {
            number: StoredDevice(source, DeviceInfo(id=device, type=kind, name=name, location=location))
            for number, source, device, kind, name, location in database.execute(_DEVICES, (self._changes,))
        }
        if found:
            self._by_number |= found
            self._devices = tuple(self._by_number.values())

    def _take_series(self, database: Database) -> None:
        found = {
            number: Series(number, SeriesKey(source, device, tag), Kind(kind), unit, period_s, bool(primary))
            for number, source, device, tag, kind, unit, period_s, primary in database.execute(
                _SERIES, (self._changes,)
            )
        }
        for number, one in found.items():
            self._of_device.setdefault(one.key[:2], {})[number] = one
        if found:
            self._by_id |= found
            self._series = tuple(self._by_id.values())
