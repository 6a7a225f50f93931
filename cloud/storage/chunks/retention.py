"""Retention: gives up the readings of whole windows that are older than their series is to be kept."""

from collections.abc import Callable
from functools import partial

from cloud.ports import Clock
from cloud.storage.chunks.blocks import DamagedPart
from cloud.storage.chunks.catalogue import Catalogue
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.pieces import Pieces
from cloud.storage.chunks.tally import count_readings, note_damage
from cloud.storage.spans import DAY_US, WINDOW_US

_INTERVAL_S = 600.0


class Retention:
    """The writer's side; looks for old windows now and then."""

    def __init__(self, database: Database, catalogue: Catalogue, pieces: Pieces, clock: Clock) -> None:
        self._database = database
        self._catalogue = catalogue
        self._pieces = pieces
        self._clock = clock
        self._next_s = 0.0
        self._from_series = 0

    def check_soon(self) -> None:
        """Look at the next opportunity."""
        self._next_s = 0.0

    def is_time(self) -> bool:
        """Return whether it is time to look."""
        return self._clock.monotonic_s() >= self._next_s

    def next_step(self) -> Callable[[], None] | None:
        """Return what gives up one window, or None where none is too old or it is not time to look."""
        if not self.is_time():
            return None
        found = self._find()
        if found is None:
            self._from_series = 0
            self._next_s = self._clock.monotonic_s() + _INTERVAL_S
            return None
        self._from_series = found[0]
        return partial(self._give_up, *found)

    def _find(self) -> tuple[int, int] | None:
        statement = (
            "select s.id, p.window from chunk_series s join chunk_piece p on p.series = s.id "
            "where s.retention_days is not null and s.id >= ? and p.is_kept "
            "and p.window < cast((? - s.retention_days * ?) / ? as integer) "
            "and p.id not in (select id from chunk_damage where level = 'piece') order by s.id limit 1"
        )
        row = (self._from_series, self._clock.now_us(), DAY_US, WINDOW_US)
        return next(((series, window) for series, window in self._database.execute(statement, row)), None)

    def _give_up(self, series: int, window: int) -> None:
        try:
            gone = self._pieces.give_up(self._catalogue.kind(series), series, window)
        except DamagedPart as damage:
            note_damage(self._database, damage)
            return
        count_readings(self._database, -gone)
