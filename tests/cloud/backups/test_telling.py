"""Telling of a backup: into the live ledger, through the process that writes or as the one that does."""

from pathlib import Path

import pytest

from cloud.backups.telling import tell_marks
from cloud.errors import Unavailable
from cloud.storage.chunks.database import Database
from tests.support.cloud import settings_in
from tests.support.ingest import EPOCH, GATEWAY, data, tags
from tests.support.ingest_process import IngestProcess
from tests.support.installation import Installation

MARKS = {(GATEWAY, EPOCH): 2, (GATEWAY, 999): 5}


class FastClock:
    """Lets the whole patience pass between two looks."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now_us(self) -> int:
        """Return the beginning of time."""
        return 0

    def monotonic_s(self) -> float:
        """Return a minute more each time."""
        self._now_s += 60.0
        return self._now_s


def epochs(path: Path) -> list[tuple[int, int]]:
    database = Database(path, read_only=True)
    found = list(database.execute("select epoch, archived from ledger_epoch order by epoch"))
    database.close()
    return found


def test_where_nobody_runs_the_marks_are_written_at_once(here: Installation) -> None:
    here.store(tags(1), data(2))
    tell_marks(here.settings, MARKS, here.clock)
    assert epochs(here.settings.readings_path) == [(EPOCH, 2)]


def test_the_process_that_writes_takes_them(here: Installation) -> None:
    here.store(tags(1), data(2))
    with IngestProcess(here.data) as ingest:
        tell_marks(here.settings, MARKS, here.clock)
        assert epochs(ingest.readings) == [(EPOCH, 2)]


def test_a_writer_whose_door_stays_shut_is_said_to_be_away(here: Installation) -> None:
    here.store(tags(1), data(2))
    with here.opened(), pytest.raises(Unavailable, match="the ingest process is away"):
        tell_marks(here.settings, MARKS, FastClock())
    assert epochs(here.settings.readings_path) == [(EPOCH, 0)]


def test_nothing_to_tell_asks_nobody(tmp_path: Path) -> None:
    tell_marks(settings_in(tmp_path), {}, FastClock())
